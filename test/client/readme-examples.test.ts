// The README's examples as a reader would run them: each a program, against a real cluster.
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundledModelDir } from "../cluster/service-cluster.ts";
import { type SmallCluster, startSmallCluster } from "../cluster/small-cluster.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
/** Inside the workspace, where the client's name means something. */
const folder = join(root, "test/client/build");
const addressInReadme = "127.0.0.1:50050";

let cluster: SmallCluster;
const examples: string[] = [];

beforeAll(async () => {
  cluster = await startSmallCluster({ sourceDir: bundledModelDir });
  const readme = await readFile(join(root, "packages/client/README.md"), "utf8");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [, code] of readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)) {
    const path = join(folder, `example-${examples.length + 1}.ts`);
    await writeFile(path, code!.replaceAll(addressInReadme, cluster.address));
    examples.push(path);
  }
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await cluster?.[Symbol.asyncDispose]();
});

test("the README has examples, and their types are right", async () => {
  expect(examples.length).toBeGreaterThanOrEqual(3);
  const config = join(folder, "tsconfig.json");
  await writeFile(
    config,
    JSON.stringify({ extends: "../../../tsconfig.json", include: ["*.ts"], exclude: [] }),
  );
  await run("tsc", ["-p", config]);
}, 60_000);

test("every example runs, says something, and ends by itself", async () => {
  const outputs: string[] = [];
  for (const path of examples) {
    const { stdout, stderr } = await run(process.execPath, [path], { timeout: 25_000 });
    expect(stderr).toBe("");
    outputs.push(stdout);
  }
  expect(outputs[0]).toContain("40 tokens");
  expect(outputs[1]).toContain("Once upon a time");
  expect(outputs[2]!.match(/^9 /gm)).toHaveLength(3);
  expect(outputs[2]).toMatch(/^look_up \{[\s\S]*"word"[\s\S]*(owl|fox)[\s\S]*\}$/m);
  expect(outputs[3]).toMatch(/^mend the request: invalid_parameter sampling.top_p .*0 < topP <= 1/);
}, 60_000);
