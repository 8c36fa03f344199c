// octet serve: one service in this process. Its settings are environment variables; flags set them.
import { pathToFileURL } from "node:url";
import { type Command, Option } from "commander";
import { addGpuFlags, engineKinds } from "../engine-flags.ts";
import { type ServiceName, serviceMain } from "../local-cluster/service-process.ts";
import { userPath } from "../model-folder.ts";
import { speculationOption } from "../speculation-flag.ts";

/** Adds `octet serve coordinator`, `octet serve expert-worker` and `octet serve gateway`. */
export function addServeCommand(program: Command): void {
  const serve = program
    .command("serve")
    .description("run one service of a cluster in the foreground, logging JSON to standard error");

  const worker = serve
    .command("expert-worker")
    .description("serve the experts of one shard")
    .requiredOption("--shard <dir>", "expert shard made by octet shard (OCTET_SHARD_DIR)")
    .option("--worker-id <id>", "name in logs and answers (OCTET_WORKER_ID; default expert-N)");
  addSharedOptions(worker, "127.0.0.1:50051").action((flags: Record<string, string>) =>
    start("expert-worker", flags),
  );

  const coordinator = serve
    .command("coordinator")
    .description("serve a model whose experts are elsewhere")
    .requiredOption("--shard <dir>", "coordinator shard made by octet shard (OCTET_SHARD_DIR)")
    .requiredOption(
      "--experts <placement>",
      "where experts are: 0=host:port,1=host:port,... (OCTET_EXPERTS)",
    )
    .option(
      "--worker-engines <kinds>",
      "engine kinds that workers may have: cpu,webgpu (OCTET_WORKER_ENGINES; default: its own)",
    )
    .option("--kv-tokens <n>", "tokens of KV cache to allocate (OCTET_KV_TOKENS)")
    .addOption(speculationOption())
    .option("--expert-deadline-ms <ms>", "longest one expert call may take, besides 100 ms a row");
  addSharedOptions(coordinator, "127.0.0.1:50050").action((flags: Record<string, string>) =>
    start("coordinator", flags),
  );
  addGatewayCommand(serve);
}

function addGatewayCommand(serve: Command): void {
  const gateway = serve
    .command("gateway")
    .description("serve HTTP, as OpenAI's clients expect it, for coordinators elsewhere")
    .option(
      "--coordinators <addresses>",
      "host:port,... to ask (OCTET_COORDINATORS; default 127.0.0.1:50050)",
    )
    .option("--listen <address>", "host:port for HTTP (OCTET_LISTEN; default 127.0.0.1:8000)")
    .option("--admin-listen <address>", "for metrics (OCTET_ADMIN_LISTEN; default 127.0.0.1:8001)")
    .option("--strict", "refuse parameters that are not known (OCTET_STRICT)")
    .option("--cors-origins <origins>", "whose web pages may call; * is any (OCTET_CORS_ORIGINS)");
  addProcessOptions(gateway).action((flags: Record<string, string>) => start("gateway", flags));
}

function addSharedOptions(command: Command, listen: string): Command {
  return addProcessOptions(addGpuFlags(command))
    .option("--listen <address>", `host:port to listen on (OCTET_LISTEN; default ${listen})`)
    .addOption(
      new Option("--engine <kind>", "what computes (OCTET_ENGINE; default cpu)").choices(
        engineKinds,
      ),
    )
    .option("--threads <n>", "compute threads (OCTET_THREADS; default: all cores)")
    .option("--no-verify", "start without checking the shard's SHA-256 (OCTET_VERIFY)");
}

function addProcessOptions(command: Command): Command {
  return command
    .option("--allow-plaintext", "listen beyond this machine without TLS, on a trusted network")
    .addOption(
      new Option("--log-level <level>", "least level logged (OCTET_LOG_LEVEL)").choices([
        "debug",
        "info",
        "warn",
        "error",
      ]),
    );
}

const settingOfFlag: Record<string, string> = {
  shard: "OCTET_SHARD_DIR",
  workerId: "OCTET_WORKER_ID",
  experts: "OCTET_EXPERTS",
  workerEngines: "OCTET_WORKER_ENGINES",
  kvTokens: "OCTET_KV_TOKENS",
  speculation: "OCTET_SPECULATION",
  expertDeadlineMs: "OCTET_EXPERT_DEADLINE_MS",
  coordinators: "OCTET_COORDINATORS",
  adminListen: "OCTET_ADMIN_LISTEN",
  strict: "OCTET_STRICT",
  corsOrigins: "OCTET_CORS_ORIGINS",
  listen: "OCTET_LISTEN",
  engine: "OCTET_ENGINE",
  threads: "OCTET_THREADS",
  gpuAdapter: "OCTET_GPU_ADAPTER",
  allowSoftwareGpu: "OCTET_ALLOW_SOFTWARE_GPU",
  allowPlaintext: "OCTET_ALLOW_PLAINTEXT",
  logLevel: "OCTET_LOG_LEVEL",
};

async function start(
  service: ServiceName,
  flags: Readonly<Record<string, string | boolean>>,
): Promise<void> {
  for (const [flag, value] of Object.entries(flags)) {
    const name = settingOfFlag[flag];
    if (name === undefined) continue;
    process.env[name] = flag === "shard" ? userPath(String(value)) : String(value);
  }
  if (flags.verify === false) process.env.OCTET_VERIFY = "false";
  await import(pathToFileURL(serviceMain(service)).href);
}
