/**
 * PNG of 8 and 16 bits, grey or coloured: one plane, a channel for each colour, one after the other.
 *
 * The samples are taken as they are stored; gamma and colour profiles are not applied. The pixels' size comes from pHYs, else
 * it is 1 mm. The picture lies as ITK lays it: its x-axis to the left and its y-axis to the back, so that viewers show it upright.
 * Opacity is no intensity: it is dropped where all is opaque, and else refused.
 *
 * fast-png unfilters. What it does not look at is looked at here, before it sees a byte: the order, ends and checksums of the
 * chunks, and whether the stream unpacks to as many bytes as the header declares (fast-png fills up with zeros).
 */
import { VoxnormError } from "../errors.ts";
import { type Affine, gridOf, type Mask } from "../volume.ts";
import { allocate, concatenate } from "./bytes.ts";
import type { Content } from "./content.ts";
import { crc32 } from "./crc32.ts";
import type { DecodeContext, Format } from "./format.ts";
import { encodePng } from "./png-write.ts";

/** What `meta.header` is for a volume read from PNG. */
export interface PngMeta {
  readonly format: "png";
  readonly width: number;
  readonly height: number;
  readonly datatype: "uint8" | "uint16";
  readonly colourType: (typeof colourTypes)[number]["name"];
  /** Of x and y; null where the file does not say. */
  readonly pixelsPerMetre: readonly [number, number] | null;
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Those that are read. */
const colourTypes = [
  { code: 0, name: "grey", channels: 1 },
  { code: 2, name: "colour", channels: 3 },
  { code: 4, name: "grey and opacity", channels: 2 },
  { code: 6, name: "colour and opacity", channels: 4 },
] as const;

/** Deflate's best case, a match of 258 bytes in two bits. */
const largestRatio = 1032;

export const png: Format = {
  id: "png",
  extensions: [".png"],
  recognises: (start) => signature.every((byte, index) => start[index] === byte),
  declaredVoxels: (start) => {
    const { width, height, type } = headerOf(start);
    return width * height * type.channels;
  },
  decode,
  encode: encodePng,
};

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: 8 | 16;
  readonly type: (typeof colourTypes)[number];
}

async function decode(content: Content, { limits, keepBytes, notes, source, img }: DecodeContext): Promise<Mask[]> {
  const fail = (code: "UnsupportedType" | "BadHeader", message: string, detail = {}) => {
    throw new VoxnormError(code, `PNG: ${message}`, detail);
  };
  if (content.compressed) fail("UnsupportedType", "expected a file that is not compressed again, got gzip; unpack it");
  if (img !== undefined) fail("UnsupportedType", "expected a single file, got two parts");
  const start = await content.start(0);
  const { width, height, depth, type } = headerOf(start);
  const samples = width * height * type.channels;
  if (samples > limits.voxels) {
    const message = `PNG: expected at most ${limits.voxels} voxels, got ${width} × ${height} of ${type.channels} values; limits.voxels raises it`;
    throw new VoxnormError("TooLarge", message, { voxels: samples, limit: limits.voxels });
  }
  const chunks = chunksOf(start);
  const bytes = await content.whole(chunks.at(-1)!.end);
  const transparent = chunks.find(({ name }) => ["tRNS", "acTL"].includes(name));
  if (transparent?.name === "tRNS") fail("UnsupportedType", "expected no transparent colour, got one (tRNS)");
  if (transparent?.name === "acTL") fail("UnsupportedType", "expected a single picture, got an animation (acTL)");

  const pixels = chunks.filter(({ name }) => name === "IDAT");
  await expectInflated(
    pixels.map(({ data }) => data),
    height * (1 + width * type.channels * (depth / 8)),
  );
  // Nothing but what the pixels need: other chunks may hold bombs of their own.
  const plain = [chunks[0]!, ...pixels, chunks.at(-1)!].map(({ begin, end }) => bytes.subarray(begin, end));
  const unfiltered = await import("fast-png").then(({ decode }) => {
    try {
      return decode(concatenate([Uint8Array.from(signature), ...plain])).data;
    } catch (cause) {
      throw new VoxnormError("BadPng", `PNG: ${(cause as Error).message}`, {}, cause);
    }
  });
  const { channels } = type;
  const opacity = channels % 2 === 0 ? channels - 1 : null;
  if (opacity !== null) {
    const most = 2 ** depth - 1;
    let count = 0;
    for (let at = opacity; at < samples; at += channels) if (unfiltered[at] !== most) count++;
    const message = `expected opaque pixels, as opacity is no intensity, got ${count} of ${width * height} that are not`;
    if (count > 0) fail("UnsupportedType", message, { count, pixels: width * height });
    notes.decide("All pixels are opaque; the channel that says so was dropped.");
  }
  const kept = opacity ?? channels;
  const data = depth === 8 && keepBytes ? allocate(width * height * kept) : new Float32Array(width * height * kept);
  for (let channel = 0; channel < kept; channel++) {
    const plane = data.subarray(channel * width * height, (channel + 1) * width * height);
    for (let i = 0; i < plane.length; i++) plane[i] = unfiltered[i * channels + channel]!;
  }

  const size = `${width} × ${height}${kept > 1 ? ` of ${kept} channels` : ""}`;
  notes.decide(
    `PNG, ${depth} bits, ${type.name}, ${size}. Values are taken as stored; gamma and profiles are not applied.`,
  );
  const pixelsPerMetre = densityOf(chunks.find(({ name }) => name === "pHYs")?.data);
  const mm = pixelsPerMetre?.map((count) => 1000 / count) ?? [1, 1];
  notes.decide(
    pixelsPerMetre ? "The pixels' size comes from pHYs." : "The file names no pixel size; it was taken as 1 mm.",
  );
  notes.decide("The file names no orientation: x was laid to the left and y to the back, as ITK does.");
  const affine: Affine = [
    [-mm[0]!, 0, 0, 0],
    [0, -mm[1]!, 0, 0],
    [0, 0, 1, 0],
  ];
  const datatype = depth === 8 ? "uint8" : "uint16";
  const header: PngMeta = { format: "png", width, height, datatype, colourType: type.name, pixelsPerMetre };
  const { decisions, warnings } = notes;
  const meta = { ...(source === undefined ? {} : { source }), decisions, warnings, header };
  return [{ data, grid: gridOf([width, height, 1], affine, kept), meta }];
}

