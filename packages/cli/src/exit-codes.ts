// What the octet command's exit code means; `octet --help` prints this table.

/** Exit codes, stable for scripts. */
export const exitCodes = {
  ok: 0,
  /** Something failed; standard error says what. */
  failure: 1,
  /** The command line was wrong. */
  usage: 2,
  /** The server, or an expert it needs, could not be reached. Trying again may help. */
  unavailable: 3,
  /** The request was refused as it stands. Trying again does not help. */
  refused: 4,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

/** The table for help texts. */
export const exitCodeHelp = `Exit codes:
  0    done
  1    failed; standard error says why
  2    wrong usage
  3    the server or an expert could not be reached; trying again may help
  4    the request was refused as it stands
  130  interrupted by Ctrl-C`;

/** A failure with a message for people and an exit code for scripts. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number;
  constructor(message: string, options?: { exitCode?: number; cause?: unknown }) {
    super(message, { cause: options?.cause });
    this.exitCode = options?.exitCode ?? exitCodes.failure;
  }
}
