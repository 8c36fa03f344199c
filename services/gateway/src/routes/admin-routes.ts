// What an operator asks, on a port of its own: no client of the model needs it.
import type { FastifyInstance } from "fastify";
import type { GatewayMetrics } from "../metrics/gateway-metrics.ts";

/** Adds /metrics and /livez. */
export function addAdminRoutes(app: FastifyInstance, metrics: GatewayMetrics): void {
  app.get("/livez", async () => ({ status: "ok" }));
  app.get("/metrics", async (_request, reply) => {
    const { body, contentType } = await metrics.text();
    return reply.header("content-type", contentType).send(body);
  });
}
