export { fromBf16Bits, toBf16Bits } from "./bf16.ts";
export {
  type ActivationDtype,
  type ActivationRows,
  activationRowBytes,
  dispatchDtype,
  isQuantised,
  type QuantisedDtype,
  quantBlockSize,
  replyDtype,
  type WeightDtype,
  weightDtypes,
} from "./dtype.ts";
export { fromF16Bits, toF16Bits } from "./f16.ts";
export {
  type BlockId,
  type ExpertId,
  type SequenceId,
  toBlockId,
  toExpertId,
  toSequenceId,
} from "./ids.ts";
export {
  activationBytesMax,
  allowedTokenIdsMax,
  answersMax,
  badWordsMax,
  badWordTokensMax,
  cacheSaltLengthMax,
  callsInFlightMax,
  clientIdLengthMax,
  logitBiasEntriesMax,
  logitBiasMax,
  logprobTokenIdsMax,
  messageBytesMax,
  numExpertsMax,
  numExpertsPerTokenMax,
  numLayersMax,
  penaltyMax,
  promptBytesMax,
  rowsPerCallMax,
  stopStringLengthMax,
  stopStringsMax,
  stopTokenIdsMax,
  topLogprobsMax,
} from "./limits.ts";
export type { ModelConfig } from "./model-config.ts";
export { type PanelShapes, panelRows, panelShapes } from "./panels.ts";
export type { LentSocket, ReturnedSocket, SocketBorrower, SocketLoan } from "./socket-loan.ts";
export {
  type StoredDtype,
  type TensorLocation,
  tensorAlignmentBytes,
  type WeightFile,
} from "./weight-file.ts";
