// Answers that outlive broken connections: whole, or as a stream of events.
import type { ClientReadableStream } from "@grpc/grpc-js";
import type { CallBounds } from "@octet/protocol/grpc-client";
import type { Call, Endpoint } from "./call.ts";
import type { DeltaParts } from "./delivered-answer.ts";
import { type AnswerEvent, DeliveredStream } from "./delivered-stream.ts";
import { AnswerChangedError, InternalError } from "./errors.ts";
import { ResentDifferently } from "./resent-list.ts";

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
  /** How many answers come, one at least. */
  readonly numAnswers: number;
  /** Whether to ask again even after a part of the answer was delivered. */
  readonly resume: boolean;
}

/** Asks for one message, and asks again where that may help. */
export async function askUntilAnswered<Message>(
  call: Call,
  attempt: (service: Endpoint["service"], bounds: CallBounds) => Promise<Message>,
): Promise<Message> {
  for (;;) {
    const { service, bounds } = call.begin();
    try {
      return await attempt(service, bounds);
    } catch (error) {
      await call.retryAfter(error);
    }
  }
}

/** Asks, and asks again where that may help. */
export async function* streamAnswer<Delta extends DeltaParts>(
  call: Call,
  { open, numAnswers, resume }: Asking<Delta>,
): AsyncGenerator<AnswerEvent<Delta>, void> {
  const delivered = new DeliveredStream(numAnswers);
  let broken: unknown;
  for (;;) {
    const { service, bounds } = call.begin();
    const stream = open(service, bounds, delivered.seed);
    let hasEnded = false;
    stream.on("error", () => {}); // the loop below throws it, unless it was left before
    try {
      for await (const { event } of stream as AsyncIterable<Response<Delta>>) {
        const news = delivered.takeNews(event);
        if (news === undefined) continue;
        if (news.case !== "started" && news.case !== "progress") call.progressed();
        yield news;
      }
      hasEnded = true;
      if (delivered.isFinished) return;
      const message = "the stream ended well, but without every answer's last event";
      throw new InternalError("INTERNAL", call.address, { reason: "internal", message });
    } catch (error) {
      if (delivered.isFinished) return; // what broke had nothing more to say
      if (error instanceof ResentDifferently) throw changed(error, call.address, broken);
      if (delivered.hasNews && !resume) throw call.explain(error);
      await call.retryAfter(error);
      broken = error;
      delivered.restart();
    } finally {
      // Not after its end, which may be on its way: too many cancels close a connection.
      if (!hasEnded) stream.cancel();
    }
  }
}

function changed(how: ResentDifferently, address: string, cause: unknown): AnswerChangedError {
  const message =
    `the stream broke and was asked for again, but ${how.message}; ` +
    "what was delivered stands, the rest is unknown: ask anew";
  return new AnswerChangedError("ABORTED", address, { reason: "unavailable", message }, cause);
}
