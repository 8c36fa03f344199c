// grpcurl knows nothing of our contracts: what it calls, it learns by reflection.
import { OctetClient } from "@octet/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SmallCluster, startSmallCluster } from "../cluster/small-cluster.ts";
import { installGrpcurl, runProgram } from "./install-tools.ts";

let grpcurl: string;
let cluster: SmallCluster;

beforeAll(async () => {
  grpcurl = await installGrpcurl();
  cluster = await startSmallCluster();
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

const service = "octet.inference.v1.InferenceService";

/** Calls a method, or lists or describes something. */
function ask(what: readonly string[], message?: object) {
  const data = message === undefined ? [] : ["-d", JSON.stringify(message)];
  return runProgram([grpcurl, "-plaintext", ...data, cluster.address, ...what]);
}

/** JSON objects one after another, as grpcurl prints a stream. */
function parseStream(text: string): Record<string, unknown>[] {
  return text
    .split(/^(?=\{)/m)
    .filter((part) => part.trim() !== "")
    .map((part) => JSON.parse(part));
}

test("list and describe name every service and method", async () => {
  const { code, stdout } = await ask(["list"]);
  expect(code).toBe(0);
  const services = stdout.trim().split("\n");
  expect(services).toContain(service);
  expect(services).toContain("grpc.health.v1.Health");
  const methods = await ask(["list", service]);
  for (const method of ["Generate", "Chat", "Tokenize", "Detokenize", "ListModels", "GetModel"]) {
    expect(methods.stdout).toContain(`${service}.${method}\n`);
  }
  const described = await ask(["describe", "octet.inference.v1.GenerateRequest"]);
  expect(described.code).toBe(0);
  expect(described.stdout).toMatch(/oneof input/);
});

test("Generate streams the same text as our own client", async () => {
  using client = new OctetClient(cluster.address);
  const request = { text: "Once upon", sampling: { temperature: 0 }, stop: { maxTokens: 25 } };
  const { code, stdout, stderr } = await ask([`${service}/Generate`], request);
  expect(code, stderr).toBe(0);
  const events = parseStream(stdout);
  const text = events.map((event) => (event.delta as { text?: string })?.text ?? "").join("");
  expect(text).toBe(await client.generate(request).text());
  expect(events[0]).toHaveProperty("started");
  expect(events.at(-1)).toMatchObject({ finished: { completionTokens: 25 } });
});

test("Tokenize and Detokenize are each other's inverse", async () => {
  const tokenized = await ask([`${service}/Tokenize`], { text: "Once upon a time" });
  const { tokenIds } = JSON.parse(tokenized.stdout);
  const { stdout } = await ask([`${service}/Detokenize`], { tokenIds });
  expect(JSON.parse(stdout).text.trim()).toBe("Once upon a time");
});

test("a refusal is an exit code, with a reason that can be read", async () => {
  const request = { text: "x", sampling: { topP: 7 } };
  const { code, stdout, stderr } = await ask([`${service}/Generate`], request);
  expect(code).toBe(64 + 3); // grpcurl's: 64 and the status
  expect(stdout).toBe("");
  expect(stderr).toMatch(/Code: InvalidArgument/);
  expect(stderr).toContain("0 < topP <= 1");
  const unknown = await ask([`${service}/GetModel`], { name: "another" });
  expect(unknown.code).toBe(64 + 5);
});

test("health is served, by name too", async () => {
  const whole = await ask(["grpc.health.v1.Health/Check"]);
  expect([whole.code, JSON.parse(whole.stdout)]).toEqual([0, { status: "SERVING" }]);
  const named = await ask(["grpc.health.v1.Health/Check"], { service });
  expect(JSON.parse(named.stdout)).toEqual({ status: "SERVING" });
  const unknown = await ask(["grpc.health.v1.Health/Check"], { service: "nobody" });
  expect(unknown.code).toBe(64 + 5);
});
