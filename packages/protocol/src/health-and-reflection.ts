import type { DescService } from "@bufbuild/protobuf";
import type { Server } from "@grpc/grpc-js";
import { Health as HealthService } from "./gen/grpc/health/v1/health_pb.ts";
import { addHealth } from "./grpc-health.ts";
import type { Health } from "./health.ts";
import { addReflection } from "./reflection.ts";

/** What every server of ours answers besides `services`: health, and reflection over all of it. */
export function addHealthAndReflection(
  server: Server,
  services: readonly DescService[],
  health: Health,
): void {
  addReflection(server, [...services, HealthService]);
  addHealth(server, health);
}
