import fc from "fast-check";
import { expect, test } from "vitest";
import { type FrameHead, frameType, toFrame } from "./frame.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { headerBlockBytesMax } from "./header-block.ts";
import { cutAt } from "./testing/cut-bytes.ts";

type Read = FrameHead & { payload: number[] };

/** Notes frames down; DATA as the pieces it came in, put together. */
class Notes implements FrameSink {
  readonly frames: Read[] = [];
  #data: number[] = [];

  onDataBegin(): void {
    this.#data = [];
  }
  onData(_head: FrameHead, piece: Buffer): void {
    this.#data.push(...piece);
  }
  onDataEnd(head: FrameHead): void {
    this.frames.push({ ...head, payload: this.#data });
  }
  onFrame(head: FrameHead, payload: Buffer): void {
    this.frames.push({ ...head, payload: [...payload] });
  }
}

const someFrames = fc.array(
  fc.record({
    type: fc.constantFrom(...Object.values(frameType)),
    flags: fc.nat(255),
    streamId: fc.nat(2 ** 31 - 1),
    payload: fc.uint8Array({ maxLength: 30 }),
  }),
  { maxLength: 8 },
);

test("frames come out as they went in, however the bytes are cut", () => {
  fc.assert(
    fc.property(someFrames, fc.array(fc.nat(320)), (frames, cuts) => {
      const notes = new Notes();
      const reader = new FrameReader(notes);
      const whole = Buffer.concat(frames.map(({ type, ...rest }) => toFrame(type, rest)));
      for (const piece of cutAt(whole, cuts)) {
        reader.push(piece);
        piece.fill(0xee); // what was pushed is the socket's again
      }
      const expected = frames.map(({ payload, ...head }) => {
        return { ...head, length: payload.length, payload: [...payload] };
      });
      expect(notes.frames).toEqual(expected);
    }),
  );
});

test("DATA may be of any length, and every other frame has a limit before it is collected", () => {
  const long = new Uint8Array(headerBlockBytesMax + 1);
  const notes = new Notes();
  new FrameReader(notes).push(toFrame(frameType.data, { streamId: 1, payload: long }));
  expect(notes.frames[0]!.length).toBe(long.length);
  for (const type of Object.values(frameType).filter((each) => each !== frameType.data)) {
    const head = toFrame(type, { payload: long }).subarray(0, 9);
    expect(() => new FrameReader(notes).push(head)).toThrow(`type ${type} with ${long.length}`);
  }
});
