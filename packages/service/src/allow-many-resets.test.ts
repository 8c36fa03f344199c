import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { silentLogger } from "@octet/telemetry";
import { expect, test } from "vitest";
import { type OpenedServer, startOnServer } from "./index.ts";

/** Some of those whom Node would close the connection for: 1,000 at once, and 33 a second. */
const numCancelled = 3_000;
const atOnce = 100;

/** A call that stays open, whose first answer is there. */
async function watchHealth(session: ClientHttp2Session): Promise<ClientHttp2Stream> {
  const stream = session.request({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Watch",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.end(Buffer.alloc(5)); // an empty message
  await once(stream, "data");
  return stream;
}

test("who cancels many calls keeps the connection, and the others on it their calls", async () => {
  let server: OpenedServer | undefined;
  await startOnServer(
    { listen: "127.0.0.1:0", services: [], allowPlaintext: false },
    silentLogger,
    async (opened) => {
      server = opened;
      return { stop: () => opened.close(0) };
    },
  );
  const session = connect(`http://${server!.address}`);
  const ends: unknown[] = [];
  session.on("error", (error) => ends.push(error));
  session.on("goaway", (code) => ends.push(code));
  const patient = await watchHealth(session);
  patient.on("close", () => ends.push("the patient call ended"));
  for (let cancelled = 0; cancelled < numCancelled; cancelled += atOnce) {
    const calls = await Promise.all(Array.from({ length: atOnce }, () => watchHealth(session)));
    for (const call of calls) call.close(constants.NGHTTP2_CANCEL);
  }
  await watchHealth(session);
  expect(ends).toEqual([]);
  session.destroy();
  await server!.close(0);
});
