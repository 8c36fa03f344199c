// Reads a stream in pieces, so that a test can act in its middle.

/** The body of a response, as far as it was read. */
export class StreamReader {
  text = "";
  readonly #reader: ReadableStreamDefaultReader<string>;

  constructor(response: Response) {
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Reads until there is enough. */
  async until(isEnough: (text: string) => boolean): Promise<void> {
    while (!isEnough(this.text)) {
      if (!(await this.#read())) throw new Error(`the stream ended early: ${this.text}`);
    }
  }

  /** All of it. */
  async toEnd(): Promise<string> {
    while (await this.#read());
    return this.text;
  }

  async #read(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    if (!done) this.text += value;
    return !done;
  }
}
