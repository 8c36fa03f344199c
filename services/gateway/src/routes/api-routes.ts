// Every path that clients of a model call.
import { createRequire } from "node:module";
import type { FastifyInstance } from "fastify";
import { stoppingError } from "../answers/answer-limit.ts";
import { type AnswerContext, serveAnswers } from "../answers/serve-answers.ts";
import { ApiError } from "../http/api-error.ts";
import { clientGoneSignal } from "../http/client-gone.ts";
import type { Coordinators } from "../upstream/coordinators.ts";
import { planChatCompletion } from "./chat-completions.ts";
import { toClusterBody } from "./cluster.ts";
import { planCompletion } from "./completions.ts";
import { addDocsRoutes } from "./docs-routes.ts";
import { toModelBody } from "./models.ts";
import { applyTemplate, detokenize, tokenize } from "./tokens.ts";

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

/** What the paths answer with. */
export interface ApiContext extends AnswerContext {
  readonly coordinators: Coordinators;
}

/** Adds them to `app`. */
export function addApiRoutes(app: FastifyInstance, context: ApiContext): void {
  const { coordinators, config } = context;
  const strict = config.OCTET_STRICT;
  addHealthRoutes(app, context);
  addModelRoutes(app, coordinators);
  addDocsRoutes(app, version);

  app.post("/v1/chat/completions", async (request, reply) => {
    const plan = planChatCompletion(request.body, coordinators, { strict });
    await serveAnswers(plan, context, reply);
    return reply;
  });
  app.post("/v1/completions", async (request, reply) => {
    const signal = clientGoneSignal(reply.raw);
    const plan = await planCompletion(request.body, coordinators, { strict, signal });
    await serveAnswers(plan, context, reply);
    return reply;
  });
  app.post("/v1/fim/completions", async () => {
    const message = "this model was not taught to fill in the middle; use /v1/completions";
    throw new ApiError("not_supported", message);
  });

  const tokenRoutes = { "/tokenize": tokenize, "/detokenize": detokenize } as const;
  for (const [path, answer] of Object.entries({
    ...tokenRoutes,
    "/apply-template": applyTemplate,
  })) {
    app.post(path, (request, reply) =>
      answer(request.body, coordinators, { strict, signal: clientGoneSignal(reply.raw) }),
    );
  }
}

function addHealthRoutes(app: FastifyInstance, { coordinators, limit }: ApiContext): void {
  app.get("/livez", async () => ({ status: "ok" }));
  for (const path of ["/readyz", "/health"]) {
    app.get(path, async () => {
      if (limit.isClosing) throw stoppingError();
      if (coordinators.isReady) return { status: "ok" };
      throw new ApiError("model_loading", "no coordinator is ready: loading, or without an expert");
    });
  }
  app.get("/v1/cluster", async () => ({
    object: "list",
    data: (await coordinators.states()).map(toClusterBody),
  }));
  app.get("/version", async () => ({ version }));
}

function addModelRoutes(app: FastifyInstance, coordinators: Coordinators): void {
  const created = Math.floor(Date.now() / 1000);
  app.get("/v1/models", async () => ({
    object: "list",
    data: coordinators.models.map((model) => toModelBody(model, created)),
  }));
  // A model's name may have slashes in it.
  app.get<{ Params: { "*": string } }>("/v1/models/*", async ({ params }) =>
    toModelBody(coordinators.model(params["*"]), created),
  );
}
