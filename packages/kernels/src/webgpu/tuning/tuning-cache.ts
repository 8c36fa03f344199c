// Tuned choices on disk: one file an adapter.
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { IntegerDots, MultiplyTuning } from "../multiply.ts";
import { adapterFileName, type DeviceIdentity } from "./device-identity.ts";

/** Raised when the file's own form changes. */
const formatVersion = 2;

/** Choices by tuningKey. */
export type TuningChoices = ReadonlyMap<string, MultiplyTuning>;

/** What was found on disk. */
export interface CachedTuning {
  readonly choices: TuningChoices;
  /** Why a file that is there was not used, in one line. */
  readonly ignored: string | undefined;
}

/** What `folder` holds for this device: nothing, if the file is damaged or for other kernels. */
export async function readTuning(folder: string, identity: DeviceIdentity): Promise<CachedTuning> {
  const path = join(folder, adapterFileName(identity));
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return { choices: new Map(), ignored: isMissing ? undefined : `${path}: ${error}` };
  }
  try {
    return { choices: parse(text, identity), ignored: undefined };
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    return { choices: new Map(), ignored: `${path}: ignored, defaults are used: ${why}` };
  }
}

/** Keeps `choices` in place of what the file held; a reader finds the old file or the new one. */
export async function writeTuning(
  folder: string,
  identity: DeviceIdentity,
  choices: TuningChoices,
): Promise<string> {
  const path = join(folder, adapterFileName(identity));
  const content = { formatVersion, identity, choices: Object.fromEntries(choices) };
  await mkdir(folder, { recursive: true });
  const partial = `${path}.${randomUUID()}.partial`;
  try {
    await writeFile(partial, `${JSON.stringify(content, undefined, 2)}\n`, { flush: true });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return path;
}

function parse(text: string, identity: DeviceIdentity): TuningChoices {
  const content = objectOf(JSON.parse(text));
  if (content.formatVersion !== formatVersion) throw new Error("written by another version");
  const found = objectOf(content.identity);
  for (const [name, expected] of Object.entries(identity)) {
    if (JSON.stringify(found[name]) === JSON.stringify(expected)) continue;
    throw new Error(`${name} was ${JSON.stringify(found[name])}, is ${JSON.stringify(expected)}`);
  }
  const choices = Object.entries(objectOf(content.choices));
  return new Map(choices.map(([key, value]) => [key, parseChoice(key, value)]));
}

function parseChoice(key: string, value: unknown): MultiplyTuning {
  const { dots, fewRows, tileRows } = objectOf(value);
  const isValid =
    isDots(dots) &&
    isRising(fewRows, (rows) => rows <= 8) &&
    isRising(tileRows, (rows) => rows % 16 === 0 && rows <= 128) &&
    tileRows.length > 0;
  if (!isValid) throw new Error(`${key}: no choice that kernels can take`);
  return { dots, fewRows, tileRows };
}

function isDots(value: unknown): value is IntegerDots {
  return value === "plain" || value === "packed" || value === "matrix";
}

function isRising(value: unknown, isAllowed: (rows: number) => boolean): value is number[] {
  return (
    Array.isArray(value) &&
    value.every(
      (rows, i) => Number.isInteger(rows) && rows > (i === 0 ? 0 : value[i - 1]) && isAllowed(rows),
    )
  );
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw new Error("not an object where one is expected");
}
