// One coordinator: what it serves, whether it is ready, and how much it does for us.
import type { Endpoint } from "@octet/client";
import {
  type ClusterState,
  checkHealth,
  InferenceService,
  type Model,
  readinessName,
} from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";

/** Longest a look at its health may take, in ms. */
const lookDeadlineMs = 2_000;

/** A coordinator that may come and go. */
export class Coordinator implements Endpoint {
  readonly address: string;
  readonly service: Endpoint["service"];
  #models: readonly Model[] = [];
  #isReady = false;
  #answers = 0;

  /** Connects at the first call. */
  constructor(address: string) {
    this.address = address;
    const service = createClient(InferenceService, address);
    this.service = {
      ...service,
      generate: (request, bounds) => this.#count(service.generate(request, bounds)),
      chat: (request, bounds) => this.#count(service.chat(request, bounds)),
    };
  }

  /** As it last said; it may be away since. */
  get models(): readonly Model[] {
    return this.#models;
  }

  /** Whether it said so when it was last asked. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Answers of ours under way there. */
  get answers(): number {
    return this.#answers;
  }

  /** Asks how it is. Never throws: one that does not answer is not ready. */
  async look(): Promise<void> {
    try {
      const isReady = await checkHealth(this.address, readinessName, {
        deadlineMs: lookDeadlineMs,
      });
      // A coordinator that has yet to load its shard serves no model.
      if (isReady) {
        this.#models = (await this.service.listModels({}, { deadlineMs: lookDeadlineMs })).models;
      }
      this.#isReady = isReady;
    } catch {
      this.#isReady = false;
    }
  }

  /** How its cluster is; undefined if it does not say. */
  async state(): Promise<ClusterState | undefined> {
    try {
      return (await this.service.getClusterState({}, { deadlineMs: lookDeadlineMs })).state;
    } catch {
      return undefined; // away, or loading: whoever asks has others to ask
    }
  }

  close(): void {
    this.service.close();
  }

  #count<Stream extends { once(event: "status", listener: () => void): unknown }>(answer: Stream) {
    this.#answers++;
    answer.once("status", () => this.#answers--);
    return answer;
  }
}
