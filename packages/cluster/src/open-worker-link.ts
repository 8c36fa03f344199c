// Connects to a worker and checks that it is the one meant.
import type { ExpertCallCode } from "@octet/engine";
import {
  type ExpectedWorkers,
  findDescriptionProblem,
  type PlacedWorker,
  toWorkerDescription,
  type WorkerDescription,
} from "./worker-description.ts";
import { type OnDeviceLost, WorkerLink } from "./worker-link.ts";

/** What a link is opened with. */
export interface WorkerLinkOptions {
  readonly placed: PlacedWorker;
  readonly expected: ExpectedWorkers;
  /** Longest from the first packet to a checked, open stream. */
  readonly openTimeoutMs: number;
  readonly onDeviceLost: OnDeviceLost;
}

/** A worker that could not be reached ("unavailable"), or may not be used ("not-held"). */
export class WorkerLinkError extends Error {
  override readonly name = "WorkerLinkError";
  readonly code: Extract<ExpertCallCode, "unavailable" | "not-held">;
  constructor(code: WorkerLinkError["code"], detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
  }
}

/**
 * Opens the stream first and then asks the worker who it is: an answer from another process than
 * the one behind the stream comes on another connection, and by then the stream is lost.
 *
 * @throws {WorkerLinkError}
 */
export async function openWorkerLink(
  { placed, expected, openTimeoutMs, onDeviceLost }: WorkerLinkOptions,
  signal: AbortSignal,
): Promise<{ link: WorkerLink; description: WorkerDescription }> {
  const link = new WorkerLink(placed.address, expected, onDeviceLost);
  const stop = () => link.close();
  signal.addEventListener("abort", stop, { once: true });
  const timer = setTimeout(() => link.lose(`no answer in ${openTimeoutMs} ms`), openTimeoutMs);
  try {
    const said = await Promise.race([
      link.opened.then(() => link.describe(openTimeoutMs)),
      link.lost.then((why) => Promise.reject(new WorkerLinkError("unavailable", why))),
    ]);
    const problem = findDescriptionProblem(said, expected, placed);
    if (problem !== undefined) throw new WorkerLinkError("not-held", problem);
    return { link, description: toWorkerDescription(said) };
  } catch (error) {
    link.lose("it could not be opened");
    if (error instanceof WorkerLinkError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new WorkerLinkError("unavailable", detail, { cause: error });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
