// Follows a service's readiness, so that none of its changes is missed.
import { readinessName } from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";
import {
  HealthCheckResponse_ServingStatus,
  Health as HealthService,
} from "../../packages/protocol/src/gen/grpc/health/v1/health_pb.ts";

/** Every answer so far, the first one being how it was at first. */
export interface ReadinessWatch {
  readonly wasReady: readonly boolean[];
  stop(): void;
}

/** @param address host:port of a service that runs */
export function watchReadiness(address: string): ReadinessWatch {
  const wasReady: boolean[] = [];
  const client = createClient(HealthService, address);
  const call = client.watch({ service: readinessName }, { deadlineMs: 120_000 });
  call.on("data", ({ status }) => {
    wasReady.push(status === HealthCheckResponse_ServingStatus.SERVING);
  });
  call.on("error", () => {}); // its own end, or the service's
  return { wasReady, stop: () => client.close() };
}
