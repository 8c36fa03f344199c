// Random numbers that are the same on every machine, for weights and rows of tests.

/** A stream of numbers from one seed. */
export interface SeededRandom {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Normal, mean 0, deviation 1. */
  normal(): number;
  /** Uniform among 0 .. bound - 1. */
  integer(bound: number): number;
}

/** A stream from `seed`: Weyl steps, each mixed by xor-shifts and odd multipliers. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let bits = state;
    bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32;
  };
  return {
    uniform,
    // Box and Muller; 1 - u keeps the logarithm's argument above 0.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    integer: (bound) => Math.floor(uniform() * bound),
  };
}

/** `count` normal values of the given deviation, f32. */
export function normalValues(random: SeededRandom, count: number, deviation = 1): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = deviation * random.normal();
  return values;
}

/** `count` token ids below `vocabSize`. */
export function randomTokens(random: SeededRandom, count: number, vocabSize: number): Int32Array {
  return Int32Array.from({ length: count }, () => random.integer(vocabSize));
}
