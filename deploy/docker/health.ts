// A container's health check: exit 0 if the service says it is ready, else 1 and the reason.
// Usage: node deploy/docker/health.ts PORT [PATH]; with a path by HTTP, else by grpc.health.v1
//
// `octet health` asks the same. This one is Node alone, without the libraries, since nine containers
// run it all day: it takes a tenth of the time to start.
import { get } from "node:http";
import { connect } from "node:http2";

/** Less than the health check's own timeout, so that the reason is said. */
const timeoutMs = 5_000;
/** NOT_SERVING is 2; 0 and 3 are unknown. */
const serving = 1;

const port = Number(process.argv[2]);
if (!Number.isInteger(port)) end("expected a port as the first argument");
const path = process.argv[3];
setTimeout(() => end(`no answer within ${timeoutMs} ms`), timeoutMs);
if (path === undefined) askByGrpc();
else askByHttp(path);

function askByHttp(path: string): void {
  const request = get({ host: "127.0.0.1", port, path }, ({ statusCode }) => {
    end(statusCode === 200 ? undefined : `HTTP status ${statusCode}`);
  });
  request.on("error", (error) => end(error.message));
}

function askByGrpc(): void {
  // HealthCheckRequest { service: "readiness" }: field 1, in a gRPC frame that is not compressed.
  const service = Buffer.from("readiness");
  const message = Buffer.concat([Buffer.from([0x0a, service.length]), service]);
  const frameHead = Buffer.from([0, 0, 0, 0, message.length]);

  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", (error) => end(error.message));
  const call = session.request({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    "content-type": "application/grpc",
    te: "trailers",
  });
  let grpcStatus: unknown = "missing";
  const chunks: Buffer[] = [];
  call.on("response", (headers) => {
    // An answer without a message has its status in the headers.
    grpcStatus = headers["grpc-status"] ?? grpcStatus;
  });
  call.on("trailers", (trailers) => {
    grpcStatus = trailers["grpc-status"];
  });
  call.on("data", (chunk: Buffer) => chunks.push(chunk));
  call.on("error", (error) => end(error.message));
  call.on("end", () => {
    if (Number(grpcStatus) !== 0) end(`gRPC status ${String(grpcStatus)}`);
    // HealthCheckResponse { status }: field 1, a varint of one byte.
    const [tag, status] = Buffer.concat(chunks).subarray(frameHead.length);
    end(tag === 0x08 && status === serving ? undefined : "not ready");
  });
  call.end(Buffer.concat([frameHead, message]));
}

function end(problem: string | undefined): never {
  process.stdout.write(`${problem ?? "ready"}\n`);
  process.exit(problem === undefined ? 0 : 1);
}
