// The coordinators a gateway knows: which models there are, and who answers a request.
import { setTimeout as delay } from "node:timers/promises";
import type { ClusterState, Model } from "@octet/protocol";
import type { Logger } from "@octet/telemetry";
import { ApiError } from "../http/api-error.ts";
import { Coordinator } from "./coordinator.ts";
import { ModelUpstream } from "./model-upstream.ts";

/** How often each coordinator is asked how it is, in ms. */
const lookIntervalMs = 500;

/** Looks after every coordinator until it is closed. */
export class Coordinators {
  readonly #all: readonly Coordinator[];
  readonly #log: Logger;
  readonly #onChange: () => void;
  readonly #closed = new AbortController();
  readonly #looking: Promise<unknown>;

  /** @param onChange called when one has become ready, or is no longer */
  constructor(addresses: readonly string[], log: Logger, onChange: () => void) {
    this.#all = addresses.map((address) => new Coordinator(address));
    this.#log = log;
    this.#onChange = onChange;
    this.#looking = Promise.all(this.#all.map((coordinator) => this.#follow(coordinator)));
  }

  /** Whether a request could be answered now. */
  get isReady(): boolean {
    return this.#all.some((coordinator) => coordinator.isReady);
  }

  /** Every model that is or was served, once; of its contexts the shortest, as anybody may answer. */
  get models(): readonly Model[] {
    const byName = new Map<string, Model>();
    for (const model of this.#all.flatMap(({ models }) => models)) {
      const known = byName.get(model.name) ?? model;
      const maxPositions = Math.min(known.maxPositions, model.maxPositions);
      byName.set(model.name, { ...model, maxPositions });
    }
    return [...byName.values()];
  }

  /**
   * The model of that name, or the only one if no name is given.
   *
   * @throws {ApiError} "model_not_found"; "model_loading" while none is known
   */
  model(name: string | undefined): Model {
    const { models } = this;
    if (models.length === 0) {
      const message = "no coordinator has told of its model yet; it is loading, or away";
      throw new ApiError("model_loading", message);
    }
    const found = name === undefined ? models[0] : models.find((model) => model.name === name);
    if (found !== undefined && (name !== undefined || models.length === 1)) return found;
    const names = models.map((model) => JSON.stringify(model.name)).join(", ");
    const what = name === undefined ? "none" : "another";
    throw new ApiError("model_not_found", `model: expected one of ${names}, found ${what}`, {
      param: "model",
    });
  }

  /** Whoever serves `model`, as one. */
  of({ name }: Model): ModelUpstream {
    return new ModelUpstream(
      () => this.#inTurn(name),
      ({ error, address }) => {
        const { address: failed, reason } = error;
        this.#log.warn("asked another coordinator", { failed, errorCode: reason, address });
      },
    );
  }

  /** How each cluster is, of those that say so. */
  async states(): Promise<readonly ClusterState[]> {
    const states = await Promise.all(this.#all.map((coordinator) => coordinator.state()));
    return states.filter((state) => state !== undefined);
  }

  /** Cancels what is under way. */
  async close(): Promise<void> {
    this.#closed.abort();
    for (const coordinator of this.#all) coordinator.close();
    await this.#looking;
  }

  /** Those that are ready first, and of these the one with least to do. */
  #inTurn(name: string): readonly Coordinator[] {
    const serving = this.#all.filter(({ models }) => models.some((model) => model.name === name));
    // One that is not ready says itself which expert is away.
    return serving.toSorted(
      (a, b) => Number(b.isReady) - Number(a.isReady) || a.answers - b.answers,
    );
  }

  async #follow(coordinator: Coordinator): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      const wasReady = coordinator.isReady;
      await coordinator.look();
      if (coordinator.isReady !== wasReady && !signal.aborted) {
        const event = coordinator.isReady ? "coordinator ready" : "coordinator not ready";
        this.#log[coordinator.isReady ? "info" : "warn"](event, { address: coordinator.address });
        this.#onChange();
      }
      await delay(lookIntervalMs, undefined, { signal }).catch(() => {});
    }
  }
}
