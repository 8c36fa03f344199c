import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchDirectory } from "../../conformance/scratch-directory.ts";
import type { MultiplyTuning } from "../multiply.ts";
import { cacheFolder } from "./cache-folder.ts";
import { adapterFileName, type DeviceIdentity, hashShaders } from "./device-identity.ts";
import { readTuning, writeTuning } from "./tuning-cache.ts";

const newPath = scratchDirectory();
const identity: DeviceIdentity = {
  adapter: { vendor: "amd", architecture: "rdna-3", device: "7900 xtx" },
  driver: "radv 25.1",
  backend: "vulkan",
  webgpu: "0.6.2",
  shaders: hashShaders(["a", "b"]),
};
const choice: MultiplyTuning = { dots: "plain", fewRows: [1, 8], tileRows: [32, 128] };
const choices = new Map([["multiply q4 64x96", choice]]);

test("what was written is read again, and nothing else is left in the folder", async () => {
  const folder = join(newPath(), "not there yet");
  expect(await readTuning(folder, identity)).toEqual({ choices: new Map(), ignored: undefined });
  const path = await writeTuning(folder, identity, choices);
  expect(await readTuning(folder, identity)).toEqual({ choices, ignored: undefined });
  await Promise.all(Array.from({ length: 8 }, () => writeTuning(folder, identity, choices)));
  expect(await readTuning(folder, identity)).toEqual({ choices, ignored: undefined });
  expect((await readdir(folder)).map((name) => join(folder, name))).toEqual([path]);
});

test.each<[string, Partial<DeviceIdentity>]>([
  ["driver", { driver: "radv 25.2" }],
  ["backend", { backend: "d3d12" }],
  ["webgpu", { webgpu: "0.7.0" }],
  ["shaders", { shaders: hashShaders(["a", "b "]) }],
])("a file of another %s is ignored in one line, and written anew", async (name, other) => {
  const folder = newPath();
  await writeTuning(folder, identity, choices);
  const now = { ...identity, ...other };
  const { choices: found, ignored } = await readTuning(folder, now);
  expect(found.size).toBe(0);
  expect(ignored).toMatch(new RegExp(`: ${name} was .*, is `));
  expect(ignored).not.toContain("\n");
  await writeTuning(folder, now, choices);
  expect(await readTuning(folder, now)).toEqual({ choices, ignored: undefined });
});

test("another adapter has a file of its own", async () => {
  const folder = newPath();
  await writeTuning(folder, identity, choices);
  const other = { ...identity, adapter: { ...identity.adapter, device: "7600" } };
  expect(await readTuning(folder, other)).toEqual({ choices: new Map(), ignored: undefined });
});

const damaged: Record<string, (text: string) => string> = {
  "cut off": (text) => text.slice(0, text.length / 2),
  empty: () => "",
  "no object": () => "[1]",
  "null inside": (text) => text.replace(/\{\s*"dots"[^}]*\}/, "null"),
  "of another version": (text) => text.replace('"formatVersion": 2', '"formatVersion": 1'),
  "other dots": (text) => text.replace('"dots": "plain"', '"dots": "none"'),
  "too many rows": (text) => text.replace(/1,\s*8/, "1, 9"),
  "falling rows": (text) => text.replace(/1,\s*8/, "8, 1"),
  "rows in a string": (text) => text.replace(/1,\s*8/, '"1", 8'),
  "half a tile": (text) => text.replace(/32,\s*128/, "24, 128"),
  "no tile": (text) => text.replace(/32,\s*128/, ""),
};

test.each(Object.entries(damaged))(
  "a file that is %s is ignored in one line",
  async (_, damage) => {
    const folder = newPath();
    const path = await writeTuning(folder, identity, choices);
    const text = await readFile(path, "utf8");
    expect(damage(text)).not.toBe(text);
    await writeFile(path, damage(text));
    const { choices: found, ignored } = await readTuning(folder, identity);
    expect(found.size).toBe(0);
    expect(ignored).toContain(path);
    expect(ignored).not.toContain("\n");
  },
);

test("a file that cannot be read is ignored too", async () => {
  const folder = newPath();
  await mkdir(join(folder, adapterFileName(identity)), { recursive: true });
  expect((await readTuning(folder, identity)).ignored).toContain("EISDIR");
});

test("the cache is where OCTET_CACHE_DIR says, or XDG_CACHE_HOME, or at home", () => {
  expect(cacheFolder({ OCTET_CACHE_DIR: "/a", XDG_CACHE_HOME: "/b" })).toBe("/a");
  expect(cacheFolder({ OCTET_CACHE_DIR: "", XDG_CACHE_HOME: "/b" })).toBe("/b/octet");
  expect(cacheFolder({ XDG_CACHE_HOME: "b" })).toMatch(/\/\.cache\/octet$/);
});
