/**
 * 20,000 seeded mutations of sound files: each is read as sound volumes or refused with a code of ours, alike on both
 * backends and both platforms, within two seconds and the memory stated below.
 *
 * Mutations hit the file as it lies on the disk or, for gzip, what is packed within, so that checksums hold and the
 * header is reached. Numbers that decide something (sizes, offsets, types) are hit most, by values that are known to hurt.
 */
import { describe, expect, it } from "vitest";
import { VoxnormError } from "../../dist/index.js";
import { decodeAll as decodePortably } from "../../dist/io/index.js";
import { decodeAll as decode } from "../../dist/io/index-node.js";
import { expectVolume, type Volume } from "../../dist/volume.js";
import { bits, random, useBackend } from "../api/images.ts";
import { extension, niftiBytes, type Parts, packed } from "./nifti-bytes.ts";

const count = 20_000;
const longestMs = 2000;
/** Beyond what the process has before. A file here has less than 1 KB, so this is garbage that awaits collection. */
const mostMemory = 256 * 2 ** 20;
const batches = 20;

const dim = [3, 4, 3, 5, 1, 1, 1, 1];
const between = extension(32, 6, 24);
const qform = { code: 1, numbers: [0.1, -0.2, 0.3, -90.5, 12.25, 7.125] };
const pixdim = [-1, 0.9, 1.1, 3, 1, 1, 1, 1];
const voxels = (size: number) => Uint8Array.from({ length: 60 * size }, (_, i) => (i * 37) % 101);
const kinds: Parts[] = [
  { dim, datatype: 2, voxels: voxels(1) },
  { dim, datatype: 4, voxels: voxels(2), between, slope: 0.5, intercept: -3 },
  { dim, datatype: 64, voxels: voxels(8), qform, pixdim, sform: { code: 0, numbers: new Array(12).fill(0) } },
  { dim: [4, 4, 3, 5, 1, 1, 1, 1], datatype: 16, voxels: voxels(4), pixdim, qform },
];
const files = kinds.flatMap((kind) =>
  ([1, 2] as const).flatMap((version) =>
    [true, false].map((little) => ({ version, little, bytes: niftiBytes({ ...kind, version, little }) })),
  ),
);

/** Where the numbers lie that decide how a file is read, with their size in bytes. */
const fields = {
  1: [
    ...[0, 108, 112, 116, 256, 260, 264, 280, 296, 312, 348, 352, 356].map((at) => [at, 4]),
    ...[40, 42, 44, 46, 48, 50, 52, 54, 70, 72, 252, 254, 344].map((at) => [at, 2]),
    ...[76, 80, 84, 88, 92].map((at) => [at, 4]),
    ...[123, 344, 345, 346, 347].map((at) => [at, 1]),
  ],
  2: [
    ...[0, 344, 348, 500, 540, 544, 548].map((at) => [at, 4]),
    ...[16, 24, 32, 40, 48, 56, 64, 72, 104, 112, 120, 128, 136, 168, 176, 184, 352, 360, 400, 432].map((at) => [
      at,
      8,
    ]),
    ...[12, 14].map((at) => [at, 2]),
    ...[4, 5, 6, 7, 8, 9, 10, 11].map((at) => [at, 1]),
  ],
} as Record<1 | 2, [at: number, size: number][]>;

const integers = [0, 1, -1, 2, 3, 4, 5, 7, 8, 16, 64, 127, 128, 255, 256, 348, 352, 540, 544, 32767, -32768, 65536];
const longs = [2n ** 31n - 1n, -(2n ** 31n), 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n)];
const reals = [
  0,
  -0,
  1,
  -1,
  0.5,
  352.5,
  1e-45,
  1e-308,
  1e30,
  3e38,
  -3e38,
  1e300,
  1e308,
  Infinity,
  -Infinity,
  Number.NaN,
];

interface Mutated {
  readonly bytes: Uint8Array;
  readonly told: string;
}

