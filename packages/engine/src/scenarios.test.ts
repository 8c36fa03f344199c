// Each file in scenarios/: commands, and the trace they must leave. `vitest -u` writes it anew.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { runScenario } from "./fixture/scenario.ts";

const folder = new URL("scenarios/", import.meta.url);

test.each(readdirSync(folder))("scenario %s", async (name) => {
  const file = new URL(name, folder);
  await expect(runScenario(readFileSync(file, "utf8"))).toMatchFileSnapshot(file.pathname);
});
