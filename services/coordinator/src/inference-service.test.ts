import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { InferenceService, serverOptions } from "@octet/protocol";
import * as grpc from "@octet/protocol/grpc";
import { silentLogger } from "@octet/telemetry";
import { expect, test } from "vitest";
import { createInferenceHandlers } from "./inference-service.ts";

test("every method says how far loading is, and when to ask again", async () => {
  const server = new Server(serverOptions);
  const serving = { kind: "loading", doneBytes: 5, totalBytes: 9 } as const;
  const handlers = createInferenceHandlers({ serving: () => serving, grpc, log: silentLogger });
  grpc.addService(server, InferenceService, handlers);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  const client = grpc.createClient(InferenceService, `127.0.0.1:${port}`);
  for (const { localName } of InferenceService.methods) {
    const answer = client[localName as keyof typeof InferenceService.method](
      {},
      { deadlineMs: 10_000 },
    );
    const error = await endOf(answer);
    expect(error, localName).toMatchObject({ code: status.UNAVAILABLE });
    const failure = grpc.fromServiceError(error);
    expect(failure).toMatchObject({
      reason: "model_loading",
      metadata: { done_bytes: "5", total_bytes: "9" },
    });
    expect(failure?.retryAfterMs).toBeGreaterThan(0);
  }
  client.close();
  server.forceShutdown();
});

/** The error that a call ends with. */
async function endOf(answer: Promise<unknown> | AsyncIterable<unknown>): Promise<unknown> {
  try {
    if (answer instanceof Promise) await answer;
    else for await (const _ of answer);
  } catch (error) {
    return error;
  }
  return undefined;
}