/** One to three edits of `bytes`. */
function mutate(given: Uint8Array, next: () => number, version?: 1 | 2, little = true): Mutated {
  let bytes = given;
  const below = (end: number) => Math.floor(next() * end);
  const told: string[] = [];
  const put = (at: number, size: number, real: boolean) => {
    if (at + size > bytes.length) return;
    bytes = bytes.slice();
    const view = new DataView(bytes.buffer);
    const number = integers[below(integers.length)]!;
    const long = longs[below(longs.length)]!;
    const value = reals[below(reals.length)]!;
    told.push(`${size} bytes at ${at} = ${real ? value : size === 8 && number > 100 ? long : number}`);
    if (size === 1) view.setUint8(at, number);
    else if (size === 2) view.setInt16(at, number, little);
    else if (size === 4 && real) view.setFloat32(at, value, little);
    else if (size === 4) view.setInt32(at, number > 1000 ? Number(long % 2n ** 31n) : number, little);
    else if (real) view.setFloat64(at, value, little);
    else view.setBigInt64(at, number > 100 ? long : BigInt(number), little);
  };
  const edits = [
    () => {
      const at = below(bytes.length);
      const bit = below(8);
      told.push(`bit ${bit} of byte ${at}`);
      bytes = bytes.with(at, bytes[at]! ^ (1 << bit));
    },
    () => {
      const at = below(bytes.length);
      const value = below(256);
      told.push(`byte ${at} = ${value}`);
      bytes = bytes.with(at, value);
    },
    () => {
      const end = below(bytes.length + 1);
      told.push(`cut at ${end}`);
      bytes = bytes.subarray(0, end);
    },
    () => {
      const [from, to, length] = [below(bytes.length), below(bytes.length), 1 + below(40)];
      told.push(`${length} bytes from ${from} to ${to}`);
      bytes = bytes.slice();
      bytes.set(bytes.slice(from, Math.min(from + length, from + bytes.length - to)), to);
    },
    () => {
      const [at, length] = [below(bytes.length), 1 + below(20)];
      told.push(`${length} bytes at ${at} taken out`);
      bytes = new Uint8Array(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]));
    },
    () => {
      const [at, from, length] = [below(bytes.length), below(bytes.length), 1 + below(300)];
      told.push(`${length} bytes from ${from} put in at ${at}`);
      const piece = bytes.subarray(from, from + length);
      bytes = new Uint8Array(Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]));
    },
  ];
  const structural = version === undefined ? 0 : 0.7;
  for (let edit = 1 + below(3); edit > 0 && bytes.length > 0; edit--) {
    if (next() < structural) {
      const [at, size] = fields[version!][below(fields[version!].length)]!;
      put(at, size, next() < 0.5);
    } else {
      edits[below(edits.length)]!();
    }
  }
  return { bytes, told: told.join(", ") };
}

/** The mutation of that number: the same on every run. */
function mutation(number: number): Mutated {
  const next = random(number);
  const { bytes, version, little } = files[number % files.length]!;
  const level = Math.floor(next() * 3);
  const name = `mutation ${number}, NIfTI-${version}, ${little ? "little" : "big"}-endian`;
  if (level === 2) {
    const { bytes: mutated, told } = mutate(packed(bytes), next);
    return { bytes: mutated, told: `${name}, of its gzip: ${told}` };
  }
  const { bytes: mutated, told } = mutate(bytes, next, version, little);
  return { bytes: level === 1 ? packed(mutated) : mutated, told: `${name}${level === 1 ? ", packed" : ""}: ${told}` };
}

/** The volumes' bits and place and the warnings, or the error's code. */
async function outcome(read: Promise<Volume[]>, told: string): Promise<string> {
  try {
    const volumes = (await read).map((volume) => expectVolume(told, volume));
    return JSON.stringify(volumes.map((volume) => [bits(volume), volume.grid, volume.meta.warnings]));
  } catch (error) {
    if (error instanceof VoxnormError && error.kind !== "internal" && error.code !== "BadVolume") return error.code;
    throw new Error(`${told}: expected a volume or a code, got ${error}`, { cause: error });
  }
}

const isRefused = (end: string) => !end.startsWith("[");

describe(`${count} mutations`, () => {
  const native = useBackend("native");
  const wasm = useBackend("wasm");
  const ends = new Map<string, number>();
  const before = process.resourceUsage().maxRSS * 1024;

  it.each(Array.from({ length: batches }, (_, batch) => batch))("part %d", async (batch) => {
    for (let number = batch; number < count; number += batches) {
      const { bytes, told } = mutation(number);
      const started = performance.now();
      const reads = [decode(bytes, native), decodePortably(bytes, wasm)];
      const [found, portable] = await Promise.all(reads.map((read) => outcome(read, told)));
      expect(performance.now() - started, told).toBeLessThan(longestMs);
      // Of two faults in one stream zlib may see the other one first. Whether it can be read is no such matter.
      if (!(isRefused(found!) && isRefused(portable!) && /, of its gzip: .*, /.test(told))) {
        expect(portable, told).toBe(found);
      }
      expect(process.memoryUsage().arrayBuffers, told).toBeLessThan(mostMemory);
      const end = isRefused(found!) ? found! : "read";
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
  });

  it("end in every way, and stay within the memory", () => {
    const codes = ["BadGzip", "BadHeader", "TooLarge", "Truncated", "UnknownFormat", "UnsupportedType", "read"];
    expect([...ends.keys()].sort()).toEqual(expect.arrayContaining(codes));
    expect([...ends.values()].reduce((sum, n) => sum + n, 0)).toBe(count);
    expect(process.resourceUsage().maxRSS * 1024 - before).toBeLessThan(mostMemory);
  });
});
