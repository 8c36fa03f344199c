/** GPUBufferUsage's flags: Dawn in Node makes no globals. */
export const bufferUsage = {
  mapRead: 1,
  copySource: 4,
  copyTarget: 8,
  uniform: 64,
  storage: 128,
} as const;
