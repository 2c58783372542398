/** Our own inflate and CRC-32 against zlib's: all levels, strategies and window sizes; cuts and damage. */
import { constants, deflateRawSync, inflateRawSync, crc32 as zlibCrc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { crc32 } from "../../dist/io/crc32.js";
import { inflate } from "../../dist/io/inflate.js";

let seed = 1;
/** 0 to 1, the same numbers every time. */
function random(): number {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return seed / 0x7fffffff;
}

/** Bytes of a kind: noise, zeros, skewed, repeating, bell-shaped. */
const kinds: Record<string, (at: number, bytes: Uint8Array) => number> = {
  noise: () => random() * 256,
  zeros: () => 0,
  skewed: () => random() * random() * random() * 256,
  repeating: (at, bytes) => (at % 300 === 0 ? random() * 256 : bytes[at - Math.min(at, 77)]!),
  bell: () => 128 + 20 * (random() + random() + random() - 1.5),
};

function make(kind: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = kinds[kind]!(at, bytes);
  return bytes;
}

function whole(bytes: Uint8Array, start = 0): { end: number; data: Buffer } {
  const pieces: Uint8Array[] = [];
  const decoded = inflate(bytes, start);
  for (;;) {
    const { done, value } = decoded.next();
    if (done) return { end: value, data: Buffer.concat(pieces) };
    pieces.push(value);
  }
}

const codeOf = (run: () => unknown): string | undefined => {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return undefined;
};

describe.each(Object.keys(kinds))("%s", (kind) => {
  const { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED } = constants;
  const strategies = [Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED];

  it("decodes, and ends where the stream does", () => {
    for (let round = 0; round < 60; round++) {
      const data = make(kind, round < 20 ? round : Math.floor(random() * random() * 50_000));
      const [level, strategy] = [round % 10, strategies[round % strategies.length]!];
      const packed = deflateRawSync(data, { level, strategy, windowBits: 9 + (round % 7), memLevel: 1 + (round % 9) });
      const found = whole(Buffer.concat([Buffer.alloc(3), packed, Buffer.alloc(8, 255)]), 3);
      expect(found.end).toBe(3 + packed.length);
      expect(found.data.equals(data)).toBe(true);
    }
  });

  it("decodes what is longer than a piece", () => {
    const data = make(kind, 3_500_000);
    for (const level of [0, 1, 9]) expect(whole(deflateRawSync(data, { level })).data.equals(data)).toBe(true);
  });

  it("says that a cut stream is cut", () => {
    const packed = deflateRawSync(make(kind, 200));
    for (let end = 0; end < packed.length; end++)
      expect(codeOf(() => whole(packed.subarray(0, end)))).toBe("Truncated");
  });

  it("takes damage as zlib does", () => {
    for (let round = 0; round < 100; round++) {
      const damaged = Buffer.from(deflateRawSync(make(kind, 1000), { level: round % 10 }));
      damaged[Math.floor(random() * Math.min(damaged.length, 100))]! ^= 1 << Math.floor(random() * 8);
      let expected: Buffer | undefined;
      const zlibFails = codeOf(() => (expected = inflateRawSync(damaged))) !== undefined;
      if (zlibFails) expect(codeOf(() => whole(damaged))).toMatch(/^(BadGzip|Truncated)$/);
      else expect(whole(damaged).data.equals(expected!)).toBe(true);
    }
  });
});

it("sums up as zlib does", () => {
  for (let length = 0; length < 40; length++) {
    const bytes = make("noise", length + 3).subarray(3);
    expect(crc32(bytes)).toBe(zlibCrc32(bytes));
    expect(crc32(bytes, 0x89abcdef)).toBe(zlibCrc32(bytes, 0x89abcdef));
  }
});
