// Messages of any type, from its description: mostly sensible, here and there wild.
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { oneOf, randomBytes, wholeBetween } from "./seeded-random.ts";

type Random = () => number;
type Value = boolean | number | bigint | string | Uint8Array | object;

/** How often a field is there, and how often its value is wild. */
const presence = 0.4;
const wildness = 0.15;
/** Longer lists and texts than any that a request may have, though few. */
const manyMax = 3_000;
/** Of a long text: thousands of messages with several still fit what a client may send. */
const longTextMax = 20_000;
/** Messages within messages. */
const depthMax = 5;

/** What `create` makes a message of. */
export function randomMessage(
  random: Random,
  message: DescMessage,
  depth = 0,
): Record<string, unknown> {
  const init: Record<string, unknown> = {};
  for (const member of message.members) {
    if (member.kind === "oneof") {
      const field = oneOf(random, member.fields);
      const value = fieldValue(random, field, depth);
      if (random() < 0.8 && value !== undefined) {
        init[member.localName] = { case: field.localName, value };
      }
    } else if (random() < presence) {
      const value = fieldValue(random, member, depth);
      if (value !== undefined) init[member.localName] = value;
    }
  }
  return init;
}

function fieldValue(random: Random, field: DescField, depth: number): unknown {
  switch (field.fieldKind) {
    case "list":
      return Array.from({ length: howMany(random, depth) }, () =>
        listItem(random, field, depth),
      ).filter((item) => item !== undefined);
    case "map":
      return Object.fromEntries(
        Array.from({ length: howMany(random) }, () => [
          String(scalar(random, field.mapKey)),
          field.mapKind === "scalar" ? scalar(random, field.scalar) : {},
        ]),
      );
    case "message":
      return nested(random, field.message, depth);
    case "enum":
      return wholeBetween(random, -1, 6);
    case "scalar":
      return scalar(random, field.scalar, sensible[field.localName]);
  }
}

function listItem(
  random: Random,
  field: DescField & { fieldKind: "list" },
  depth: number,
): unknown {
  switch (field.listKind) {
    case "message":
      return nested(random, field.message, depth);
    case "enum":
      return wholeBetween(random, -1, 6);
    case "scalar":
      return scalar(random, field.scalar);
  }
}

function nested(random: Random, message: DescMessage, depth: number): unknown {
  return depth < depthMax ? randomMessage(random, message, depth + 1) : undefined;
}

/** Many only at the top: lists within lists would multiply. */
function howMany(random: Random, depth = 0): number {
  return depth < 2 && random() < 0.03
    ? wholeBetween(random, 0, manyMax)
    : wholeBetween(random, 0, 3);
}

/** What fields of some names must be before anything else is looked at. */
const sensible: Readonly<Record<string, readonly string[]>> = {
  model: ["", "plain"],
  name: ["", "plain"],
  role: ["user"],
};

const tame = {
  text: ["Once", "user", "assistant", "system", "{}", "plain", "a", "[a-z]+", '{"type":"object"}'],
  wildText: [
    "",
    "\u0000",
    "\u{1f600}",
    "</s><s>",
    "[INST]",
    "(((",
    '{"$ref":"#"}',
    "\ufeff",
    "__proto__",
  ],
  float: [0, 0.5, 0.9, 1],
  wildFloat: [-0, -1, 2, 1e38, -1e38, Number.NaN, Infinity, -Infinity, 1e-45],
  wild32: [0, 319, 320, 32_000, 0x7fff_ffff, 0xffff_ffff],
};

function scalar(random: Random, type: ScalarType, texts: readonly string[] = tame.text): Value {
  const wild = random() < wildness;
  switch (type) {
    case ScalarType.STRING: {
      if (!wild) return oneOf(random, texts);
      return random() < 0.2
        ? "x".repeat(wholeBetween(random, 1, longTextMax))
        : oneOf(random, tame.wildText);
    }
    case ScalarType.BYTES:
      return randomBytes(random, howMany(random));
    case ScalarType.BOOL:
      return random() < 0.5;
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return oneOf(random, wild ? tame.wildFloat : tame.float);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return wild ? 2n ** 64n - 1n : BigInt(wholeBetween(random, 0, 9));
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return wild ? -(2n ** 63n) : BigInt(wholeBetween(random, -9, 9));
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return wild ? oneOf(random, tame.wild32) : wholeBetween(random, 1, 9);
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return wild ? oneOf(random, [-0x8000_0000, 0x7fff_ffff, -1]) : wholeBetween(random, 0, 9);
  }
}
