// octet shard: a checkpoint becomes one shard for the coordinator and one for each expert.
import { shardCheckpoint } from "@octet/checkpoint";
import { type WeightDtype, weightDtypes } from "@octet/core";
import { type Command, Option } from "commander";
import { interruptSignal } from "../interrupt.ts";
import { userPath } from "../model-folder.ts";
import { createShardDisplay } from "../shard-display.ts";

interface ShardFlags {
  readonly out: string;
  readonly dtype: WeightDtype;
  readonly name?: string;
  readonly json?: boolean;
}

/** Adds `octet shard` to the program. */
export function addShardCommand(program: Command): void {
  program
    .command("shard")
    .description("turn a Hugging Face Mixtral checkpoint into shards, one a service")
    .argument("<source>", "folder with config.json and safetensors files")
    .requiredOption("--out <dir>", "where the shards go; made if missing")
    .addOption(
      new Option("--dtype <dtype>", "how matrices are stored")
        .choices(weightDtypes)
        .default("bf16"),
    )
    .option("--name <name>", "the model's name for clients (default: the source folder's name)")
    .option("--json", "print the report as JSON on standard output")
    .addHelpText(
      "after",
      `
f32 keeps the published numbers, f16 those of an f16 checkpoint and bf16 those of a bf16 one; q8 and q4
take a little more than 8 and 4 bits a weight.
An interrupted run is taken up where it stopped by the same command. Memory stays below 1.5 GB
whatever the model's size.

Example:
  octet shard ./Mixtral-8x7B-Instruct-v0.1 --out ./mixtral-q8 --dtype q8`,
    )
    .action(async (source: string, flags: ShardFlags) => {
      const display = createShardDisplay(process.stderr, `sharding to ${flags.dtype}`);
      const signal = interruptSignal();
      try {
        const report = await shardCheckpoint({
          sourceDir: userPath(source),
          outDir: userPath(flags.out),
          weightDtype: flags.dtype,
          signal,
          onProgress: (progress) => display.update(progress.doneBytes, progress.totalBytes),
          ...(flags.name === undefined ? {} : { modelName: flags.name }),
        });
        display.finish();
        if (flags.json) process.stdout.write(`${JSON.stringify(report)}\n`);
        else process.stderr.write(`octet: wrote ${userPath(flags.out)}\n`);
      } finally {
        display.finish();
        if (signal.aborted) {
          process.stderr.write("octet: the same command goes on where this one stopped\n");
        }
      }
    });
}
