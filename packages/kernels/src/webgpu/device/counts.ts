/** What a device was asked to do since it was opened, or between two moments. */
export interface GpuCounts {
  readonly dispatches: number;
  readonly submits: number;
  readonly readBacks: number;
  /** Bytes of weights that the dispatches read, as their kernels declare it. */
  readonly weightBytesRead: number;
  /** Bytes of keys and values that attention reads, likewise. */
  readonly cacheBytesRead: number;
  /** Buffers, bind groups, pipelines and shader modules made: none, once warm. */
  readonly objectsCreated: number;
  /** Pipelines made: none by an engine's calls, as it is open when all are. */
  readonly kernelsCompiled: number;
}

/** Counts while they grow. */
export type GrowingCounts = { -readonly [Name in keyof GpuCounts]: GpuCounts[Name] };

/** Nothing yet. */
export function zeroCounts(): GrowingCounts {
  return {
    dispatches: 0,
    submits: 0,
    readBacks: 0,
    weightBytesRead: 0,
    cacheBytesRead: 0,
    objectsCreated: 0,
    kernelsCompiled: 0,
  };
}

/** What was counted between `before` and `after`. */
export function countsBetween(before: GpuCounts, after: GpuCounts): GpuCounts {
  return {
    dispatches: after.dispatches - before.dispatches,
    submits: after.submits - before.submits,
    readBacks: after.readBacks - before.readBacks,
    weightBytesRead: after.weightBytesRead - before.weightBytesRead,
    cacheBytesRead: after.cacheBytesRead - before.cacheBytesRead,
    objectsCreated: after.objectsCreated - before.objectsCreated,
    kernelsCompiled: after.kernelsCompiled - before.kernelsCompiled,
  };
}
