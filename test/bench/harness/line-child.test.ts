import { expect, test } from "vitest";
import { LineChild } from "./line-child.ts";

const echo = `
  const { createInterface } = require("node:readline");
  createInterface({ input: process.stdin }).on("line", (line) => {
    if (line === "die") { console.error("out of luck"); process.exit(3); }
    console.log("heard " + line);
  });
`;

function startEcho(): LineChild {
  return new LineChild({ name: "echo", command: process.execPath, args: ["-e", echo] });
}

test("a child answers line for line, and ends with its input", async () => {
  const child = startEcho();
  expect(await child.ask("one")).toBe("heard one");
  expect(await child.ask("two")).toBe("heard two");
  await child[Symbol.asyncDispose]();
  await expect(child.ask("three")).rejects.toThrow(/echo ended with status 0/);
});

test("a child that dies fails the question with its last words", async () => {
  await using child = startEcho();
  await expect(child.ask("die")).rejects.toThrow(/echo ended with status 3\s+out of luck/);
});

test("two questions at once are a mistake", async () => {
  await using child = startEcho();
  const first = child.ask("one");
  await expect(child.ask("two")).rejects.toThrow(/two things at once/);
  expect(await first).toBe("heard one");
});

test("a command that is not there is a failed question", async () => {
  await using child = new LineChild({ name: "nobody", command: "/nowhere/at/all", args: [] });
  await expect(child.ask("hello")).rejects.toThrow(/nobody .*ENOENT/);
});
