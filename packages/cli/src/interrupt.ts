// Ctrl-C and SIGTERM as an AbortSignal.

/** The reason of an abort that the user asked for. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor(signalName: string) {
    super(`interrupted by ${signalName}`);
  }
}

let controller: AbortController | undefined;

/**
 * Aborted by the first Ctrl-C, SIGTERM or SIGHUP, with {@link Interrupted}; a second Ctrl-C ends
 * the process at once. One signal for the whole process.
 */
export function interruptSignal(): AbortSignal {
  if (controller === undefined) {
    const created = new AbortController();
    controller = created;
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(name, () => {
        if (created.signal.aborted && name === "SIGINT") process.exit(130);
        created.abort(new Interrupted(name));
      });
    }
  }
  return controller.signal;
}
