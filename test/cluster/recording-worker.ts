// A worker that is asked and never answers, for tests of what happens meanwhile.
import { Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import { findFreePorts } from "@octet/cli/free-ports";
import { ExpertService, serverOptions } from "@octet/protocol";
import { addService } from "@octet/protocol/grpc";
import type { TemporaryShards } from "./service-cluster.ts";

/** A worker that holds every expert, answers nothing, and remembers what it was asked. */
export interface RecordingWorker {
  /** OCTET_EXPERTS for a coordinator. */
  readonly placement: string;
  readonly called: Set<bigint>;
  readonly cancelled: Set<bigint>;
  readonly close: () => void;
}

/** Starts one for the experts of a shard set. */
export async function startRecordingWorker({ index }: TemporaryShards): Promise<RecordingWorker> {
  const [port] = await findFreePorts(1);
  const address = `127.0.0.1:${port}`;
  const called = new Set<bigint>();
  const cancelled = new Set<bigint>();
  const { model } = index;
  const server = new Server(serverOptions);
  addService(server, ExpertService, {
    describe: (_call, done) =>
      done(null, {
        ...model,
        workerId: "recording",
        startId: "1",
        expertIds: index.experts.map((_, expertId) => expertId),
        weightDtype: index.weightDtype,
        engineKind: "cpu",
        modelDigest: index.modelDigest,
      }),
    forward: (stream) => {
      stream.sendMetadata(new Metadata());
      stream.on("data", ({ kind }) => {
        if (kind.case === "call") called.add(kind.value.callId);
        if (kind.case === "cancel") for (const id of kind.value.callIds) cancelled.add(id);
      });
      stream.on("end", () => stream.end());
      stream.on("error", () => {});
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  const placement = index.experts.map((_, expertId) => `${expertId}=${address}`).join(",");
  return { placement, called, cancelled, close: () => server.forceShutdown() };
}
