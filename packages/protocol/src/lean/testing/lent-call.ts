// A call to a lean server whose socket the server can lend.
import type { LeanStream } from "../lean-stream.ts";
import { HeldSockets } from "./held-sockets.ts";
import { Heard, TestedServer } from "./lean-pair.ts";
import { callFrame, RawClient } from "./raw-client.ts";

/** Both ends of stream 1, which the server has accepted. */
export interface LendableCall extends AsyncDisposable {
  readonly server: TestedServer;
  readonly client: RawClient;
  readonly stream: LeanStream;
  /** What the server hears. */
  readonly heard: Heard;
  /** Whom it lends to. */
  readonly borrower: HeldSockets;
}

/** Opens one; nothing is lent yet. */
export async function openCall(): Promise<LendableCall> {
  const taken = Promise.withResolvers<{ stream: LeanStream; heard: Heard }>();
  const server = await TestedServer.start((stream) => {
    const heard = new Heard();
    stream.accept();
    taken.resolve({ stream, heard });
    return heard;
  });
  const client = new RawClient(server.port);
  client.socket.write(callFrame(1));
  const served = await taken.promise;
  await client.untilHeard();
  const dispose = async () => {
    client[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  };
  return {
    ...served,
    server,
    client,
    borrower: new HeldSockets(),
    [Symbol.asyncDispose]: dispose,
  };
}

/** The same, lent. */
export async function lendCall(): Promise<LendableCall> {
  const call = await openCall();
  if (!call.stream.lend(call.borrower)) throw new Error("a quiet call's socket is not lent");
  return call;
}
