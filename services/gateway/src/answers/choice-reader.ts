// From the events of one choice to what its client is shown of them.
import type { GenerateFinished, TokenLogprobs } from "@octet/protocol";
import type { AnswerEvent } from "../upstream/model-upstream.ts";
import type { AnswerExtras, AnswerFormat, AnswerText, PromptExtras } from "./answer-format.ts";
import type { AnswerPlan } from "./answer-plan.ts";
import { toPromptLogprobs, withoutSpace } from "./logprobs.ts";
import { toNpyBase64 } from "./routed-experts.ts";

/** The readers of one request's answers, by their index in its events. */
export function readersOf(plan: AnswerPlan, requestIndex: number): readonly ChoiceReader[] {
  const first = requestIndex * plan.answersEach;
  return Array.from(
    { length: plan.answersEach },
    (_, answer) => new ChoiceReader(plan, first + answer),
  );
}

/** Those of `readers` that an event is for. */
export function readersFor(
  readers: readonly ChoiceReader[],
  event: AnswerEvent,
): readonly ChoiceReader[] {
  const isOfOne = event.case === "delta" || event.case === "finished";
  return isOfOne ? readers.filter((_, answer) => answer === event.value.index) : readers;
}

/** Reads one choice. An echoed prompt comes first: at once, or when its log-probabilities are there. */
export class ChoiceReader {
  /** Of the choice in the answer. */
  readonly index: number;
  readonly #plan: AnswerPlan;
  readonly #prompt: TokenLogprobs[] = [];
  #echo: string | undefined;
  #losesSpace: boolean;
  #textOffset = 0;
  #numToolCalls = 0;

  /** @param index of the choice in the plan */
  constructor(plan: AnswerPlan, index: number) {
    this.index = index;
    this.#plan = plan;
    const { beginsText, echo } = plan.requests[Math.floor(index / plan.answersEach)]!;
    this.#losesSpace = beginsText;
    if (echo !== "") this.#echo = echo;
  }

  /** What can be shown before any event. */
  begin(): readonly AnswerText[] {
    return this.#plan.shown.logprobs ? [] : this.#takeEcho();
  }

  /** What an event adds, in order. */
  read(event: AnswerEvent): readonly AnswerText[] {
    const { shown } = this.#plan;
    switch (event.case) {
      case "started":
        if (!shown.tokenIds) return [];
        return [{ text: "", promptTokenIds: event.value.promptTokenIds }];
      case "promptLogprobs":
        this.#prompt.push(...event.value.tokens);
        return [];
      case "delta": {
        const echo = this.#takeEcho();
        const { text, tokenIds, logprobs } = event.value;
        const toolCalls = "toolCalls" in event.value ? event.value.toolCalls : [];
        const part = {
          text,
          textOffset: this.#advance(text),
          ...(shown.tokenIds ? { tokenIds } : {}),
          ...(shown.logprobs ? { logprobs: this.#asShown(logprobs) } : {}),
          toolCalls,
          toolCallOffset: this.#numToolCalls,
        };
        this.#numToolCalls += toolCalls.length;
        const isEmpty =
          text === "" && logprobs.length === 0 && toolCalls.length === 0 && !shown.tokenIds;
        return isEmpty ? echo : [...echo, part];
      }
      case "finished":
        return this.#takeEcho();
      default:
        return [];
    }
  }

  /** What the end adds beside the text. */
  extras(finished: GenerateFinished): AnswerExtras {
    const { shown } = this.#plan;
    const { routedExperts } = finished;
    return {
      ...this.#promptExtras("choice"),
      ...(shown.routedExperts && routedExperts !== undefined
        ? { routed_experts: toNpyBase64(routedExperts) }
        : {}),
    };
  }

  /** And beside the choices, once: all have the same prompt. */
  extrasOfAnswer(): PromptExtras {
    return this.index === 0 ? this.#promptExtras("answer") : {};
  }

  #promptExtras(at: AnswerFormat["promptLogprobsAt"]): PromptExtras {
    const { shown, format } = this.#plan;
    const isHere = shown.promptLogprobs && format.promptLogprobsAt === at;
    return isHere ? { prompt_logprobs: toPromptLogprobs(this.#prompt) } : {};
  }

  #takeEcho(): readonly AnswerText[] {
    const text = this.#echo;
    if (text === undefined) return [];
    this.#echo = undefined;
    const textOffset = this.#advance(text);
    if (!this.#plan.shown.logprobs || this.#prompt.length === 0) return [{ text, textOffset }];
    // A text's first token spells a space that is not in the text.
    this.#losesSpace = !text.startsWith(" ");
    const logprobs = this.#asShown(this.#prompt);
    // The first token has no log-probability; its text is what the others leave over.
    const rest = logprobs.reduce((sum, { chosen }) => sum + chosen!.text.length, 0);
    const firstToken = text.slice(0, Math.max(0, text.length - rest));
    return [{ text, textOffset, logprobs, firstToken }];
  }

  #asShown(tokens: readonly TokenLogprobs[]): readonly TokenLogprobs[] {
    if (!this.#losesSpace || tokens.length === 0) return tokens;
    this.#losesSpace = false;
    return [withoutSpace(tokens[0]!), ...tokens.slice(1)];
  }

  #advance(text: string): number {
    const before = this.#textOffset;
    this.#textOffset += text.length;
    return before;
  }
}
