// Schemas as people write them, and the corners of what is enforced.

const node = {
  $ref: "#/$defs/node",
  $defs: {
    node: {
      type: "object",
      properties: {
        value: { type: "integer" },
        next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] },
      },
      required: ["value", "next"],
    },
  },
};

/** By what they are about. */
export const walkedSchemas: Readonly<Record<string, object>> = {
  "a person": {
    type: "object",
    title: "Person",
    properties: {
      name: { type: "string", minLength: 1, maxLength: 20 },
      age: { type: "integer", minimum: 0, maximum: 130 },
      email: { type: "string", format: "email", description: "where to write to" },
      tags: { type: "array", items: { type: "string" }, maxItems: 3 },
    },
    required: ["name", "age"],
  },
  "optional properties only": {
    properties: { a: { type: "boolean" }, b: { type: "null" }, c: { const: 1 } },
  },
  "required ones between optional ones": {
    type: "object",
    properties: { a: true, b: { enum: ["x"] }, c: { enum: [1, 2] }, d: { enum: [null] } },
    required: ["b", "d"],
  },
  "other properties beside named ones": {
    type: "object",
    properties: { id: { type: "integer" }, i: { type: "null" }, identity: { type: "boolean" } },
    required: ["id"],
    additionalProperties: { type: "string", maxLength: 3 },
  },
  "a map": { type: "object", additionalProperties: { type: "number" } },
  "a required property that is not named": {
    type: "object",
    required: ["x"],
    additionalProperties: { type: "boolean" },
  },
  "names that need escapes": {
    type: "object",
    properties: { 'a"b\\c': { type: "integer" }, "née\n": { type: "boolean" }, "": { const: 0 } },
    required: ['a"b\\c', "née\n", ""],
    additionalProperties: { type: "null" },
  },
  "whole numbers between bounds": {
    type: "array",
    prefixItems: [
      { type: "integer", minimum: -5 },
      { type: "integer", maximum: 7 },
      { type: "integer", exclusiveMinimum: -17, exclusiveMaximum: 1234 },
      { type: "integer", minimum: 99, maximum: 1001 },
      { type: "integer", minimum: 3.5, maximum: 4.5 },
      { type: "integer" },
      { type: "integer", minimum: -120, maximum: -7 },
    ],
    minItems: 7,
  },
  "numbers between bounds": {
    type: "array",
    prefixItems: [
      { type: "number", minimum: 0, maximum: 1 },
      { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 },
      { type: "number", minimum: -2.75 },
      { type: "number", exclusiveMaximum: 0.3 },
      { type: "number", minimum: 12.05, maximum: 12.95 },
      { type: "number", minimum: -1.5, exclusiveMaximum: -0.25 },
      { type: "number" },
      { type: "number", minimum: 5, maximum: 5 },
    ],
    minItems: 8,
  },
  "arrays of some length": {
    type: "object",
    properties: {
      none: { type: "array", maxItems: 0 },
      two: { type: "array", items: { type: "boolean" }, minItems: 2, maxItems: 2 },
      most: { type: "array", items: { enum: ["a", "b"] }, minItems: 1, maxItems: 4 },
      pair: { type: "array", prefixItems: [{ const: 1 }, { const: 2 }], items: false },
      more: {
        type: "array",
        prefixItems: [{ const: 1 }, { const: 2 }],
        items: { const: 3 },
        minItems: 1,
        maxItems: 5,
      },
    },
    required: ["none", "two", "most", "pair", "more"],
  },
  "strings of some length": {
    type: "array",
    items: { type: "string", minLength: 3, maxLength: 5 },
    minItems: 2,
    maxItems: 2,
  },
  "patterns, found anywhere or anchored": {
    type: "array",
    prefixItems: [
      { type: "string", pattern: "^[A-Z]{2}-\\d+$" },
      { type: "string", pattern: "[a-z]|^C" },
      { type: "string", pattern: '^["\\\\\\n\\t/é]{2}$' },
      { type: "string", pattern: "^\\p{Script=Greek}{1,3}" },
      { type: "string", pattern: "^[^a-z]{1,3}$" },
    ],
    minItems: 5,
  },
  formats: {
    type: "object",
    properties: Object.fromEntries(
      ["date", "time", "date-time", "uuid", "ipv4", "hostname", "email", "uri"].map((format) => [
        format,
        { type: "string", format },
      ]),
    ),
    required: ["date", "time", "date-time", "uuid", "ipv4", "hostname", "email", "uri"],
  },
  "several types": {
    type: "array",
    items: { type: ["string", "integer", "null"], maxLength: 2, minimum: 10 },
    minItems: 1,
    maxItems: 3,
  },
  "values listed": {
    enum: [null, true, 'é"\\\n', 1.5, -0, [1, { a: "b" }], {}, "\u0001\u007f\u2028"],
  },
  "a listed value of a type": { type: "integer", enum: ["1", 1, 2.5, 3] },
  "a list that refers to itself": node,
  "any of some": {
    anyOf: [
      { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
      { type: "array", items: { type: "boolean" } },
      { allOf: [{ type: "string", maxLength: 4 }], description: "short" },
    ],
  },
  "one of some, told apart": {
    oneOf: [
      {
        type: "object",
        properties: { kind: { const: "dog" }, barks: { type: "boolean" } },
        required: ["kind", "barks"],
      },
      {
        type: "object",
        properties: { kind: { enum: ["cat", "lynx"] }, meows: { type: "boolean" } },
        required: ["kind"],
      },
      { type: "string", maxLength: 3 },
      { type: "null" },
    ],
  },
  "anything in a frame": {
    type: "object",
    properties: { anything: {}, list: { type: "array" }, object: { type: "object" } },
    required: ["anything", "list", "object"],
  },
  "a schema of draft 7": {
    $schema: "http://json-schema.org/draft-07/schema#",
    definitions: { size: { type: "integer", minimum: 1 } },
    type: "object",
    properties: { width: { $ref: "#/definitions/size" }, height: { $ref: "#/definitions/size" } },
    required: ["width", "height"],
    additionalProperties: false,
  },
};
