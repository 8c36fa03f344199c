import { createServer } from "node:net";
import { checkHealth, ExpertService } from "@octet/protocol";
import { silentLogger } from "@octet/telemetry";
import { expect, test } from "vitest";
import { ConfigError, type OpenedServer, startOnServer } from "./index.ts";

const services = [ExpertService];
const bounds = { deadlineMs: 5_000 };

/** Starts on `listen`, doing nothing, and hands back what was opened. */
async function open(listen: string, allowPlaintext = false): Promise<OpenedServer> {
  let kept: OpenedServer | undefined;
  await startOnServer({ listen, services, allowPlaintext }, silentLogger, async (opened) => {
    kept = opened;
    return { stop: () => opened.close(0) };
  });
  return kept!;
}

test("an address that others can reach is refused unless plaintext is allowed", async () => {
  await expect(open("0.0.0.0:0")).rejects.toThrow(ConfigError);
  await expect(open("0.0.0.0:0")).rejects.toThrow("OCTET_ALLOW_PLAINTEXT=true");
  const opened = await open("0.0.0.0:0", true);
  await opened.close(0);
});

test("it lives at once and is ready when it says so", async () => {
  const { address, health, close } = await open("127.0.0.1:0");
  expect(address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
  expect(await checkHealth(address, "", bounds)).toBe(true);
  expect(await checkHealth(address, "readiness", bounds)).toBe(false);
  health.setReady(true);
  expect(await checkHealth(address, "readiness", bounds)).toBe(true);
  await close(0);
});

test("a port in use is a clear refusal", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as { port: number };
  await expect(open(`127.0.0.1:${port}`)).rejects.toThrow(/cannot listen on .*another process/);
  other.close();
});

test("nothing listens any more after a start that failed", async () => {
  let address = "";
  const started = startOnServer(
    { listen: "127.0.0.1:0", services, allowPlaintext: false },
    silentLogger,
    async (opened) => {
      address = opened.address;
      throw new Error("no shard");
    },
  );
  await expect(started).rejects.toThrow("no shard");
  await expect(checkHealth(address, "", bounds)).rejects.toThrow();
});
