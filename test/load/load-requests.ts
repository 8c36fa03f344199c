// What the clients of a load test ask: a catalogue of requests whose answers are known beforehand.
import { oneOf, wholeBetween } from "../faults/seeded-random.ts";

/** One request of the catalogue. */
export interface LoadRequest {
  readonly path: "/v1/completions" | "/v1/chat/completions";
  /** Greedy or seeded, so that it has one right answer. */
  readonly body: Readonly<Record<string, unknown>>;
}

const words =
  "once upon a time there was little dog who lived in the park and had some cheese to eat";
const openings = [
  "Once upon a time",
  "Il était une fois",
  "Hello! How are you?",
  "What is 2 plus 3?",
];

/** Short and long prompts, short and long answers, greedy and sampled, texts and chats. */
export function createCatalogue(random: () => number, count: number): LoadRequest[] {
  return Array.from({ length: count }, (_, index) => {
    const text = createPrompt(random);
    const parameters = {
      max_tokens: wholeBetween(random, 1, oneOf(random, [4, 16, 64, 160])),
      ignore_eos: random() < 0.3,
      ...(random() < 0.5 ? { temperature: 0 } : { temperature: 0.9, top_p: 0.95, seed: index }),
    };
    return random() < 0.5
      ? { path: "/v1/completions", body: { prompt: text, ...parameters } }
      : {
          path: "/v1/chat/completions",
          body: { messages: [{ role: "user", content: text }], ...parameters },
        };
  });
}

function createPrompt(random: () => number): string {
  const numWords = wholeBetween(random, 0, oneOf(random, [3, 30, 300]));
  const all = words.split(" ");
  const rest = Array.from({ length: numWords }, () => oneOf(random, all));
  return [oneOf(random, openings), ...rest].join(" ");
}
