/**
 * What the formats need of the machine: to inflate, to deflate and to sum up.
 *
 * One code path reads gzip everywhere; only these three differ. `platform-portable.ts` runs in browsers
 * (and wherever JavaScript runs), `platform-node.ts` has zlib beneath it and is what the Node entry passes.
 */
export interface Platform {
  /**
   * Pieces of what the raw deflate stream at `start` decodes to, of a bounded size each, so that a reader who
   * stops has stopped a bomb. Returns the position of the first byte behind the stream. Throws `Truncated` where
   * the input ends first and `BadGzip` where it is damaged; checksums are the caller's.
   */
  inflate(bytes: Uint8Array, start: number): AsyncGenerator<Uint8Array, number>;
  /** Raw deflate. The same bytes and level give the same result. */
  deflate(bytes: Uint8Array, level: number): Promise<Uint8Array>;
  /** The CRC-32 of `bytes`, continuing from `previous`. */
  crc32(bytes: Uint8Array, previous: number): number;
}
