// One Generate call as a stream of events that outlives broken connections.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GenerateRequestSchema, GenerateResponse } from "@octet/protocol";
import type { Call } from "./call.ts";
import { DeliveredAnswer, ResentDifferently } from "./delivered-answer.ts";
import { AnswerChangedError, InternalError } from "./errors.ts";

/** What a Generate stream tells, in this order: started, deltas, finished. */
export type GenerateEvent = Exclude<GenerateResponse["event"], { case: undefined }>;

type Request = MessageInitShape<typeof GenerateRequestSchema>;

/**
 * Asks, and asks again where that may help.
 * @param resume whether also after a part of the answer was delivered
 */
export async function* streamGenerate(
  call: Call,
  request: Request,
  { resume }: { readonly resume: boolean },
): AsyncGenerator<GenerateEvent, void> {
  const delivered = new DeliveredAnswer();
  let broken: unknown;
  for (;;) {
    const { service, bounds } = call.begin();
    const stream = service.generate(withSeed(request, delivered.seed), bounds);
    stream.on("error", () => {}); // the loop below throws it, unless it was left before
    try {
      for await (const { event } of stream as AsyncIterable<GenerateResponse>) {
        const news = takeNews(delivered, event);
        if (news === undefined) continue;
        if (news.case === "delta") call.progressed();
        yield news;
        if (news.case === "finished") return;
      }
      throw new InternalError({
        code: "INTERNAL",
        message: "the stream ended well, but without its last event",
        address: call.address,
      });
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
function takeNews(
  delivered: DeliveredAnswer,
  event: GenerateResponse["event"],
): GenerateEvent | undefined {
  switch (event.case) {
    case "started":
      return delivered.start(event.value) ? event : undefined;
    case "delta": {
      const value = delivered.add(event.value);
      return value && { case: "delta", value };
    }
    case "finished":
      delivered.finish();
      return event;
    case undefined: // of a newer coordinator
      return undefined;
  }
}

/** The seed that the coordinator chose makes a second asking the same question. */
function withSeed(request: Request, seed: bigint | undefined): Request {
  if (seed === undefined) return request;
  return { ...request, sampling: { ...request.sampling, seed } } as Request;
}

function changed(how: ResentDifferently, address: string, cause: unknown): AnswerChangedError {
  const message =
    `the stream broke and was asked for again, but ${how.message}; ` +
    "what was delivered stands, the rest is unknown: ask anew";
  return new AnswerChangedError({ code: "ABORTED", message, address, cause });
}
