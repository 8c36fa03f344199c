// Listens, finds the coordinators, serves the API until it is told to stop.
import { setTimeout as delay } from "node:timers/promises";
import cors from "@fastify/cors";
import { splitAddress } from "@octet/protocol";
import { listenFailure, type RunningService, requireListenAddress } from "@octet/service";
import type { Logger } from "@octet/telemetry";
import type { FastifyInstance } from "fastify";
import { AnswerLimit } from "./answers/answer-limit.ts";
import type { GatewayConfig } from "./config.ts";
import { createApp } from "./http/create-app.ts";
import { GatewayMetrics } from "./metrics/gateway-metrics.ts";
import { addAdminRoutes } from "./routes/admin-routes.ts";
import { addApiRoutes } from "./routes/api-routes.ts";
import { Coordinators } from "./upstream/coordinators.ts";

/** Nothing is posted to the admin port. */
const adminBodyBytesMax = 1024;

/** What answers that were cancelled may take to say so, in ms. */
const closeGraceMs = 500;

/**
 * Serves HTTP at once, whether or not a coordinator is there: /readyz says so.
 *
 * @throws {ConfigError} for an address it may not, or cannot, listen on
 */
export async function startGateway(config: GatewayConfig, log: Logger): Promise<RunningService> {
  const { OCTET_LISTEN: listen, OCTET_ALLOW_PLAINTEXT: allowPlaintext } = config;
  requireListenAddress("OCTET_LISTEN", listen, allowPlaintext);
  requireListenAddress("OCTET_ADMIN_LISTEN", config.OCTET_ADMIN_LISTEN, allowPlaintext);
  const limit = new AnswerLimit(config.OCTET_ANSWERS_MAX);
  let address = listen;
  const coordinators = new Coordinators(config.OCTET_COORDINATORS, log, () => {
    if (coordinators.isReady) log.info("ready", { address, ...processFacts() });
    else log.warn("not ready");
  });
  const metrics = new GatewayMetrics(
    {
      answersUnderWay: () => limit.underWay,
      isReady: () => coordinators.isReady && !limit.isClosing,
      clusters: () => coordinators.states(),
    },
    config.OCTET_METRICS_COMPAT,
  );
  const app = createApp(log, { bodyBytesMax: config.OCTET_BODY_BYTES_MAX, observer: metrics });
  const admin = createApp(log, { bodyBytesMax: adminBodyBytesMax });
  if (config.OCTET_CORS_ORIGINS !== undefined) {
    const origins = config.OCTET_CORS_ORIGINS;
    await app.register(cors, {
      origin: origins.includes("*") ? "*" : origins,
      exposedHeaders: ["x-request-id", "x-warnings", "retry-after"],
    });
  }
  addApiRoutes(app, { config, limit, coordinators, metrics });
  addAdminRoutes(admin, metrics);
  try {
    address = await listenOn(app, listen);
    const adminAddress = await listenOn(admin, config.OCTET_ADMIN_LISTEN);
    log.info("listening", { address, adminAddress });
  } catch (error) {
    await app.close();
    await coordinators.close();
    throw error;
  }
  return {
    stop: async () => {
      // It listens on until answers have ended: who comes meanwhile is told to ask elsewhere.
      await Promise.race([limit.drain(), delay(config.OCTET_DRAIN_MS)]);
      limit.cancel();
      const closed = app.close();
      await Promise.race([closed, delay(closeGraceMs)]);
      app.server.closeAllConnections();
      await closed;
      await coordinators.close();
      admin.server.closeAllConnections();
      await admin.close();
    },
  };
}

function processFacts() {
  return {
    residentBytes: process.memoryUsage.rss(),
    uptimeMs: Math.round(process.uptime() * 1000),
  };
}

/** @returns the address, with the real port where 0 was asked for */
async function listenOn(app: FastifyInstance, address: string): Promise<string> {
  const { host, port } = splitAddress(address);
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw listenFailure(address, error as Error);
  }
  const bound = app.server.address();
  const boundPort = typeof bound === "object" && bound !== null ? bound.port : port;
  return `${address.slice(0, address.lastIndexOf(":"))}:${boundPort}`;
}
