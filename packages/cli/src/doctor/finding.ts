// What the doctor concludes from facts.

/** Something that a person should know, and what to do about it. */
export interface Finding {
  /** problem: an engine or a shard cannot be used so; warning: it can, with care; note: a hint. */
  readonly level: "problem" | "warning" | "note";
  readonly about: "cpu" | "gpu" | "shard";
  readonly text: string;
  readonly advice: string;
}
