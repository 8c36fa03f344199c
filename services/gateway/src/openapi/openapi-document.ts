// The API's description, made of the same schemas that requests are checked with.
import { z } from "zod";
import { chatCompletionBody } from "../routes/chat-completions.ts";
import { completionBody } from "../routes/completions.ts";
import { applyTemplateBody, detokenizeBody, tokenizeBody } from "../routes/tokens.ts";

/** What is said of each path that has a body. */
const posts = {
  "/v1/chat/completions": {
    id: "createChatCompletion",
    summary: "A conversation goes on.",
    body: chatCompletionBody,
    streams: true,
  },
  "/v1/completions": {
    id: "createCompletion",
    summary: "A text goes on.",
    body: completionBody,
    streams: true,
  },
  "/tokenize": {
    id: "tokenize",
    summary: "Text or messages to token ids.",
    body: tokenizeBody,
    streams: false,
  },
  "/detokenize": {
    id: "detokenize",
    summary: "Token ids to text, control tokens left out.",
    body: detokenizeBody,
    streams: false,
  },
  "/apply-template": {
    id: "applyTemplate",
    summary: "What the model sees of a conversation.",
    body: applyTemplateBody,
    streams: false,
  },
} as const;

/** And of those that have none. */
const gets = {
  "/v1/models": { id: "listModels", summary: "The models that are served.", statuses: [200] },
  "/v1/cluster": { id: "getCluster", summary: "How the clusters are now.", statuses: [200] },
  "/livez": { id: "live", summary: "Whether the process runs.", statuses: [200] },
  "/readyz": { id: "ready", summary: "Whether a coordinator is ready.", statuses: [200, 503] },
  "/health": { id: "health", summary: "Another name for /readyz.", statuses: [200, 503] },
  "/version": { id: "version", summary: "The gateway's version.", statuses: [200] },
} as const;

/** Statuses that any request with a body may get. */
const failures = [400, 404, 405, 408, 413, 415, 500, 503, 504] as const;

const whyOf: Readonly<Record<number, string>> = {
  200: "Answered.",
  400: "The request is wrong; `param` and `message` say what.",
  404: "No such model.",
  405: "Another method is served here.",
  408: "The request did not come in time.",
  413: "The body is too large.",
  415: "The body is not application/json.",
  500: "A bug; the gateway's log has it.",
  503: "Not now: overloaded, loading, or an expert is away. Retry-After says when to ask again.",
  504: "The answer took too long.",
};

const errorBody = z.object({
  object: z.literal("error"),
  message: z.string(),
  type: z.string(),
  param: z.string().nullable(),
  code: z.string(),
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string(),
  }),
});

/** An OpenAPI 3.1 document. @param version the gateway's */
export function createOpenApiDocument(version: string) {
  const postPaths = Object.entries(posts).map(([path, post]) => [path, { post: describe(post) }]);
  const getPaths = Object.entries(gets).map(([path, { id, summary, statuses }]) => [
    path,
    { get: { operationId: id, summary, responses: responsesOf([...statuses, 405]) } },
  ]);
  const modelPath = {
    get: {
      operationId: "getModel",
      summary: "One model.",
      parameters: [{ name: "model", in: "path", required: true, schema: { type: "string" } }],
      responses: responsesOf([200, 400, 404, 405, 503]),
    },
  };
  return {
    openapi: "3.1.0",
    info: {
      title: "Octet",
      version,
      description: "Mixtral models, by OpenAI's API and what vLLM and Mistral add to it.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    paths: Object.fromEntries([...postPaths, ...getPaths, ["/v1/models/{model}", modelPath]]),
    components: { schemas: { Error: toSchema(errorBody) } },
  };
}

function describe(post: (typeof posts)[keyof typeof posts]) {
  return {
    operationId: post.id,
    summary: post.summary,
    requestBody: {
      required: true,
      content: { "application/json": { schema: toSchema(post.body) } },
    },
    responses: responsesOf([200, ...failures], post.streams),
  };
}

function responsesOf(statuses: readonly number[], streams = false) {
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      {
        description: whyOf[status]!,
        content:
          status === 200
            ? {
                "application/json": { schema: { type: "object" } },
                ...(streams ? { "text/event-stream": {} } : {}),
              }
            : { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
      },
    ]),
  );
}

/** What is not described is accepted, and warned of. */
function toSchema(schema: z.ZodType): object {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: "input" });
  return described;
}
