// grpc.health.v1 for every gRPC client: Check, Watch and List.
import type { Server } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import type { Health } from "./health.ts";

/** Has `server` answer as `health` says. */
export function addHealth(server: Server, health: Health): void {
  const implementation = new HealthImplementation();
  health.follow((name, isServing) => {
    implementation.setStatus(name, isServing ? "SERVING" : "NOT_SERVING");
  });
  implementation.addToServer(server);
}
