// The deadline of a call, as it reaches the engine.
import { Client, credentials, Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import type { Engine, GenerateRequest } from "@octet/engine";
import { InferenceService, serverOptions } from "@octet/protocol";
import * as grpc from "@octet/protocol/grpc";
import { silentLogger } from "@octet/telemetry";
import { expect, test } from "vitest";
import { createInferenceHandlers } from "./inference-service.ts";
import type { InferenceContext } from "./serving.ts";

test("a call's deadline is the engine's, by the clock that nobody sets", async () => {
  const asked: GenerateRequest[] = [];
  const engine: Pick<Engine, "generate"> = {
    generate: (request) => {
      asked.push(request);
      return new ReadableStream<never>({ start: (events) => events.close() }).values();
    },
  };
  const tokenizer = { createStreamDecoder: () => ({ push: () => "", flush: () => "" }) };
  const context = { engine, tokenizer, modelName: "m", vocabSize: 9 };
  const handlers = createInferenceHandlers({
    // Of what a coordinator has, this is all that a prompt of token ids needs.
    serving: () => ({ kind: "loaded", context: context as unknown as InferenceContext }),
    grpc,
    log: silentLogger,
  });
  const server = new Server(serverOptions);
  grpc.addService(server, InferenceService, handlers);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = grpc.toMethodDefinition(
    InferenceService,
    InferenceService.method.generate,
  );
  const ask = async (deadline: number | undefined) => {
    const call = client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { input: { case: "tokens", value: { ids: [1] } } },
      new Metadata(),
      deadline === undefined ? {} : { deadline },
    );
    for await (const _ of call);
    return asked.at(-1)!.deadlineMs;
  };
  const hourMs = 3_600_000;
  const startMs = performance.now();
  const found = await ask(Date.now() + hourMs);
  // However long the call took to arrive, it is an hour from some moment of it.
  expect(found).toBeGreaterThan(startMs + hourMs - 1000);
  expect(found).toBeLessThan(performance.now() + hourMs);
  expect(await ask(undefined)).toBeUndefined();
  client.close();
  server.forceShutdown();
});
