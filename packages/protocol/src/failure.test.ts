import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Metadata, Server, ServerCredentials, status } from "@grpc/grpc-js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BadRequestSchema, ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "./gen/google/rpc/status_pb.ts";
import { addService, createClient, fromServiceError, toServiceError } from "./grpc.ts";
import {
  ExpertService,
  type Failure,
  type FailureReason,
  fromStatus,
  serverOptions,
  toStatus,
} from "./index.ts";

const reasons: Record<FailureReason, status> = {
  invalid_parameter: status.INVALID_ARGUMENT,
  context_length_exceeded: status.INVALID_ARGUMENT,
  invalid_grammar: status.INVALID_ARGUMENT,
  not_supported: status.INVALID_ARGUMENT,
  model_not_found: status.NOT_FOUND,
  overloaded: status.RESOURCE_EXHAUSTED,
  expert_unavailable: status.UNAVAILABLE,
  model_loading: status.UNAVAILABLE,
  unavailable: status.UNAVAILABLE,
  timeout: status.DEADLINE_EXCEEDED,
  cancelled: status.CANCELLED,
  internal: status.INTERNAL,
};

const text = fc.string({ unit: "binary", maxLength: 256 }).map((each) => each.toWellFormed());
const failures: fc.Arbitrary<Failure> = fc.record({
  reason: fc.constantFrom(...(Object.keys(reasons) as FailureReason[])),
  message: text.map((each) => each.slice(0, 1024).toWellFormed()),
  metadata: fc.dictionary(
    text,
    text.map((each) => each.slice(0, 256).toWellFormed()),
    {
      maxKeys: 16,
    },
  ),
  violations: fc.array(
    fc.record({
      field: text.map((each) => each.slice(0, 256).toWellFormed()),
      description: text.map((each) => each.slice(0, 256).toWellFormed()),
    }),
    { maxLength: 8 },
  ),
  retryAfterMs: fc.option(fc.nat({ max: 3_600_000 }), { nil: undefined }),
});

test("a failure comes back from its status as it was", () => {
  fc.assert(
    fc.property(failures, (failure) => {
      const sent = toStatus(failure);
      expect(sent.code).toBe(reasons[failure.reason]);
      const found = fromStatus(sent);
      expect({ ...found, metadata: { ...found.metadata } }).toEqual({
        ...failure,
        metadata: { ...failure.metadata },
      });
    }),
  );
});

test("what is too long for a header is cut, and stays whole characters", () => {
  const long = `${"x".repeat(255)}😀`;
  const found = fromStatus(
    toStatus({
      reason: "invalid_parameter",
      message: "y".repeat(5_000),
      metadata: Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`k${i}`, long])),
      violations: Array.from({ length: 99 }, () => ({ field: long, description: long })),
    }),
  );
  expect(found.message).toHaveLength(1024);
  expect(Object.keys(found.metadata ?? {})).toHaveLength(16);
  expect(found.violations).toHaveLength(8);
  expect(found.violations?.[0]?.description).toBe(`${"x".repeat(255)}\uFFFD`);
});

test("bytes that are no details leave what the code says", () => {
  const bare = { code: status.UNAVAILABLE, details: "away" };
  const expected = { reason: "unavailable", message: "away" };
  expect(fromStatus(bare)).toEqual(expected);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (detailsBin) => {
      expect(fromStatus({ ...bare, detailsBin })).toEqual(expected);
    }),
  );
  const info = create(ErrorInfoSchema, { reason: "timeout", domain: "example.com" });
  const ofOthers = create(StatusSchema, { details: [anyPack(ErrorInfoSchema, info)] });
  expect(fromStatus({ ...bare, detailsBin: toBinary(StatusSchema, ofOthers) })).toEqual(expected);
  const misnamed = anyPack(BadRequestSchema, create(BadRequestSchema, {}));
  misnamed.typeUrl = "type.googleapis.com/google.rpc.ErrorInfo";
  misnamed.value = Uint8Array.of(0xff);
  const broken = toBinary(StatusSchema, create(StatusSchema, { details: [misnamed] }));
  expect(fromStatus({ ...bare, detailsBin: broken })).toEqual(expected);
});

test("a reason from the future is what its code says, with its facts", () => {
  const info = create(ErrorInfoSchema, {
    reason: "out_of_credit",
    domain: "octet.dev",
    metadata: { spent: "5" },
  });
  const message = create(StatusSchema, { details: [anyPack(ErrorInfoSchema, info)] });
  const detailsBin = toBinary(StatusSchema, message);
  const found = fromStatus({ code: status.RESOURCE_EXHAUSTED, details: "", detailsBin });
  expect(found).toMatchObject({ reason: "overloaded", metadata: { spent: "5" } });
});

test("statuses of gRPC's own libraries have a reason too", () => {
  const reasonOf = (code: status) => fromStatus({ code, details: "" }).reason;
  expect(reasonOf(status.DEADLINE_EXCEEDED)).toBe("timeout");
  expect(reasonOf(status.CANCELLED)).toBe("cancelled");
  expect(reasonOf(status.UNIMPLEMENTED)).toBe("not_supported");
  expect(reasonOf(status.DATA_LOSS)).toBe("internal");
});

test("a failure crosses a real call", async () => {
  const failure: Failure = {
    reason: "overloaded",
    message: "the queue is full: 5 €",
    metadata: { limit: "5" },
    violations: [],
    retryAfterMs: 1_500,
  };
  const server = new Server(serverOptions);
  addService(server, ExpertService, {
    forward: (stream) => stream.end(),
    describe: (_call, done) => done(toServiceError(failure)),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  const client = createClient(ExpertService, `127.0.0.1:${port}`);
  const error = await client.describe({}, { deadlineMs: 10_000 }).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  client.close();
  server.forceShutdown();
  expect(fromServiceError(error)).toEqual(failure);
});

test("an error that ended no call is no failure of one", () => {
  expect(fromServiceError(new Error("mine"))).toBeUndefined();
  const odd = Object.assign(new Error(), { code: 99, details: "", metadata: new Metadata() });
  expect(fromServiceError(odd)).toBeUndefined();
});
