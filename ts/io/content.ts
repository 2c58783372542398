/**
 * What a file holds, once unpacked: given out from the start, and never more than a header accounts for.
 *
 * A format reads its header with `start`, computes from it how long the file should be, and asks for the
 * `whole` of it. The two sizes are compared before anything is allocated on the header's word.
 */
import { type ErrorCode, type ErrorDetail, VoxnormError } from "../errors.ts";
import { GrowingBytes } from "./bytes.ts";
import { isGzip, members } from "./gzip.ts";
import type { Platform } from "./platform.ts";
import type { Warn } from "./warnings.ts";

/** More than this beyond the declared size is an error, less is a warning: editors and tapes pad files. */
export const tolerated = 64 * 1024;

/** Deflate's best case: a match of 258 bytes in two bits. */
const largestRatio = 1032;

export interface Content {
  readonly compressed: boolean;
  /** The first `count` bytes and perhaps more; fewer where there are no more. */
  start(count: number): Promise<Uint8Array>;
  /** All of it, which is at least `declared` bytes. Throws `Truncated`, `TrailingData`, `BadGzip` or `TooLarge`. */
  whole(declared: number): Promise<Uint8Array>;
  /** Ends work in progress. */
  close(): Promise<void>;
}

/** The content of a file: unpacked where it is gzip, whatever its name. */
export function contentOf(bytes: Uint8Array, platform: Platform, warn: Warn): Content {
  return isGzip(bytes, 0) ? new GzipContent(bytes, platform, warn) : new PlainContent(bytes, warn);
}

class PlainContent implements Content {
  readonly compressed = false;
  readonly #bytes: Uint8Array;
  readonly #warn: Warn;

  constructor(bytes: Uint8Array, warn: Warn) {
    this.#bytes = bytes;
    this.#warn = warn;
  }

  async start(): Promise<Uint8Array> {
    return this.#bytes;
  }

  async whole(declared: number): Promise<Uint8Array> {
    compareLength(this.#bytes.length, declared, this.#warn);
    return this.#bytes;
  }

  async close(): Promise<void> {}
}

class GzipContent implements Content {
  readonly compressed = true;
  readonly #packed: number;
  readonly #warn: Warn;
  readonly #pieces: AsyncGenerator<Uint8Array, void>;
  readonly #held = new GrowingBytes();

  constructor(bytes: Uint8Array, platform: Platform, warn: Warn) {
    this.#packed = bytes.length;
    this.#warn = warn;
    this.#pieces = members(bytes, platform, warn);
  }

  async start(count: number): Promise<Uint8Array> {
    await this.#fill(count, count);
    return this.#held.bytes;
  }

  async whole(declared: number): Promise<Uint8Array> {
    if (declared > this.#packed * largestRatio) {
      const message = `${this.#packed} compressed bytes cannot hold the ${declared} bytes that the header declares`;
      throw new VoxnormError("Truncated", message, { declared, compressed: this.#packed });
    }
    // Most volumes pack to more than an eighth: for those this is the only allocation.
    this.#held.reserve(Math.min(declared, 8 * this.#packed));
    // Reading on to the end of the stream is what checks its CRC and length.
    await this.#fill(declared + tolerated + 1, declared);
    compareLength(this.#held.length, declared, this.#warn, "at least ");
    return this.#held.bytes;
  }

  async close(): Promise<void> {
    await this.#pieces.return();
  }

  async #fill(count: number, expected: number): Promise<void> {
    while (this.#held.length < count) {
      const { done, value } = await this.#pieces.next();
      if (done) return;
      this.#held.append(value, expected);
    }
  }
}

function compareLength(found: number, declared: number, warn: Warn, atLeast = ""): void {
  const fail = (code: ErrorCode, message: string, detail: ErrorDetail) => {
    throw new VoxnormError(code, message, { declared, found, ...detail });
  };
  const surplus = found - declared;
  if (surplus < 0) {
    fail("Truncated", `expected ${declared} bytes, as the header declares, got ${found}: ${-surplus} are missing`, {
      missing: -surplus,
    });
  }
  if (surplus > tolerated) {
    fail("TrailingData", `expected ${declared} bytes, as the header declares, got ${atLeast}${found}`, { tolerated });
  }
  if (surplus > 0) warn("TrailingBytes", `${surplus} bytes behind the voxels were ignored`);
}
