// One answer as a stream of events that outlives broken connections.
import type { ClientReadableStream } from "@grpc/grpc-js";
import type {
  ChatResponse,
  GenerateFinished,
  GenerateResponse,
  GenerateStarted,
  PrefillProgress,
  PromptLogprobs,
} from "@octet/protocol";
import type { CallBounds } from "@octet/protocol/grpc-client";
import type { Call, Endpoint } from "./call.ts";
import { DeliveredAnswer, type DeltaParts, ResentDifferently } from "./delivered-answer.ts";
import { AnswerChangedError, InternalError } from "./errors.ts";

/** What a Generate stream tells, in this order: started, what was asked of the prompt, deltas, finished. */
export type GenerateEvent = Exclude<GenerateResponse["event"], { case: undefined }>;
/** What a Chat stream tells, in the same order. */
export type ChatEvent = Exclude<ChatResponse["event"], { case: undefined }>;

/** What both have in common. */
export type AnswerEvent<Delta extends DeltaParts> =
  | { case: "started"; value: GenerateStarted }
  | { case: "delta"; value: Delta }
  | { case: "progress"; value: PrefillProgress }
  | { case: "promptLogprobs"; value: PromptLogprobs }
  | { case: "finished"; value: GenerateFinished };

interface Response<Delta extends DeltaParts> {
  readonly event: AnswerEvent<Delta> | { case: undefined };
}

/** How an answer is asked for. */
export interface Asking<Delta extends DeltaParts> {
  /** @param seed that the coordinator chose before, which makes this asking the same question */
  readonly open: (
    service: Endpoint["service"],
    bounds: CallBounds,
    seed: bigint | undefined,
  ) => ClientReadableStream<Response<Delta>>;
  /** Whether to ask again even after a part of the answer was delivered. */
  readonly resume: boolean;
}

/** Asks, and asks again where that may help. */
export async function* streamAnswer<Delta extends DeltaParts>(
  call: Call,
  { open, resume }: Asking<Delta>,
): AsyncGenerator<AnswerEvent<Delta>, void> {
  const delivered = new DeliveredAnswer();
  let broken: unknown;
  for (;;) {
    const { service, bounds } = call.begin();
    const stream = open(service, bounds, delivered.seed);
    stream.on("error", () => {}); // the loop below throws it, unless it was left before
    try {
      for await (const { event } of stream as AsyncIterable<Response<Delta>>) {
        const news = takeNews(delivered, event);
        if (news === undefined) continue;
        if (news.case === "delta") call.progressed();
        yield news;
        if (news.case === "finished") return;
      }
      const message = "the stream ended well, but without its last event";
      throw new InternalError("INTERNAL", call.address, { reason: "internal", message });
    } catch (error) {
      if (error instanceof ResentDifferently) throw changed(error, call.address, broken);
      if (delivered.hasDeltas && !resume) throw call.explain(error);
      await call.retryAfter(error);
      broken = error;
      delivered.restart();
    } finally {
      stream.cancel();
    }
  }
}

/** What of an event the user does not have. */
function takeNews<Delta extends DeltaParts>(
  delivered: DeliveredAnswer,
  event: Response<Delta>["event"],
): AnswerEvent<Delta> | undefined {
  switch (event.case) {
    case "started":
      return delivered.start(event.value) ? event : undefined;
    case "delta": {
      const value = delivered.add(event.value);
      return value && { case: "delta", value };
    }
    case "promptLogprobs": {
      const tokens = delivered.newScores("prompt", event.value.tokens);
      return tokens.length === 0 ? undefined : { ...event, value: { ...event.value, tokens } };
    }
    case "progress":
      return event;
    case "finished":
      delivered.finish();
      return event;
    case undefined: // of a newer coordinator
      return undefined;
  }
}

function changed(how: ResentDifferently, address: string, cause: unknown): AnswerChangedError {
  const message =
    `the stream broke and was asked for again, but ${how.message}; ` +
    "what was delivered stands, the rest is unknown: ask anew";
  return new AnswerChangedError("ABORTED", address, { reason: "unavailable", message }, cause);
}
