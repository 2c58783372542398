/**
 * What the formats need of the machine: to inflate and to deflate.
 *
 * One code path reads and writes gzip everywhere; only these two differ. `platform-portable.ts` runs in browsers (and
 * wherever JavaScript runs), `platform-native.ts` asks the native backend, and `platform-node.ts` has Node's zlib
 * beneath it, for Node without that backend.
 */
import type { Backend } from "../backend/backend.ts";

export interface Platform {
  /**
   * Pieces of what the raw deflate stream at `start` decodes to. A reader takes `most` bytes and leaves; pieces are
   * bounded in size or by `most`, so that this has stopped a bomb. Returns where the stream ends and the CRC-32 of what
   * it decodes to. Throws `Truncated` where the input ends first and `BadGzip` where it is damaged.
   */
  inflate(bytes: Uint8Array, start: number, most: number): AsyncGenerator<Uint8Array, Ended>;
  /**
   * Raw deflate of parts that follow each other, in pieces to be joined. Returns the CRC-32 of all parts. The same parts
   * and packing give the same result, whatever the number of threads.
   */
  deflate(parts: Pieces, packing: Packing): AsyncGenerator<Uint8Array, number>;
}

export interface Packing {
  /** 1 to 9. */
  readonly level: number;
  /** Whether the parts hold numbers of four or eight bytes, which may take few values. */
  readonly words: boolean;
}

/** Bytes that follow each other, not joined: a volume's are too many to be copied for nothing. */
export type Pieces = readonly Uint8Array[];

/** Bytes that follow each other, perhaps made as they are asked for. */
export type Stream = Pieces | AsyncIterable<Uint8Array>;

export interface Ended {
  /** The position of the first byte behind the stream. */
  readonly end: number;
  readonly crc: number;
}

/** The platform to work on; `backend` loads one only where that is asked for. */
export type ChoosePlatform = (backend: () => Promise<Backend>, signal?: AbortSignal) => Promise<Platform>;

/**
 * How Node packs: in chunks, each by itself, so that several threads can; and at level 1 by few kinds of repeats. Voxels
 * hold runs (air, masks), few values or noise, hardly any sequence that comes again: `docs/design/files.md` has the figures.
 */
export const inChunks = ({ level, words }: Packing) => ({ level, words, fast: level === 1, chunk: 1 << 20 });
