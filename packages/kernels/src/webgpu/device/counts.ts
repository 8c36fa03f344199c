/** What a device was asked to do since it was opened, or between two moments. */
export interface GpuCounts {
  readonly dispatches: number;
  readonly submits: number;
  readonly readBacks: number;
  /** Bytes of weights that the dispatches read, as their kernels declare it. */
  readonly weightBytesRead: number;
  /** Buffers, bind groups, pipelines and shader modules made: none, once warm. */
  readonly objectsCreated: number;
}

/** Counts while they grow. */
export type GrowingCounts = { -readonly [Name in keyof GpuCounts]: GpuCounts[Name] };

/** Nothing yet. */
export function zeroCounts(): GrowingCounts {
  return { dispatches: 0, submits: 0, readBacks: 0, weightBytesRead: 0, objectsCreated: 0 };
}

/** What was counted between `before` and `after`. */
export function countsBetween(before: GpuCounts, after: GpuCounts): GpuCounts {
  return {
    dispatches: after.dispatches - before.dispatches,
    submits: after.submits - before.submits,
    readBacks: after.readBacks - before.readBacks,
    weightBytesRead: after.weightBytesRead - before.weightBytesRead,
    objectsCreated: after.objectsCreated - before.objectsCreated,
  };
}
