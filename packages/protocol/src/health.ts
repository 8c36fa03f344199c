// grpc.health.v1: whether a process lives, and whether it is ready for work.
import type { Server } from "@grpc/grpc-js";
import { HealthImplementation, type ServingStatus } from "grpc-health-check";
import {
  HealthCheckResponse_ServingStatus,
  Health as HealthService,
} from "./gen/grpc/health/v1/health_pb.ts";
import { type CallBounds, type ClientOptions, createClient } from "./grpc-client.ts";

/** The health name that follows readiness; "" is whether the process lives. */
export const readinessName = "readiness";

/** The switches behind a server's health service. */
export interface Health {
  /** What "readiness" and every service's full name answer. False at first. */
  setReady(ready: boolean): void;
  /** What "" answers. True at first; false once the process is ending. */
  setLive(live: boolean): void;
}

/** Has `server` answer grpc.health.v1 for itself, its readiness and `serviceNames`. */
export function addHealth(server: Server, serviceNames: readonly string[]): Health {
  const implementation = new HealthImplementation();
  const health: Health = {
    setReady: (ready) => {
      for (const name of [readinessName, ...serviceNames]) {
        implementation.setStatus(name, toServingStatus(ready));
      }
    },
    setLive: (live) => implementation.setStatus("", toServingStatus(live)),
  };
  health.setLive(true);
  health.setReady(false);
  implementation.addToServer(server);
  return health;
}

/**
 * Asks a server how it is.
 *
 * @param name "", "readiness" or a service's full name
 * @returns whether it says SERVING
 * @throws grpc-js's ServiceError: UNAVAILABLE, DEADLINE_EXCEEDED, or NOT_FOUND for another name
 */
export async function checkHealth(
  address: string,
  name: string,
  options: CallBounds & ClientOptions,
): Promise<boolean> {
  const client = createClient(HealthService, address, options);
  try {
    const answer = await client.check({ service: name }, options);
    return answer.status === HealthCheckResponse_ServingStatus.SERVING;
  } finally {
    client.close();
  }
}

function toServingStatus(serving: boolean): ServingStatus {
  return serving ? "SERVING" : "NOT_SERVING";
}
