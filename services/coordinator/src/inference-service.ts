// The handlers of octet.inference.v1.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import type { InferenceService, ModelSchema } from "@octet/protocol";
import type { Handlers } from "@octet/protocol/grpc";
import type { Logger } from "@octet/telemetry";
import { streamAnswer } from "./answer-call.ts";
import { type GenerateContext, generate } from "./generate.ts";
import { requireModel } from "./model-info.ts";
import { checkTokenIds, toPromptTokenIds } from "./prompt.ts";
import { toStatus } from "./request-error.ts";

/** What the service answers with. */
export interface InferenceContext extends GenerateContext {
  /** As it is served now: workers come and go. */
  readonly describeModel: () => MessageInitShape<typeof ModelSchema>;
  readonly maxPositions: number;
  readonly log: Logger;
}

/** The handlers, one for each method. */
export function createInferenceHandlers(
  context: InferenceContext,
): Handlers<typeof InferenceService> {
  const { tokenizer, modelName, vocabSize, describeModel, maxPositions, log } = context;
  return {
    generate: (call) =>
      void streamAnswer(call, log, (about) => generate(call.request, about, context)),
    tokenize: unary(({ request }) => {
      requireModel(request.model, modelName);
      const addBos = request.addSpecialTokens ?? true;
      const tokenIds = toPromptTokenIds(request.input, tokenizer, { addBos, vocabSize });
      return { tokenIds: Array.from(tokenIds), maxPositions };
    }),
    detokenize: unary(({ request }) => {
      requireModel(request.model, modelName);
      return { text: tokenizer.decode(checkTokenIds(request.tokenIds, vocabSize)) };
    }),
    listModels: unary(() => ({ models: [describeModel()] })),
    getModel: unary(({ request }) => {
      requireModel(request.name, modelName);
      return { model: describeModel() };
    }),
  };
}

/** A handler that answers, or ends the call with the failure's status. */
function unary<Request, Response>(
  answer: (call: ServerUnaryCall<Request, Response>) => Response,
): (call: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>) => void {
  return (call, done) => {
    try {
      done(null, answer(call));
    } catch (error) {
      done(toStatus(error));
    }
  };
}
