// The handlers of octet.inference.v1.
import type { ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import type { FailureReason, InferenceService } from "@octet/protocol";
import type { Handlers } from "@octet/protocol/grpc";
import type { GrpcModule } from "@octet/service";
import type { Logger } from "@octet/telemetry";
import { streamAnswer } from "./answer-call.ts";
import { chat } from "./chat.ts";
import { generate } from "./generate.ts";
import { requireModel } from "./model-info.ts";
import { checkTokenIds, toPrompt } from "./prompt.ts";
import { toFailure } from "./request-error.ts";
import { type InferenceContext, requireLoaded, type Serving } from "./serving.ts";

/** What the handlers are made with. */
export interface InferenceServiceOptions {
  /** As it is now. */
  readonly serving: () => Serving;
  readonly grpc: GrpcModule;
  readonly log: Logger;
  /** Told why a call of Generate or Chat failed. */
  readonly onAnswerFailed?: ((reason: FailureReason) => void) | undefined;
}

/** The handlers, one for each method. Until there is a model, each call fails with "model_loading". */
export function createInferenceHandlers(
  options: InferenceServiceOptions,
): Handlers<typeof InferenceService> {
  const loaded = () => requireLoaded(options.serving());

  /** A handler that answers, or ends the call with the failure's status. */
  function unary<Request, Response>(
    answer: (request: Request, context: InferenceContext) => Response,
  ) {
    return (call: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>) => {
      try {
        done(null, answer(call.request, loaded()));
      } catch (error) {
        done(options.grpc.toServiceError(toFailure(error)));
      }
    };
  }

  const answering = { ...options, onFailed: options.onAnswerFailed };
  return {
    generate: (call) =>
      void streamAnswer(call, answering, async function* (about) {
        yield* generate(call.request, about, loaded());
      }),
    chat: (call) =>
      void streamAnswer(call, answering, async function* (about) {
        yield* chat(call.request, about, loaded());
      }),
    tokenize: unary((request, { tokenizer, modelName, vocabSize, maxPositions }) => {
      requireModel(request.model, modelName);
      const addBos = request.addSpecialTokens ?? true;
      const { tokenIds } = toPrompt(request.input, tokenizer, { addBos, vocabSize });
      const pieces = request.withPieces
        ? Array.from(tokenIds, (id) => tokenizer.pieceBytes(id))
        : [];
      return { tokenIds: Array.from(tokenIds), maxPositions, pieces };
    }),
    detokenize: unary((request, { tokenizer, modelName, vocabSize }) => {
      requireModel(request.model, modelName);
      const ids = checkTokenIds(request.tokenIds, { vocabSize, field: "token_ids" });
      return { text: tokenizer.decode(ids) };
    }),
    listModels: unary((_request, { describeModel }) => ({ models: [describeModel()] })),
    getModel: unary((request, { describeModel, modelName }) => {
      requireModel(request.name, modelName);
      return { model: describeModel() };
    }),
    getClusterState: unary((_request, { clusterState }) => ({ state: clusterState.now() })),
    watchClusterState: (call) =>
      void streamAnswer(call, options, async function* ({ signal }) {
        for await (const state of loaded().clusterState.watch(signal)) yield { state };
      }),
  };
}
