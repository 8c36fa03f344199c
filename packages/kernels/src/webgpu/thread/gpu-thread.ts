// The GPU thread: it owns the process's one device and answers for every engine on it.
//
// It is a thread of its own because Dawn polls without rest while it waits for a device.
import { setTimeout as wait } from "node:timers/promises";
import { parentPort } from "node:worker_threads";
import { loadDawn } from "../device/adapter.ts";
import { zeroCounts } from "../device/counts.ts";
import { DeviceSource } from "../device/device-source.ts";
import { loaderOf } from "./hosted-engines.ts";
import {
  type OpenedFacts,
  type OpenRequest,
  type ThreadCounts,
  type ThreadMessage,
  type ThreadRequest,
  toPlainFailure,
} from "./protocol.ts";
import { type Answer, RecoveringEngine } from "./recovering-engine.ts";

/** A driver that was reset is back within seconds, or not at all. */
const retryDelaysMs = [0, 250, 1000, 4000, 16_000];

const port = parentPort!; // this file is only ever run as a thread
const engines = new Map<number, RecoveringEngine>();
const underWay = new Set<Promise<Answer>>();
let source: Promise<DeviceSource> | undefined;

port.on("message", (request: ThreadRequest) => {
  if (request.kind === "stop") {
    void stop(request.stopped);
    return;
  }
  const { callId } = request;
  const answered = answer(request);
  underWay.add(answered);
  answered
    .finally(() => underWay.delete(answered))
    .then(
      ({ body, transfer }) => send({ kind: "answer", callId, body }, transfer),
      (error: unknown) => send({ kind: "failure", callId, failure: toPlainFailure(error) }),
    );
});

function send(message: ThreadMessage, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

async function answer(request: Exclude<ThreadRequest, { kind: "stop" }>): Promise<Answer> {
  switch (request.kind) {
    case "open":
      return plain(await open(request.engineId, request.request));
    case "call":
      return engines.get(request.engineId)!.call(request.body); // proxies call what they opened
    case "close":
      await engines.get(request.engineId)?.close();
      engines.delete(request.engineId);
      return plain(undefined);
    case "counts":
      return plain(await counts());
    case "destroy-device":
      await (await source)?.destroy();
      return plain(undefined);
  }
}

async function open(engineId: number, request: OpenRequest): Promise<OpenedFacts> {
  source ??= loadDawn(request).then((gpu) => new DeviceSource(gpu));
  const opened = await RecoveringEngine.open({
    source: await source,
    load: loaderOf(request),
    allowSoftwareAdapter: request.allowSoftwareAdapter,
    report: (change) => send({ kind: "device", engineId, change }),
    onProgress: (progress) => send({ kind: "kernels", engineId, progress }),
    retryDelaysMs,
    wait,
  });
  engines.set(engineId, opened.engine);
  const { device, weightBytes, notes } = opened;
  return { device: `webgpu ${device}`, weightBytes, notes };
}

async function counts(): Promise<ThreadCounts> {
  const device = source === undefined ? undefined : await (await source).get();
  return { counts: { ...(device?.counts ?? zeroCounts()) }, numEngines: engines.size };
}

/** Node aborts if a thread is ended while Dawn calls into it; without a device nothing does. */
async function stop(stopped: Int32Array<SharedArrayBuffer>): Promise<void> {
  for (const engine of engines.values()) engine.abandon();
  const opened = await source?.catch(() => undefined);
  await opened?.destroy();
  await Promise.allSettled(underWay);
  Atomics.store(stopped, 0, 1);
  Atomics.notify(stopped, 0);
}

function plain(body: unknown): Answer {
  return { body, transfer: [] };
}
