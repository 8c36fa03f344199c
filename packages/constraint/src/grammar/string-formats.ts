// What the formats of JSON Schema become: expressions that match nothing but good values.

const monthDay =
  "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|" +
  "02-(?:0[1-9]|1\\d|2[0-8]))";
const date = `[12]\\d{3}-${monthDay}`;
const time =
  "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,6})?(?:Z|[+\\-](?:0\\d|1[0-4]):[0-5]\\d)";
const byte = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const label = "[a-z0-9](?:[a-z0-9\\-]{0,30}[a-z0-9])?";
const host = `${label}(?:\\.${label}){1,4}`;

/** Some good values are left out, 29 February among them; no bad one is let in. */
export const stringFormats: ReadonlyMap<string, string> = new Map([
  ["date", `^${date}$`],
  ["time", `^${time}$`],
  ["date-time", `^${date}T${time}$`],
  ["uuid", "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"],
  ["ipv4", `^${byte}\\.${byte}\\.${byte}\\.${byte}$`],
  ["hostname", `^${host}$`],
  ["email", `^[a-z0-9]{1,32}(?:[._+\\-][a-z0-9]{1,32}){0,3}@${host}$`],
  ["uri", `^https?://${host}(?::[1-9]\\d{0,3})?(?:/[A-Za-z0-9\\-._~]{0,64}){0,16}$`],
]);
