import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const worker = new URL("./expert-worker.ts", import.meta.url).href;
const service = new URL("../../../packages/service/src/index.ts", import.meta.url).href;
const protocol = new URL("../../../packages/protocol/src/index.ts", import.meta.url).href;

/** Serves as a worker does, is asked for its health by `ask`, and says what was loaded by then. */
async function loadedAfter(ask: string): Promise<string[]> {
  const program = `
    import { registerHooks } from "node:module";
    const loaded = new Set();
    registerHooks({
      resolve(specifier, context, next) {
        const found = next(specifier, context);
        loaded.add(found.url.replace(/.*node_modules\\//, ""));
        return found;
      },
    });
    await import(${JSON.stringify(worker)});
    const { startOnServer } = await import(${JSON.stringify(service)});
    const { checkHealth, ExpertService } = await import(${JSON.stringify(protocol)});
    const log = { info() {}, warn() {}, error() {} };
    const options = { listen: "127.0.0.1:0", services: [ExpertService], allowPlaintext: false };
    await startOnServer(options, log, async ({ address }) => { ${ask} });
    console.log(JSON.stringify([...loaded]));
    process.exit();`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", program],
    { cwd: fileURLToPath(new URL("..", import.meta.url)) },
  );
  return JSON.parse(stdout) as string[];
}

const isHeavy = (file: string) => /^(@grpc\/|grpc-health-check|protobufjs)/.test(file);

test("a worker that only our own ends call does without grpc-js", async () => {
  const loaded = await loadedAfter('await checkHealth(address, "", { deadlineMs: 5_000 });');
  expect(loaded).toContain("@bufbuild/protobuf/dist/esm/index.js");
  expect(loaded.filter(isHeavy)).toEqual([]);
  expect(loaded).not.toContain("node:http"); // with it would come undici, for metrics alone
});

test("it loads grpc-js, health and reflection for anyone else", async () => {
  const loaded = await loadedAfter(`
    const { connect } = await import("node:http2");
    const session = connect("http://" + address);
    const call = session.request({ ":method": "POST", "content-type": "application/grpc",
      te: "trailers", ":path": "/grpc.health.v1.Health/Check" });
    call.end(Buffer.alloc(5));
    await new Promise((resolve) => call.on("response", resolve));`);
  const packages = new Set(loaded.filter(isHeavy).map((file) => file.replace(/\/build.*/, "")));
  expect([...packages]).toEqual(
    expect.arrayContaining(["@grpc/grpc-js", "@grpc/reflection", "grpc-health-check"]),
  );
});
