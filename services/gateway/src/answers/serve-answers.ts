// From a plan to an HTTP response, whole or streamed.
import type { FastifyReply } from "fastify";
import type { GatewayConfig } from "../config.ts";
import { clientGoneSignal } from "../http/client-gone.ts";
import { SseStream } from "../http/sse-stream.ts";
import type { GatewayMetrics } from "../metrics/gateway-metrics.ts";
import type { AnswerLimit } from "./answer-limit.ts";
import { type AnswerPlan, countChoices } from "./answer-plan.ts";
import { collectAnswers } from "./collect-answers.ts";
import { streamAnswers } from "./stream-answers.ts";

/** What answers are served with. */
export interface AnswerContext {
  readonly config: GatewayConfig;
  readonly limit: AnswerLimit;
  readonly metrics: GatewayMetrics;
}

/**
 * Answers one request; its work ends at once when the client goes away.
 *
 * @throws {ApiError} if nothing of the answer was sent yet
 */
export async function serveAnswers(
  plan: AnswerPlan,
  { config, limit, metrics }: AnswerContext,
  reply: FastifyReply,
): Promise<void> {
  if (plan.warnings.length > 0) {
    reply.header("x-warnings", plan.warnings.map(({ param }) => param).join(", "));
  }
  const gone = clientGoneSignal(reply.raw);
  await limit.run(countChoices(plan), async (stop) => {
    const signal = AbortSignal.any([gone, stop]);
    const run = { deadlineMs: config.OCTET_ANSWER_TIMEOUT_MS, signal, metrics };
    if (!plan.stream) {
      await reply.send(await collectAnswers(plan, run));
      return;
    }
    const bounds = { ...run, openAfterMs: config.OCTET_PING_MS };
    const failure = await streamAnswers(plan, bounds, () => {
      reply.hijack();
      return new SseStream(reply.raw, toPlainHeaders(reply), {
        pingMs: config.OCTET_PING_MS,
        stallMs: config.OCTET_STALL_MS,
      });
    });
    if (failure !== undefined) metrics.rejected(failure);
  });
}

function toPlainHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(
    Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]),
  );
}
