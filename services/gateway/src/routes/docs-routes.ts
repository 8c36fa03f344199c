// The API's description for programs and for people, without a byte from elsewhere.
import { createReadStream } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { FastifyInstance } from "fastify";
import { createOpenApiDocument } from "../openapi/openapi-document.ts";

const assets = {
  "/docs/favicon.png": ["favicon-32x32.png", "image/png"],
  "/docs/swagger-ui.css": ["swagger-ui.css", "text/css; charset=utf-8"],
  "/docs/swagger-ui-bundle.js": ["swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
} as const;

const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Octet's HTTP API</title>
<link rel="icon" href="/docs/favicon.png">
<link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
`;

const start = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", validatorUrl: null });\n`;

/** The page may load from here alone; Swagger UI styles its elements itself. */
const contentSecurityPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "frame-ancestors 'none'";

/** Adds /openapi.json and /docs. */
export function addDocsRoutes(app: FastifyInstance, version: string): void {
  const document = createOpenApiDocument(version);
  app.get("/openapi.json", async () => document);
  app.get("/docs", (_request, reply) =>
    reply
      .header("content-security-policy", contentSecurityPolicy)
      .type("text/html; charset=utf-8")
      .send(page),
  );
  app.get("/docs/start.js", (_request, reply) =>
    reply.type("text/javascript; charset=utf-8").send(start),
  );
  const folder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  for (const [path, [file, type]] of Object.entries(assets)) {
    app.get(path, (_request, reply) => reply.type(type).send(createReadStream(join(folder, file))));
  }
}
