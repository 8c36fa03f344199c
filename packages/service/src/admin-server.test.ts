import { silentLogger } from "@octet/telemetry";
import { expect, test } from "vitest";
import { openAdminServer } from "./admin-server.ts";
import { ConfigError } from "./config.ts";

const open = (listen: string | undefined, allowPlaintext = false) =>
  openAdminServer({ listen, allowPlaintext }, silentLogger);

test("metrics are served, and nothing else", async () => {
  const admin = (await open("127.0.0.1:0"))!;
  admin.metrics.counter({ name: "things_total", help: "Things." }).add(5);
  const at = (path: string, init?: RequestInit) => fetch(`http://${admin.address}${path}`, init);
  const scraped = await at("/metrics");
  expect(scraped.headers.get("content-type")).toContain("text/plain; version=0.0.4");
  expect(await scraped.text()).toContain("octet_things_total 5\n");
  expect((await at("/")).status).toBe(404);
  const posted = await at("/metrics", { method: "POST", body: "x" });
  expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  await expect(open(admin.address)).rejects.toThrow(ConfigError);
  await admin.close();
  await expect(at("/metrics")).rejects.toThrow();
});

test("without an address there is no admin port", async () => {
  expect(await open(undefined)).toBeUndefined();
});

test("beyond this machine only where plaintext is allowed", async () => {
  await expect(open("0.0.0.0:0")).rejects.toThrow(/OCTET_ADMIN_LISTEN=0.0.0.0:0 can be reached/);
  const admin = await open("0.0.0.0:0", true);
  await admin?.close();
});
