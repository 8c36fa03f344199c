// A child process that answers each line on its standard input with one on its standard output.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Longest a child may take to end once its standard input has. */
const endGraceMs = 10_000;
/** Lines kept of what a child last said on standard error, for the message when it dies. */
const lastLinesMax = 20;

/** What to start. */
export interface LineChildOptions {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** A running child. Its standard input is a pipe: when we vanish, it ends by itself. */
export class LineChild implements AsyncDisposable {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #lastLines: string[] = [];
  #waiting: PromiseWithResolvers<string> | undefined;
  #end: Error | undefined;

  constructor({ name, command, args }: LineChildOptions) {
    this.#name = name;
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#exited = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(this.#conclude(String(error))));
      this.#child.once("close", (code, signal) =>
        resolve(this.#conclude(`ended with ${signal ?? `status ${code}`}`)),
      );
    });
    // The pipe breaks when the child dies; its end says all there is to say.
    this.#child.stdin!.on("error", () => {});
    createInterface({ input: this.#child.stderr! }).on("line", (line) => {
      this.#lastLines.push(line);
      if (this.#lastLines.length > lastLinesMax) this.#lastLines.shift();
    });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.#waiting?.resolve(line);
      this.#waiting = undefined;
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /**
   * Asks one question; one at a time.
   *
   * @throws {Error} with the child's last words, if it ends before it answers
   */
  async ask(line: string): Promise<string> {
    if (this.#end !== undefined) throw this.#end;
    if (this.#waiting !== undefined) throw new Error(`${this.#name} was asked two things at once`);
    this.#waiting = Promise.withResolvers<string>();
    this.#child.stdin!.write(`${line}\n`);
    return await this.#waiting.promise;
  }

  /** Lets it end; kills it if it does not. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#end !== undefined) return;
    this.#child.stdin!.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), endGraceMs);
    await this.#exited;
    clearTimeout(timer);
  }

  #conclude(how: string): void {
    this.#end = new Error([`${this.#name} ${how}`, ...this.#lastLines].join("\n  "));
    this.#waiting?.reject(this.#end);
    this.#waiting = undefined;
  }
}
