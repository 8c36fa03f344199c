// Run as a process of its own: opens an engine, computes, and leaves or closes it.
//
//   node abandon-gpu-engine.ts PATH leave | close | exit-while-computing
import assert from "node:assert/strict";
import { useSwiftShader } from "../device/swiftshader.ts";
import { openWebGpuExpertEngine } from "../webgpu-expert-engine.ts";
import { smallCall, smallExperts } from "./expert-cases.ts";

const [path, how] = process.argv.slice(2);
assert(path !== undefined && how !== undefined, "usage: abandon-gpu-engine.ts PATH HOW");
useSwiftShader(process.env);
const options = await smallExperts(path, "q8");
const engine = await openWebGpuExpertEngine({ ...options, allowSoftwareAdapter: true });
const call = smallCall("q8", { numRows: 4 });
await engine.forward(call);
if (how === "exit-while-computing") {
  for (let i = 0; i < 200; i++) engine.forward(call).catch(() => {}); // it never gets to answer
  process.exit(0);
}
if (how === "close") await engine.close();
process.stdout.write(`${how}: done\n`);
