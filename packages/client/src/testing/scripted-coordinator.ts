// A coordinator that answers by a script: a real gRPC server on a loopback port.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type ServerWritableStream } from "@grpc/grpc-js";
import {
  type GenerateRequest,
  type GenerateResponseSchema,
  InferenceService,
  serverOptions,
} from "@octet/protocol";
import { addService, type Handlers } from "@octet/protocol/grpc";

/** A Generate call as the script sees it. */
export type GenerateCall = ServerWritableStream<
  GenerateRequest,
  MessageInitShape<typeof GenerateResponseSchema>
>;

/** A server under the test's control. */
export interface ScriptedCoordinator extends AsyncDisposable {
  readonly address: string;
  /** Every Generate request that came. */
  readonly requests: readonly GenerateRequest[];
}

/**
 * @param script answers the calls of Generate; `attempt` counts from 0
 * @param others other handlers; those left out answer UNIMPLEMENTED
 */
export async function serveScript(
  script: (call: GenerateCall, attempt: number) => void,
  others: Partial<Handlers<typeof InferenceService>> = {},
  port = 0,
): Promise<ScriptedCoordinator> {
  const requests: GenerateRequest[] = [];
  const server = new Server(serverOptions);
  const handlers: Partial<Handlers<typeof InferenceService>> = {
    ...others,
    generate: (call) => {
      call.on("error", () => {});
      requests.push(call.request);
      script(call, requests.length - 1);
    },
  };
  // What has no handler grpc-js answers with UNIMPLEMENTED.
  addService(server, InferenceService, handlers as Handlers<typeof InferenceService>);
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, found) =>
      error === null ? resolve(found) : reject(error),
    ),
  );
  return {
    address: `127.0.0.1:${bound}`,
    requests,
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  };
}

/** Ends a call with a status. */
export function fail(call: GenerateCall, code: number, details = "as scripted"): void {
  call.emit("error", { code, details });
}
