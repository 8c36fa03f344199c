import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { create, createFileRegistry, type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import {
  type ClientDuplexStream,
  credentials,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
  status,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addHealthAndReflection, addService, createClient } from "./grpc.ts";
import { checkHealth, ExpertService, Health, InferenceService } from "./index.ts";

let server: Server;
let health: Health;
let address: string;

beforeAll(async () => {
  server = new Server();
  addService(server, ExpertService, {
    forward: (stream) => stream.end(),
    describe: (_call, callback) => callback(null, { workerId: "found by reflection" }),
  });
  const services = [ExpertService, InferenceService];
  health = new Health(services.map((service) => service.typeName));
  addHealthAndReflection(server, services, health);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  address = `127.0.0.1:${port}`;
});
afterAll(() => server.forceShutdown());

const names = ["readiness", ExpertService.typeName, InferenceService.typeName];

function isServing(name: string): Promise<boolean> {
  return checkHealth(address, name, { deadlineMs: 5_000 });
}

/** A reflection client of the package's own making, as grpcurl is: it knows no proto of ours. */
class ReflectionClient {
  readonly #stream: ClientDuplexStream<object, ReflectionAnswer>;
  constructor(version: "v1" | "v1alpha") {
    const main = createRequire(import.meta.url).resolve("@grpc/reflection");
    const folder = join(dirname(main), "../proto/grpc/reflection", version);
    const loaded = loadSync(join(folder, "reflection.proto"), { keepCase: true, oneofs: true });
    const name = `grpc.reflection.${version}.ServerReflection`;
    const definition = loadPackageDefinition({ service: loaded[name]! });
    const Client = definition.service as ServiceClientConstructor;
    const client = new Client(address, credentials.createInsecure());
    this.#stream = client.serverReflectionInfo!();
    this.#stream.on("status", () => client.close());
  }

  ask(request: object): Promise<ReflectionAnswer> {
    this.#stream.write(request);
    return new Promise((resolve, reject) => {
      this.#stream.once("data", resolve).once("error", reject);
    });
  }

  async services(): Promise<string[]> {
    const answer = await this.ask({ list_services: "*" });
    return answer.list_services_response!.service.map((service) => service.name);
  }

  /** A registry of what the server says of a symbol, with everything the files import. */
  async registryOf(symbol: string): Promise<FileRegistry> {
    const answer = await this.ask({ file_containing_symbol: symbol });
    const file = answer
      .file_descriptor_response!.file_descriptor_proto.map((bytes) =>
        fromBinary(FileDescriptorProtoSchema, bytes),
      )
      .reverse(); // what is imported comes first in a descriptor set
    return createFileRegistry(create(FileDescriptorSetSchema, { file }));
  }

  close(): void {
    this.#stream.end();
  }
}

/** Calls a method that only the server's descriptors know. */
function callUnary(client: object, name: string): Promise<object> {
  const method = Reflect.get(client, name) as (request: object, bounds: object) => Promise<object>;
  return method({}, { deadlineMs: 5_000 });
}

interface ReflectionAnswer {
  list_services_response?: { service: { name: string }[] };
  file_descriptor_response?: { file_descriptor_proto: Buffer[] };
  error_response?: { error_code: number };
}

test("a process lives before it is ready", async () => {
  expect(await isServing("")).toBe(true);
  for (const name of names) expect(await isServing(name)).toBe(false);
});

test("readiness and every service's name follow setReady, and the process does not", async () => {
  health.setReady(true);
  for (const name of ["", ...names]) expect(await isServing(name)).toBe(true);
  health.setReady(false);
  for (const name of names) expect(await isServing(name)).toBe(false);
  expect(await isServing("")).toBe(true);
  health.setLive(false);
  expect(await isServing("")).toBe(false);
  health.setLive(true);
});

test("another name is NOT_FOUND, and a server that is away is UNAVAILABLE", async () => {
  await expect(isServing("octet.Nothing")).rejects.toMatchObject({ code: status.NOT_FOUND });
  const away = checkHealth("127.0.0.1:1", "", { deadlineMs: 5_000 });
  await expect(away).rejects.toMatchObject({ code: status.UNAVAILABLE });
});

test.each(["v1", "v1alpha"] as const)("reflection %s lists our services and health", async (v) => {
  const client = new ReflectionClient(v);
  const expected = [ExpertService.typeName, InferenceService.typeName, "grpc.health.v1.Health"];
  expect((await client.services()).sort()).toEqual(expected.sort());
  client.close();
});

test.each(["v1", "v1alpha"] as const)(
  "reflection %s is enough to call every service",
  async (v) => {
    const client = new ReflectionClient(v);
    const expert = (await client.registryOf(ExpertService.typeName)).getService(
      ExpertService.typeName,
    )!;
    const worker = createClient(expert, address);
    expect(await callUnary(worker, "describe")).toMatchObject({
      workerId: "found by reflection",
    });
    worker.close();

    const healthName = "grpc.health.v1.Health";
    const healthService = (await client.registryOf(healthName)).getService(healthName)!;
    const watcher = createClient(healthService, address);
    const SERVING = 1;
    const NOT_SERVING = 2;
    expect(await callUnary(watcher, "check")).toMatchObject({ status: SERVING });
    expect(await callUnary(watcher, "list")).toMatchObject({
      statuses: { "": { status: SERVING }, readiness: { status: NOT_SERVING } },
    });
    watcher.close();
    client.close();
  },
);

test("reflection describes a file exactly as it was written", async () => {
  const client = new ReflectionClient("v1");
  for (const service of [ExpertService, InferenceService]) {
    const registry = await client.registryOf(service.typeName);
    const found = registry.getFile(service.file.proto.name)!;
    expect(found.proto).toEqual(service.file.proto);
  }
  client.close();
});

test("reflection answers an unknown symbol with NOT_FOUND and goes on", async () => {
  const client = new ReflectionClient("v1");
  const answer = await client.ask({ file_containing_symbol: "octet.Nothing" });
  expect(answer.error_response?.error_code).toBe(status.NOT_FOUND);
  expect(await client.services()).toContain(ExpertService.typeName);
  client.close();
});
