import { expect, test } from "vitest";
import { clientMagic, leanVersion, setting, toFrame, toSettingsFrame } from "./frame.ts";
import { OpeningReader, writeOpening } from "./opening.ts";

function withSettings(settings: [number, number][]): Buffer {
  return Buffer.concat([clientMagic, toSettingsFrame(new Map(settings))]);
}

test.each(["client", "server"])("what a %s writes is understood, byte by byte", (end) => {
  const isClient = end === "client";
  const bytes = writeOpening(!isClient);
  const reader = new OpeningReader(isClient);
  for (let i = 0; i < bytes.length - 1; i++) {
    expect(reader.push(bytes.subarray(i, i + 1)).kind).toBe("incomplete");
  }
  const found = reader.push(Buffer.concat([bytes.subarray(-1), Buffer.from("and more")]));
  expect(found).toMatchObject({ kind: "lean", length: bytes.length });
  expect(found.kind === "lean" && found.settings.get(setting.lean)).toBe(leanVersion);
  expect(reader.bytes.toString("latin1")).toBe(`${bytes.toString("latin1")}and more`);
});

const lean: [number, number] = [setting.lean, leanVersion];
test.each<[string, Buffer]>([
  ["HTTP/1.1", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ["almost the magic", Buffer.from("PRI * HTTP/2.0\r\n\r\nSN")],
  ["TLS", Buffer.of(0x16, 3, 1)],
  ["another frame than SETTINGS", Buffer.concat([clientMagic, toFrame(6, { flags: 0 })])],
  ["no settings", withSettings([])],
  ["another version", withSettings([[setting.lean, leanVersion + 1]])],
  ["frames of one byte", withSettings([lean, [setting.framePayloadMax, 1]])],
  ["frames of 16 MiB", withSettings([lean, [setting.framePayloadMax, 2 ** 24]])],
  ["a window of 2 GiB", withSettings([lean, [setting.initialWindow, 2 ** 31]])],
  ["settings without end", Buffer.concat([clientMagic, Buffer.from("ffffff040000000000", "hex")])],
])("a client that opens with %s is left to others, at once", (_what, bytes) => {
  expect(new OpeningReader(true).push(bytes).kind).toBe("other");
});
