// grpc.health.v1: whether a process lives, and whether it is ready for work.
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  Health as HealthService,
} from "./gen/grpc/health/v1/health_pb.ts";
import { LeanCallError } from "./lean/lean-call-error.ts";
import { callLean, connectLean } from "./lean/lean-client.ts";
import { type LeanMethod, leanUnaryMethod, pathOf } from "./lean/lean-server.ts";
import { statusCode } from "./status-code.ts";

/** The health name that follows readiness; "" is whether the process lives. */
export const readinessName = "readiness";

/** A server's switches, and who looks at them. */
export class Health {
  readonly #serving: Map<string, boolean>;
  readonly #onChange = new Set<(name: string, isServing: boolean) => void>();

  /** Lives, and is not ready. @param serviceNames full names, which follow readiness */
  constructor(serviceNames: readonly string[]) {
    const names = [readinessName, ...serviceNames];
    this.#serving = new Map([["", true], ...names.map((name) => [name, false] as const)]);
  }

  /** What "readiness" and every service's full name answer. */
  setReady(ready: boolean): void {
    for (const name of this.#serving.keys()) if (name !== "") this.#set(name, ready);
  }

  /** What "" answers; false once the process is ending. */
  setLive(live: boolean): void {
    this.#set("", live);
  }

  /** Undefined for a name that is not served. */
  isServing(name: string): boolean | undefined {
    return this.#serving.get(name);
  }

  /** Tells of every name as it is, and then of every change. */
  follow(onChange: (name: string, isServing: boolean) => void): void {
    for (const [name, isServing] of this.#serving) onChange(name, isServing);
    this.#onChange.add(onChange);
  }

  #set(name: string, isServing: boolean): void {
    if (this.#serving.get(name) === isServing) return;
    this.#serving.set(name, isServing);
    for (const tell of this.#onChange) tell(name, isServing);
  }
}

/** Answers Check on lean connections. */
export function leanHealthCheck(health: Health): [path: string, method: LeanMethod] {
  const { check } = HealthService.method;
  const answer = ({ service }: HealthCheckRequest) => {
    const isServing = health.isServing(service);
    if (isServing === undefined) {
      const details = `no health of ${JSON.stringify(service)} here`;
      throw new LeanCallError({ code: statusCode.NOT_FOUND, details });
    }
    const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;
    return { status: isServing ? SERVING : NOT_SERVING };
  };
  return [pathOf(check), leanUnaryMethod(check, answer)];
}

/**
 * Asks a server how it is, whether or not it is one of ours.
 *
 * @param name "", "readiness" or a service's full name
 * @returns whether it says SERVING
 * @throws {Error} whose `code` is gRPC's: UNAVAILABLE, DEADLINE_EXCEEDED, or NOT_FOUND for another
 *   name
 */
export async function checkHealth(
  address: string,
  name: string,
  bounds: { readonly deadlineMs: number },
): Promise<boolean> {
  const { status } = await check(address, name, bounds.deadlineMs);
  return status === HealthCheckResponse_ServingStatus.SERVING;
}

async function check(
  address: string,
  service: string,
  deadlineMs: number,
): Promise<HealthCheckResponse> {
  const lean = await connectBefore(address, deadlineMs);
  if (lean !== undefined) {
    const bounds = { request: { service }, deadlineMs };
    return callLean(lean, HealthService.method.check, bounds).finally(() =>
      lean.connection.destroy("asked and answered"),
    );
  }
  const { createClient } = await import("./grpc-client.ts");
  const client = createClient(HealthService, address);
  return client.check({ service }, { deadlineMs }).finally(() => client.close());
}

async function connectBefore(address: string, deadlineMs: number) {
  const signal = AbortSignal.timeout(deadlineMs);
  try {
    return await connectLean(address, { signal });
  } catch (cause) {
    const late = { code: statusCode.DEADLINE_EXCEEDED, details: `no answer in ${deadlineMs} ms` };
    const details = cause instanceof Error ? cause.message : String(cause);
    const away = { code: statusCode.UNAVAILABLE, details };
    throw new LeanCallError(signal.aborted ? late : away, { cause });
  }
}
