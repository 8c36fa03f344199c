// What a worker says of itself, held against what the coordinator's model needs.
import type { ExpertId, ModelConfig, WeightDtype } from "@octet/core";
import type { DescribeResponse } from "@octet/protocol";

/** What every worker must agree on with the coordinator. */
export interface ExpectedWorkers
  extends Pick<ModelConfig, "numLayers" | "numExperts" | "hiddenSize" | "intermediateSize"> {
  readonly modelDigest: string;
  readonly weightDtype: WeightDtype;
  /** Where given, workers of other kinds are refused: bits are promised within a kind only. */
  readonly engineKinds?: readonly string[];
}

/** Where some experts are, as an operator says it. */
export interface PlacedWorker {
  /** host:port */
  readonly address: string;
  readonly expertIds: readonly ExpertId[];
  /** Where given, another worker at the address is refused. */
  readonly workerId?: string;
}

/** What a worker said of itself when it was last connected to. */
export interface WorkerDescription {
  readonly workerId: string;
  readonly startId: string;
  readonly expertIds: readonly number[];
  readonly engineKind: string;
  readonly device: string;
  readonly weightBytes: number;
  /** Resident memory of the process. */
  readonly residentBytes: number;
}

/** The description in our own terms; sizes beyond 2^53 bytes do not exist. */
export function toWorkerDescription(said: DescribeResponse): WorkerDescription {
  const { workerId, startId, expertIds, engineKind, device } = said;
  return {
    workerId,
    startId,
    expertIds,
    engineKind,
    device,
    weightBytes: Number(said.weightBytes),
    residentBytes: Number(said.residentBytes),
  };
}

/** Why the worker may not be used, naming expected and found, or undefined if it may. */
export function findDescriptionProblem(
  said: DescribeResponse,
  expected: ExpectedWorkers,
  placed: PlacedWorker,
): string | undefined {
  const problems: string[] = [];
  const compare = (what: string, wanted: string | number | undefined, found: string | number) => {
    if (wanted !== undefined && wanted !== found) {
      problems.push(`expected ${what} ${wanted}, found ${found}`);
    }
  };
  compare("worker", placed.workerId, said.workerId);
  compare("model digest", expected.modelDigest, said.modelDigest);
  compare("weight dtype", expected.weightDtype, said.weightDtype);
  if (expected.engineKinds?.includes(said.engineKind) === false) {
    const wanted = expected.engineKinds.join(" or ");
    problems.push(`expected engine kind ${wanted}, found ${said.engineKind}`);
  }
  compare("layers", expected.numLayers, said.numLayers);
  compare("experts in a layer", expected.numExperts, said.numExperts);
  compare("hidden size", expected.hiddenSize, said.hiddenSize);
  compare("intermediate size", expected.intermediateSize, said.intermediateSize);
  const missing = placed.expertIds.filter((id) => !said.expertIds.includes(id));
  if (missing.length > 0) {
    const held = said.expertIds.join(", ") || "none";
    problems.push(`expected experts ${placed.expertIds.join(", ")}, found ${held}`);
  }
  return problems.length === 0 ? undefined : problems.join("; ");
}
