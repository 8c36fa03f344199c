// Workers whose answers make no sense: each is an error of its call, and of no other.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { createGrpcExpertClient, type GrpcExpertClient } from "@octet/cluster";
import { affineInput, affineModel } from "@octet/cluster/affine-expert-engine";
import { toExpertId } from "@octet/core";
import {
  ActivationDtypeCode,
  CallFailureCode,
  ExpertService,
  type ForwardResponseSchema,
  serverOptions,
} from "@octet/protocol";
import { addService } from "@octet/protocol/grpc";
import { silentLogger } from "@octet/telemetry";
import { afterEach, expect, test } from "vitest";
import { modelDigest } from "./worker-server.ts";

type Response = MessageInitShape<typeof ForwardResponseSchema>;
const { hiddenSize } = affineModel;
const experts = [0, 1, 2, 3].map((id) => toExpertId(id, affineModel.numExperts));
const call = { layer: 0, expertId: experts[0]!, input: affineInput("f32", 2, 1) };
const rowBytes = hiddenSize * 4;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A client of a worker that sends what `answer` makes of each call's id. */
async function connect(answer: (callId: bigint) => Response[]): Promise<GrpcExpertClient> {
  const server = new Server(serverOptions);
  addService(server, ExpertService, {
    forward: (stream) => {
      stream.sendMetadata(stream.metadata);
      stream.on("data", ({ kind }) => {
        if (kind.case !== "call") return;
        for (const response of answer(kind.value.callId)) stream.write(response);
      });
    },
    describe: (_call, callback) =>
      callback(null, { ...affineModel, weightDtype: "f32", modelDigest, expertIds: experts }),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  const client = createGrpcExpertClient({
    placement: [{ address: `127.0.0.1:${port}`, expertIds: experts }],
    expected: { ...affineModel, weightDtype: "f32", modelDigest },
    log: silentLogger,
  });
  cleanUps.push(
    () => server.forceShutdown(),
    () => client.close(),
  );
  return client;
}

function output(rows: object) {
  const right = {
    dtype: ActivationDtypeCode.F32,
    rows: 2,
    width: hiddenSize,
    data: new Uint8Array(2 * rowBytes).fill(1),
  };
  return { case: "output" as const, value: { ...right, ...rows } };
}

test.each<[string, NonNullable<Response["result"]>]>([
  ["neither output nor failure", { case: undefined }],
  ["another dtype", output({ dtype: ActivationDtypeCode.BF16 })],
  ["an unknown dtype", output({ dtype: 77 })],
  ["another width", output({ width: 32 })],
  ["fewer rows than asked", output({ rows: 1, data: new Uint8Array(rowBytes) })],
  ["more rows than asked", output({ rows: 3, data: new Uint8Array(3 * rowBytes) })],
  ["too few bytes", output({ data: new Uint8Array(2 * rowBytes - 1) })],
  ["no bytes", output({ data: new Uint8Array() })],
])("an answer with %s is bad-shape, and the next call is answered", async (_what, result) => {
  let isFirst = true;
  const client = await connect((callId) => {
    const found = isFirst ? result : output({});
    isFirst = false;
    return [{ callId, result: found }];
  });
  const bad = client.forward(call, { deadlineMs: 10_000 });
  await expect(bad).rejects.toMatchObject({ code: "bad-shape" });
  const { output: good } = await client.forward(call, { deadlineMs: 10_000 });
  expect(good.data.every((byte) => byte === 1)).toBe(true);
});

test("answers to calls that nobody made, and second answers, are ignored", async () => {
  const client = await connect((callId) => [
    { callId: callId + 1_000n, result: output({}) },
    { callId, result: output({}) },
    { callId, result: { case: "failure", value: { code: CallFailureCode.INTERNAL } } },
  ]);
  for (let i = 0; i < 3; i++) await client.forward(call, { deadlineMs: 10_000 });
});

test.each([
  [CallFailureCode.OVERLOADED, "unavailable"],
  [CallFailureCode.NOT_HELD, "not-held"],
  [CallFailureCode.DEADLINE_EXCEEDED, "deadline-exceeded"],
  [CallFailureCode.UNSPECIFIED, "internal"],
])("failure code %i is %s to the caller, with the worker's words", async (code, expected) => {
  const value = { code, message: "the worker's words" };
  const client = await connect((callId) => [{ callId, result: { case: "failure", value } }]);
  const failed = client.forward(call, { deadlineMs: 10_000 });
  await expect(failed).rejects.toMatchObject({ code: expected });
  await expect(failed).rejects.toThrow("the worker's words");
});
