// octet up: a whole cluster on this machine until Ctrl-C.
import type { Command } from "commander";
import { interruptSignal } from "../interrupt.ts";
import {
  addClusterFlags,
  type ClusterFlags,
  startLocalCluster,
} from "../local-cluster/cluster-flags.ts";
import { findFreePorts, isPortFree } from "../local-cluster/free-ports.ts";
import { parseWhole } from "../sampling-flags.ts";

interface UpFlags extends ClusterFlags {
  readonly port: number;
  readonly http: boolean;
  readonly httpPort?: number;
  readonly json?: boolean;
}

/** Where people look for a model's HTTP API. */
const httpPortDefault = 8000;

/** Adds `octet up` to the program. */
export function addUpCommand(program: Command): void {
  const command = program
    .command("up")
    .description("start a whole cluster on this machine: workers, coordinator, HTTP gateway")
    .option("--port <n>", "the coordinator's; 0 for any free one", parseWhole, 50_050)
    .option(
      "--http-port <n>",
      `the gateway's; 0 for any free one (default: ${httpPortDefault}, or any if that is taken)`,
      parseWhole,
    )
    .option("--no-http", "start no gateway: gRPC only")
    .option("--json", "print one JSON object on standard output when the cluster is ready");
  addClusterFlags(command)
    .addHelpText(
      "after",
      `
A worker that dies is started again at its address. Ctrl-C stops everything.

Then, in another terminal, what it says, and:
  octet generate "Once upon a time"
  octet chat`,
    )
    .action(async (flags: UpFlags) => {
      const signal = interruptSignal();
      const httpPort = flags.http ? await chooseHttpPort(flags.httpPort) : undefined;
      const ports = { coordinator: flags.port || undefined, http: httpPort };
      const { cluster, address, index } = await startLocalCluster(flags, ports, signal);
      process.stderr.write(`octet: ${index.modelName} is served at ${address}; Ctrl-C stops it\n`);
      const http = httpPort === undefined ? undefined : `http://127.0.0.1:${httpPort}`;
      if (http !== undefined) process.stderr.write(httpExample(http, index.modelName));
      if (flags.json) {
        const members = cluster.members.map((m) => ({
          name: m.name,
          pid: m.pid,
          address: m.address,
          device: m.device,
          weightBytes: m.weightBytes,
          residentBytes: m.residentBytes,
          uptimeMs: m.uptimeMs,
        }));
        const facts = { model: index.modelName, address, http, members };
        process.stdout.write(`${JSON.stringify(facts)}\n`);
      }
      const interrupted = new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      try {
        await Promise.race([interrupted, cluster.failed]);
        process.stderr.write("\noctet: stopping\n");
      } finally {
        await cluster.stop();
      }
    });
}

/** @param asked 0 is any; undefined is the usual one, if nobody has it */
async function chooseHttpPort(asked: number | undefined): Promise<number> {
  if (asked !== undefined && asked !== 0) return asked;
  if (asked === undefined && (await isPortFree(httpPortDefault))) return httpPortDefault;
  const [free] = await findFreePorts(1);
  return free!;
}

/** A command that can be copied as it is. */
function httpExample(url: string, model: string): string {
  const body = JSON.stringify({
    model,
    messages: [{ role: "user", content: "Hello! How are you?" }],
  });
  return (
    `octet: for OpenAI's clients the base URL is ${url}/v1; for example\n` +
    `  curl ${url}/v1/chat/completions -H 'content-type: application/json' \\\n    -d '${body}'\n`
  );
}