/** Throws `Truncated`, `BadHeader` or `UnsupportedType`. */
function headerOf(bytes: Uint8Array): Header {
  const [first] = chunksOf(bytes.subarray(0, 33), 1);
  const fail = (code: "UnsupportedType" | "BadHeader", message: string, detail = {}) => {
    throw new VoxnormError(code, `PNG: ${message}`, detail);
  };
  const { name, data } = first!;
  if (name !== "IHDR" || data.length !== 13) {
    fail("BadHeader", `expected a header of 13 bytes (IHDR) first, got ${name} of ${data.length}`);
  }
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, code, compression, filter, interlace] = data.subarray(8) as unknown as number[];
  const detail = { width, height, depth, colourType: code };
  if (width === 0 || height === 0) fail("BadHeader", `expected at least one pixel, got ${width} × ${height}`, detail);
  if (compression !== 0 || filter !== 0) {
    fail("BadHeader", `expected compression and filter method 0, got ${compression} and ${filter}`, detail);
  }
  if (code === 3) fail("UnsupportedType", "expected grey or colour, got a palette; convert it first", detail);
  const type = colourTypes.find((type) => type.code === code);
  if (type === undefined) fail("BadHeader", `expected a colour type of 0, 2, 3, 4 or 6, got ${code}`, detail);
  if (depth !== 8 && depth !== 16) fail("UnsupportedType", `expected 8 or 16 bits, got ${depth}`, detail);
  if (interlace !== 0) fail("UnsupportedType", `expected pixels in order, got interlace method ${interlace}`, detail);
  return { width, height, depth: depth as 8 | 16, type: type! };
}

interface Chunk {
  readonly name: string;
  readonly data: Uint8Array;
  readonly begin: number;
  readonly end: number;
}

/** The first `most` chunks, or all to the last one, IEND. Throws `Truncated` or `BadPng`. */
function chunksOf(bytes: Uint8Array, most = Number.POSITIVE_INFINITY): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const chunks: Chunk[] = [];
  let at = signature.length;
  while (chunks.length < most && chunks.at(-1)?.name !== "IEND") {
    const begin = at;
    const length = begin + 12 <= bytes.length ? view.getUint32(begin) : 0;
    at = begin + 12 + length;
    if (at > bytes.length) {
      const message = `PNG: expected chunks to the end of the picture (IEND), got ${bytes.length} bytes that end within one`;
      throw new VoxnormError("Truncated", message, { size: bytes.length });
    }
    const name = String.fromCharCode(...bytes.subarray(begin + 4, begin + 8));
    const [expected, found] = [view.getUint32(at - 4), crc32(bytes.subarray(begin + 4, at - 4))];
    if (found !== expected) {
      const message = `PNG: expected the checksum ${hex(expected)} of ${JSON.stringify(name)}, got ${hex(found)}: it is damaged`;
      throw new VoxnormError("BadPng", message, { chunk: name, expected, found });
    }
    chunks.push({ name, data: bytes.subarray(begin + 8, at - 4), begin, end: at });
  }
  return chunks;
}

const hex = (value: number) => value.toString(16).padStart(8, "0");

/** Throws unless the stream unpacks to exactly so many bytes; a bomb is left at the first byte too many. */
async function expectInflated(parts: readonly Uint8Array[], declared: number): Promise<void> {
  const packed = parts.reduce((sum, part) => sum + part.length, 0);
  const detail = { declared, compressed: packed };
  if (declared > packed * largestRatio) {
    const message = `PNG: ${packed} compressed bytes cannot hold the ${declared} that the header declares`;
    throw new VoxnormError("Truncated", message, detail);
  }
  let [found, ended] = [0, false];
  // Its tables take milliseconds to make.
  const { Unzlib } = await import("fflate");
  const stream = new Unzlib((piece, isLast) => {
    found += piece.length;
    ended = isLast;
  });
  try {
    for (const part of parts) {
      for (let at = 0; at < part.length && found <= declared; at += 1 << 16)
        stream.push(part.subarray(at, at + (1 << 16)));
    }
    if (found <= declared) stream.push(allocate(0), true);
  } catch (cause) {
    const code = /EOF/.test((cause as Error).message) ? "Truncated" : "BadPng";
    throw new VoxnormError(code, `PNG: the pixels cannot be unpacked: ${(cause as Error).message}`, detail, cause);
  }
  if (found > declared) {
    const message = `PNG: expected ${declared} bytes of pixels, as the header declares, got more`;
    throw new VoxnormError("TrailingData", message, detail);
  }
  if (found < declared || !ended) {
    const message = `PNG: expected ${declared} bytes of pixels, as the header declares, got ${found}`;
    throw new VoxnormError("Truncated", message, { ...detail, found });
  }
}

/** Pixels a metre, where the chunk says how many. */
function densityOf(data: Uint8Array | undefined): [number, number] | null {
  if (data?.length !== 9 || data[8] !== 1) return null;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const [x, y] = [view.getUint32(0), view.getUint32(4)];
  return x > 0 && y > 0 ? [x, y] : null;
}
