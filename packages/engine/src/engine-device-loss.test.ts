// An attention engine whose device goes away, and its KV cache with it.
import { KernelError } from "@octet/kernels";
import fc from "fast-check";
import { expect, test } from "vitest";
import { generate, generateAlone, openToyEngine, toyRequests } from "./fixture/toy-engine.ts";

/** Loses the device, and what is cached on it, before the layers that `when` tells. */
function losing(when: (numLayersRun: number) => boolean, ready: () => Promise<void>) {
  let numLayersRun = 0;
  let isLost = false;
  let numLost = 0;
  const setup = openToyEngine({
    beforeLayer: () => {
      if (!isLost && when(numLayersRun++)) {
        isLost = true;
        numLost += 1;
        for (const layer of setup.attention.kv) layer.fill(Number.NaN);
      }
      if (isLost) throw new KernelError("device-lost", "on purpose");
    },
  });
  setup.attention.ready = async () => {
    await ready();
    isLost = false;
  };
  return { ...setup, numLost: () => numLost };
}

test("sequences whose cache was lost give the tokens they would have given", async () => {
  const requests = toyRequests(7);
  const expected = await generateAlone(requests);
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat({ max: 35 }), { minLength: 1, maxLength: 4 }),
      async (at) => {
        const { engine, numLost } = losing(
          (numLayersRun) => at.includes(numLayersRun),
          async () => {},
        );
        const answers = await Promise.all(requests.map((request) => generate(engine, request)));
        expect(answers.map(({ tokenIds, error }) => ({ tokenIds, error }))).toEqual(
          expected.map(({ tokenIds }) => ({ tokenIds, error: undefined })),
        );
        expect(numLost()).toBeGreaterThan(0);
        engine.checkIntegrity();
      },
    ),
    { numRuns: 25 },
  );
});

test("a device that does not come back ends its sequences with an error that says so", async () => {
  const { engine } = losing(
    (numLayersRun) => numLayersRun === 4,
    async () => {
      throw new KernelError("device-lost", "gone for good");
    },
  );
  const { error } = await generate(engine, toyRequests(1)[0]!);
  expect(error).toMatchObject({ name: "EngineError", code: "device-lost" });
  expect(String(error)).toContain("[device-lost]");
  engine.checkIntegrity();
});

test("a device that is lost whenever it is used ends its sequences, too", async () => {
  const { engine, numLost } = losing(
    () => true,
    async () => {},
  );
  const { error } = await generate(engine, toyRequests(1)[0]!);
  expect(error).toMatchObject({ name: "EngineError", code: "device-lost" });
  expect(numLost()).toBe(6);
});
