/** Bytes that arrive in pieces. */
import { VoxnormError } from "../errors.ts";

/**
 * A growing run of bytes in one buffer.
 *
 * It grows with what has arrived rather than to what a header promised: a header that lies costs at most twice
 * the bytes that are there.
 */
export class GrowingBytes {
  #buffer: Uint8Array<ArrayBuffer> = allocate(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  /**
   * Adds a piece, which is kept itself where it is the first of at least `capacity` bytes. `expected` is the length that
   * it will probably be in the end: growth stops there.
   */
  append(piece: Uint8Array, expected: number, capacity = 0): void {
    const needed = this.#length + piece.length;
    if (this.#length === 0 && piece.length >= capacity && piece.length === piece.buffer.byteLength) {
      this.#buffer = piece as Uint8Array<ArrayBuffer>;
      this.#length = needed;
      return;
    }
    if (needed > this.#buffer.length) this.#reserve(Math.max(needed, capacity, Math.min(2 * needed, expected)));
    this.#buffer.set(piece, this.#length);
    this.#length = needed;
  }

  #reserve(capacity: number): void {
    const grown = allocate(capacity);
    grown.set(this.bytes);
    this.#buffer = grown;
  }
}

/** `parts` cut into pieces of at most `size` bytes, each part by itself; an empty one where there are no bytes. */
export function cut(parts: readonly Uint8Array[], size: number): Uint8Array[] {
  const pieces = parts.flatMap((part) => {
    const count = Math.ceil(part.length / size);
    return Array.from({ length: count }, (_, index) => part.subarray(index * size, (index + 1) * size));
  });
  return pieces.length > 0 ? pieces : [allocate(0)];
}

export function concatenate(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = allocate(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** Zeroed bytes, in a buffer of their own. Throws `TooLarge` where the machine has no such buffer. */
export function allocate(size: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(size);
  } catch (cause) {
    throw new VoxnormError("TooLarge", `this machine gives no buffer of ${size} bytes`, { bytes: size }, cause);
  }
}
