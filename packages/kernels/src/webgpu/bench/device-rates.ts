// What a device can do at most, measured on it: reads, and f32 fma.
import { BindGroups } from "../device/bind-groups.ts";
import { bufferUsage } from "../device/buffer-usage.ts";
import type { Dispatch } from "../device/commands.ts";
import type { GpuDevice } from "../device/gpu-device.ts";
import type { Kernel } from "../device/kernel.ts";
import type { DispatchTimer } from "../tuning/dispatch-timer.ts";
import { anyWords, createFilled } from "../tuning/random-matrix.ts";

/** The limits that kernels are held against. */
export interface DeviceRates {
  readonly readBytesPerSecond: number;
  /** f32 multiply-adds, each counted once. */
  readonly fmaPerSecond: number;
}

/** Threads of a workgroup of both shaders. */
const threads = 256;
/** fma of a thread and turn of measure-fma.wgsl. */
const fmaPerTurn = 32;
const turns = 256;

/** Enough to fill any GPU, and for one in software to be done soon. */
const sizes = {
  hardware: { readBytes: 512 * 1024 * 1024, readWorkgroups: 4096, fmaWorkgroups: 4096 },
  software: { readBytes: 16 * 1024 * 1024, readWorkgroups: 64, fmaWorkgroups: 16 },
} as const;

export async function measureRates(device: GpuDevice, timer: DispatchTimer): Promise<DeviceRates> {
  const size = device.facts.isSoftware ? sizes.software : sizes.hardware;
  const { maxStorageBufferBindingSize, maxBufferSize } = device.raw.limits;
  const sizeBytes = Math.min(size.readBytes, maxStorageBufferBindingSize, maxBufferSize);
  const data = createFilled(device, "rates data", { sizeBytes, words: anyWords });
  const out = device.createBuffer("rates out", 16, bufferUsage.storage);
  try {
    const reads = device.kernels.load({
      shader: "measure-reads",
      constants: {},
      bindings: ["read", "write"],
      parameterWords: 2,
    });
    const fma = device.kernels.load({
      shader: "measure-fma",
      constants: {},
      bindings: ["write"],
      parameterWords: 3,
    });
    const time = (
      kernel: Kernel,
      buffers: GPUBuffer[],
      run: Pick<Dispatch, "parameters" | "workgroups">,
    ) => {
      const bindGroup = new BindGroups(device).get(kernel, buffers);
      return timer.time([{ kernel, bindGroup, weightBytesRead: 0, ...run }]);
    };
    const pieces = Math.floor(data.size / 16);
    const readUs = await time(reads, [data, out], {
      parameters: Uint32Array.of(pieces, size.readWorkgroups * threads),
      workgroups: [size.readWorkgroups, 1],
    });
    const numbers = new Uint32Array(Float32Array.of(0.999, 0.001).buffer);
    const fmaUs = await time(fma, [out], {
      parameters: Uint32Array.of(turns, ...numbers),
      workgroups: [size.fmaWorkgroups, 1],
    });
    const fmaDone = size.fmaWorkgroups * threads * turns * fmaPerTurn;
    return {
      readBytesPerSecond: (pieces * 16 * 1e6) / readUs,
      fmaPerSecond: (fmaDone * 1e6) / fmaUs,
    };
  } finally {
    data.destroy();
    out.destroy();
  }
}
