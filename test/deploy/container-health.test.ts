import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { Health } from "@octet/protocol";
import { addHealthAndReflection } from "@octet/protocol/grpc";
import { expect, onTestFinished, test } from "vitest";

const script = join(import.meta.dirname, "../../deploy/docker/health.ts");

async function checkContainer(
  port: number,
  ...path: string[]
): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, [script, String(port), ...path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = child.stdout.toArray();
  const [code] = await once(child, "close");
  return {
    code,
    said: Buffer.concat(await said)
      .toString()
      .trim(),
  };
}

async function listen(server: Server): Promise<number> {
  onTestFinished(() => server.forceShutdown());
  const credentials = ServerCredentials.createInsecure();
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}

test("a container is healthy exactly while its service is ready", async () => {
  const server = new Server();
  const health = new Health([]);
  addHealthAndReflection(server, [], health);
  const port = await listen(server);
  expect(await checkContainer(port)).toEqual({ code: 1, said: "not ready" });
  health.setReady(true);
  expect(await checkContainer(port)).toEqual({ code: 0, said: "ready" });
  health.setReady(false);
  expect(await checkContainer(port)).toEqual({ code: 1, said: "not ready" });
});

test("by HTTP, it is healthy while the path answers 200", async () => {
  let status = 503;
  const server = createHttpServer((_request, response) => response.writeHead(status).end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  expect(await checkContainer(port, "/readyz")).toEqual({ code: 1, said: "HTTP status 503" });
  status = 200;
  expect(await checkContainer(port, "/readyz")).toEqual({ code: 0, said: "ready" });
});

test("a service without health, or none at all, is not healthy", async () => {
  const server = new Server();
  const port = await listen(server);
  expect(await checkContainer(port)).toEqual({ code: 1, said: "gRPC status 12" });
  server.forceShutdown();
  const { code, said } = await checkContainer(port);
  expect(code).toBe(1);
  expect(said).toContain("ECONNREFUSED");
});

test("a service that does not answer is not healthy", async () => {
  const silent = createServer();
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  onTestFinished(() => {
    silent.close();
  });
  const address = silent.address();
  if (address === null || typeof address === "string") throw new Error("expected a port");
  expect(await checkContainer(address.port)).toEqual({
    code: 1,
    said: "no answer within 5000 ms",
  });
});
