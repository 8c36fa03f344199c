// The thread that compiles grammars and follows answers. One request at a time, in order.
import { parentPort, workerData } from "node:worker_threads";
import { GrammarProblem } from "../grammar/grammar-problem.ts";
import { CompiledGrammars, withoutPlace } from "./compiled-grammars.ts";
import { loadGrammarEngine } from "./grammar-engine.ts";
import type { ThreadReply, ThreadRequest, ThreadSettings } from "./thread-messages.ts";
import { TokenMatcher } from "./token-matcher.ts";

const settings: ThreadSettings = workerData;
const engine = loadGrammarEngine(settings.threadBytesMax);
const matchers = new Map<number, TokenMatcher>();
const grammars = await openGrammars();

async function openGrammars(): Promise<CompiledGrammars> {
  const { GrammarCompiler, TokenizerInfo } = engine.api;
  const { bytes, ends, vocabSize, stopTokenIds } = settings;
  // A token that spells nothing is special to the engine, and never allowed.
  const pieces = Array.from(ends, (end, i) => bytes.slice(i === 0 ? 0 : ends[i - 1]!, end));
  const tokenizer = await TokenizerInfo.createTokenizerInfo(
    // The binding takes bytes as well as text; its types say text.
    pieces as unknown as string[],
    "raw",
    false,
    vocabSize,
    [...stopTokenIds],
  );
  const compiler = await GrammarCompiler.createGrammarCompiler(tokenizer, false);
  return new CompiledGrammars(engine, compiler, settings);
}

async function answer(request: Exclude<ThreadRequest, { kind: "close" }>): Promise<ThreadReply> {
  if (request.kind === "advance") {
    const matcher = matchers.get(request.matcherId);
    if (matcher === undefined) return { kind: "refused", reason: "the answer has ended" };
    return { kind: "done", isComplete: await matcher.advance(request.tokenId) };
  }
  const grammar = await grammars.get(request.digest, request.spec);
  const matcher = await engine.api.GrammarMatcher.createGrammarMatcher(grammar);
  if (request.kind === "compile") {
    // The first mask is part of the proof: some grammars only fall over here.
    const mask = new SharedArrayBuffer(Math.ceil(settings.vocabSize / 32) * 4);
    const probe = new TokenMatcher(matcher, settings, { continuesText: false, mask });
    await probe.advance(undefined);
    probe.close();
  } else {
    matchers.set(request.matcherId, new TokenMatcher(matcher, settings, request));
  }
  return { kind: "done", isComplete: false };
}

/** Mistakes of the caller leave the thread whole; an abort of the engine does not. */
function toFailure(error: unknown): ThreadReply {
  if (error instanceof GrammarProblem) return { kind: "refused", reason: error.message };
  if (error instanceof RangeError && error.message.includes("call stack")) {
    return { kind: "refused", reason: "it nests too deep" };
  }
  const lines = engine.takeOutput().filter((line) => line.startsWith("[FATAL]"));
  const fallback = error instanceof Error ? error.message : String(error);
  return { kind: "broken", reason: lines.length > 0 ? withoutPlace(lines[0]!) : fallback };
}

parentPort!.on("message", async (request: ThreadRequest) => {
  if (request.kind === "close") {
    matchers.get(request.matcherId)?.close();
    matchers.delete(request.matcherId);
    return;
  }
  parentPort!.postMessage(await answer(request).catch(toFailure));
});
