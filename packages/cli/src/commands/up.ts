// octet up: a whole cluster on this machine until Ctrl-C.
import type { Command } from "commander";
import { interruptSignal } from "../interrupt.ts";
import {
  addClusterFlags,
  type ClusterFlags,
  startLocalCluster,
} from "../local-cluster/cluster-flags.ts";
import { parseWhole } from "../sampling-flags.ts";

interface UpFlags extends ClusterFlags {
  readonly port: number;
  readonly json?: boolean;
}

/** Adds `octet up` to the program. */
export function addUpCommand(program: Command): void {
  const command = program
    .command("up")
    .description("start a coordinator and one worker for each expert on this machine")
    .option("--port <n>", "the coordinator's; 0 for any free one", parseWhole, 50_050)
    .option("--json", "print one JSON object on standard output when the cluster is ready");
  addClusterFlags(command)
    .addHelpText(
      "after",
      `
A worker that dies is started again at its address. Ctrl-C stops everything.

Then, in another terminal:
  octet generate "Once upon a time"
  octet chat`,
    )
    .action(async (flags: UpFlags) => {
      const signal = interruptSignal();
      const started = await startLocalCluster(flags, flags.port || undefined, signal);
      const { cluster, address, index } = started;
      process.stderr.write(`octet: ${index.modelName} is served at ${address}; Ctrl-C stops it\n`);
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
        process.stdout.write(`${JSON.stringify({ model: index.modelName, address, members })}\n`);
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
