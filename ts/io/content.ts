/**
 * What a file holds, once unpacked: given out from the start, and never more than a header accounts for.
 *
 * A format reads its header with `start`, computes from it how long the file should be, and asks for the
 * `whole` of it. The two sizes are compared before anything is allocated on the header's word.
 */
import { type ErrorCode, type ErrorDetail, VoxnormError } from "../errors.ts";
import { allocate, GrowingBytes } from "./bytes.ts";
import { isGzip, members } from "./gzip.ts";
import type { Platform } from "./platform.ts";
import type { Warn } from "./warnings.ts";

/** So that a damaged stream is told as such, rather than by the odd header that its first bytes may decode to. */
const leastStart = 1 << 16;

/** Deflate's best case: a match of 258 bytes in two bits. */
const largestRatio = 1032;

export interface Content {
  readonly compressed: boolean;
  /** The first `count` bytes and perhaps more; all where there are fewer, which are then sound. */
  start(count: number): Promise<Uint8Array>;
  /** All of it, which is at least `declared` bytes. Throws `Truncated`, `TrailingData`, `BadGzip` or `TooLarge`. */
  whole(declared: number): Promise<Uint8Array>;
}

/** What a reader says of bytes that nobody asked for: a warning up to `trailing` of them, an error beyond. */
interface Tell {
  readonly trailing: number;
  readonly warn: Warn;
}

/** The content of a file: unpacked where it is gzip, whatever its name. */
export function contentOf(bytes: Uint8Array, platform: Platform, tell: Tell): Content {
  return isGzip(bytes, 0) ? new GzipContent(bytes, platform, tell) : new PlainContent(bytes, tell);
}

class PlainContent implements Content {
  readonly compressed = false;
  readonly #bytes: Uint8Array;
  readonly #tell: Tell;

  constructor(bytes: Uint8Array, tell: Tell) {
    this.#bytes = bytes;
    this.#tell = tell;
  }

  async start(): Promise<Uint8Array> {
    return this.#bytes;
  }

  async whole(declared: number): Promise<Uint8Array> {
    compareLength(this.#bytes.length, declared, this.#tell);
    return this.#bytes;
  }
}

class GzipContent implements Content {
  readonly compressed = true;
  readonly #bytes: Uint8Array;
  readonly #platform: Platform;
  readonly #tell: Tell;
  #start: Uint8Array = allocate(0);

  constructor(bytes: Uint8Array, platform: Platform, tell: Tell) {
    this.#bytes = bytes;
    this.#platform = platform;
    this.#tell = tell;
  }

  /** Unpacked anew by `whole`: what is needed of the start is little. */
  async start(count: number): Promise<Uint8Array> {
    if (this.#start.length < count) {
      const most = Math.max(count, leastStart);
      this.#start = await this.#unpack(most, most, () => {});
    }
    return this.#start;
  }

  async whole(declared: number): Promise<Uint8Array> {
    const { length } = this.#bytes;
    if (declared > length * largestRatio) {
      const message = `${length} compressed bytes cannot hold the ${declared} bytes that the header declares`;
      throw new VoxnormError("Truncated", message, { declared, compressed: length });
    }
    // Reading on to the end of the stream is what checks its CRC and length.
    const found = await this.#unpack(declared + this.#tell.trailing + 1, declared, this.#tell.warn);
    compareLength(found.length, declared, this.#tell, "at least ");
    return found;
  }

  async #unpack(most: number, expected: number, warn: Warn): Promise<Uint8Array> {
    const held = new GrowingBytes();
    for await (const piece of members(this.#bytes, most, this.#platform, warn)) {
      // Most volumes pack to more than an eighth: for those this is the only allocation.
      held.append(piece, expected, Math.min(expected, 8 * this.#bytes.length));
    }
    return held.bytes;
  }
}

function compareLength(found: number, declared: number, { trailing, warn }: Tell, atLeast = ""): void {
  const fail = (code: ErrorCode, message: string, detail: ErrorDetail) => {
    throw new VoxnormError(code, message, { declared, found, ...detail });
  };
  const surplus = found - declared;
  if (surplus < 0) {
    fail("Truncated", `expected ${declared} bytes, as the header declares, got ${found}: ${-surplus} are missing`, {
      missing: -surplus,
    });
  }
  if (surplus > trailing) {
    fail("TrailingData", `expected ${declared} bytes, as the header declares, got ${atLeast}${found}`, { trailing });
  }
  if (surplus > 0) warn("TrailingBytes", `${surplus} bytes behind the voxels were ignored`);
}
