/**
 * `spec/BAD_NIFTI.md`, row by row and on both backends: what each broken or odd file gets.
 *
 * A row is named as the specification names it, and where the specification is at hand the two lists are compared.
 * Other tests here go deeper into one subject; this one is complete.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync, crc32 as zlibCrc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Backend, decode, decodeAll, n4, readVolume, type Volume, writeVolume } from "../../dist/index.js";
import { decode as decodePortably } from "../../dist/io/index.js";
import { bothBackends, like, moved, phantom, useBackend } from "../api/images.ts";
import { extension, niftiBytes, type Parts, packed } from "./nifti-bytes.ts";

/** What must come of it: an error's code and a part of its sentence, or the codes of warnings. */
type Wanted = { error: string; says?: string } | { warns: string[]; check?: (volume: Volume) => void };
type Case = [name: string, file: Uint8Array | (() => Uint8Array), wanted: Wanted];
/** Cases that are no bytes: each does what it must. */
type Act = [name: string, act: (held: { readonly backend: Backend }, folder: string) => Promise<unknown>];

const error = (error: string, says = ""): Wanted => ({ error, says });
const warns = (...warns: string[]): Wanted => ({ warns });
const read: Wanted = { warns: [] };
const thatIs = (check: (volume: Volume) => void, ...warns: string[]): Wanted => ({ warns, check });
const shape = (...wanted: number[]) => thatIs(({ grid }) => expect(grid.shape).toEqual(wanted));
const voxels = (...wanted: number[]) => thatIs(({ data }) => expect([...data]).toEqual(wanted));

const sound = niftiBytes({ voxels: Uint8Array.from({ length: 12 }, (_, i) => i) });
const gz = packed(sound);
const more = (bytes: Uint8Array, count: number) => joined(bytes, new Uint8Array(count));
const dims = (...dim: number[]) => ({ dim: [...dim, ...new Array(8 - dim.length).fill(1)] });
const pixdim = (...sizes: number[]) => ({ pixdim: [...sizes, ...new Array(8 - sizes.length).fill(1)] });
const none = { code: 0, numbers: new Array(12).fill(0) };
const quaternion = (b: number, c: number, d: number) => ({
  sform: none,
  qform: { code: 1, numbers: [b, c, d, 0, 0, 0] },
});
const sform = (...numbers: number[]) => ({ sform: { code: 1, numbers } });
const made = (parts: Parts, wanted: Wanted, name: string): Case[] =>
  [1, 2].flatMap((version) =>
    [true, false].map((little): Case => {
      const bytes = () => niftiBytes({ version: version as 1 | 2, little, ...parts });
      return [`${name} (NIfTI-${version}, ${little ? "little" : "big"}-endian)`, bytes, wanted];
    }),
  );

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A gzip member with flags and fields of our own. */
function member(flags: number, fields: Uint8Array): Uint8Array {
  const trailer = new DataView(new ArrayBuffer(8));
  trailer.setUint32(0, zlibCrc32(sound), true);
  trailer.setUint32(4, sound.length, true);
  const header = Uint8Array.of(0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3);
  return joined(header, fields, deflateRawSync(sound), new Uint8Array(trailer.buffer));
}

/** Little-endian `float32` voxels. */
function floats(...values: number[]): Parts {
  return { datatype: 16, ...dims(3, values.length), voxels: new Uint8Array(Float32Array.from(values).buffer) };
}

const phantomed = phantom([20, 18, 16]);
const bound = n4({ shrinkFactor: 1, iterations: [2] });
const masked = (mask: Volume, code: string, says: string | RegExp): Act[1] => {
  return ({ backend }) =>
    expect(bound.run({ image: phantomed.image, mask }, ["image"], { backend })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(says),
    });
};
const corrected = (image: Volume, code: string, says: string): Act[1] => {
  return ({ backend }) =>
    expect(bound.run({ image }, ["image"], { backend })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(says),
    });
};
const named = (name: string, bytes: Uint8Array): Act[1] => {
  return async (held, folder) => {
    writeFileSync(join(folder, name), bytes);
    expect((await readVolume(join(folder, name), held)).data.length).toBe(12);
  };
};
const refused = (code: string, name: string, prepare: (path: string) => void, inputs: string[] = []): Act[1] => {
  return async (_, folder) => {
    writeFileSync(join(folder, "input.nii"), sound);
    prepare(join(folder, name));
    const before = readdirSync(folder);
    const written = writeVolume(join(folder, name), phantomed.image, { inputs: inputs.map((i) => join(folder, i)) });
    await expect(written).rejects.toMatchObject({ code });
    expect(readdirSync(folder)).toEqual(before);
    expect([...readFileSync(join(folder, "input.nii"))]).toEqual([...sound]);
  };
};
const nothing = () => {};

const rows: Record<string, (Case | Act)[]> = {
  "gzip: cut in header / middle / trailer; wrong CRC; wrong length; junk after the trailer; plain file named .gz; gzip named .nii; FNAME, FEXTRA flags; several members":
    [
      ["cut in the header", gz.subarray(0, 7), error("Truncated", "header")],
      ["cut in the middle", gz.subarray(0, 40), error("Truncated")],
      ["cut in the trailer", gz.subarray(0, -3), error("Truncated", "trailer")],
      ["wrong CRC", gz.with(gz.length - 8, gz.at(-8)! ^ 1), error("BadGzip", "checksum")],
      ["wrong length", gz.with(gz.length - 4, gz.at(-4)! ^ 1), error("BadGzip", "got 364")],
      ["junk", joined(gz, new TextEncoder().encode("junk")), warns("JunkAfterGzip")],
      ["plain file named .gz", named("a.nii.gz", sound)],
      ["gzip named .nii", named("a.nii", gz)],
      ["FNAME", member(8, new TextEncoder().encode("a.nii\0")), read],
      ["FEXTRA", member(4, Uint8Array.of(2, 0, 1, 2)), read],
      ["several members", joined(packed(sound.subarray(0, 99)), packed(sound.subarray(99))), read],
    ],
  "gzip bomb; nested gzip": [
    ["64 KiB beyond", packed(more(sound, 65536)), warns("TrailingBytes")],
    ["64 KiB beyond, wrong CRC", spoilt(packed(more(sound, 65536))), error("BadGzip", "checksum")],
    ["100 MB beyond", bomb, error("TrailingData", "expected 364 bytes")],
    ["nested", packed(gz), error("UnknownFormat", "gzip within gzip")],
  ],
  "empty file; short header; header only; data short by 1 byte; data longer than declared": [
    ["empty", new Uint8Array(), error("Truncated", "empty")],
    ["short header", sound.subarray(0, 200), error("Truncated", "got 200")],
    ["header only", sound.subarray(0, 352), error("Truncated", "12 are missing")],
    ["short by 1 byte", sound.subarray(0, -1), error("Truncated", "1 are missing")],
    ["1 byte longer", more(sound, 1), warns("TrailingBytes")],
    ["64 KiB longer", more(sound, 65536), warns("TrailingBytes")],
    ["64 KiB and 1 byte longer", more(sound, 65537), error("TrailingData")],
  ],
  "sizeof_hdr wrong, swapped, 540 (NIfTI-2); magic wrong; `ni1` in a single file; Analyze 7.5": [
    ["wrong", niftiBytes({ sizeofHdr: 349 }), error("BadHeader", "got 349")],
    ["swapped", niftiBytes({ little: false }), read],
    ["540", niftiBytes({ version: 2 }), read],
    ["540, swapped", niftiBytes({ version: 2, little: false }), read],
    ["magic wrong", niftiBytes({ magic: "n+9\0" }), error("BadHeader", "n+9")],
    ["`ni1` in a single file", niftiBytes({ magic: "ni1\0" }), error("BadHeader", "pair")],
    ["Analyze 7.5", niftiBytes({ magic: "\0\0\0\0" }), error("UnknownFormat", "convert it to NIfTI")],
  ],
  "dim[0] = 0, 8, −1; a dim of 0, −8, 32767, product over 2^53 or over the limit": [
    ...made(dims(0, 3, 2, 2), error("BadHeader", "got 0"), "dim[0] = 0"),
    ...made(dims(8, 3, 2, 2), error("BadHeader", "got 8"), "dim[0] = 8"),
    ...made(dims(-1, 3, 2, 2), error("BadHeader", "got -1"), "dim[0] = -1"),
    ...made(dims(3, 3, 0, 2), error("BadHeader", "dim[2]: expected ≥ 1, got 0"), "a dim of 0"),
    ...made(dims(3, 3, 2, -8), error("BadHeader", "dim[3]: expected ≥ 1, got -8"), "a dim of -8"),
    ...made({ ...dims(3, 32767, 2, 2), voxels: new Uint8Array(12) }, error("Truncated"), "a dim of 32767"),
    ...made(dims(7, ...new Array(7).fill(32767)), error("TooLarge", "2^53"), "over 2^53"),
    ...made(dims(3, 32767, 32767, 32767), error("TooLarge", "at most 2147483647"), "over the limit"),
  ],
  "dim[1] = −1 (FreeSurfer's long-vector hack)": made(dims(3, -1, 1, 1), error("BadHeader", "FreeSurfer"), "-1"),
  "datatype 0, unknown, complex, RGB24, RGBA32, float128; bitpix that contradicts datatype": [
    ...[
      [0, "unknown"],
      [777, "not defined"],
      [32, "complex64"],
      [1792, "complex128"],
      [2048, "complex256"],
      [128, "RGB24"],
      [2304, "RGBA32"],
      [1536, "float128"],
    ].flatMap(([datatype, name]) =>
      made({ datatype: datatype as number }, error("UnsupportedType", `${datatype} (${name})`), `${name}`),
    ),
    ...made({ bitpix: 16 }, warns("BitpixMismatch"), "bitpix 16 of uint8"),
  ],
  "scl_slope 0 or NaN": [
    ...made({ slope: 0 }, read, "0"),
    ...made({ slope: Number.NaN }, read, "NaN"),
    ...made({ slope: 0, intercept: 5 }, warns("IgnoredIntercept"), "0 with an intercept"),
    ...made({ slope: Number.NaN, intercept: 5 }, warns("IgnoredIntercept"), "NaN with an intercept"),
  ],
  "scl_slope Inf, scl_inter NaN or Inf": [
    ...made({ slope: Infinity }, error("BadHeader", "scl_slope"), "slope Inf"),
    ...made({ intercept: Number.NaN }, error("BadHeader", "scl_inter"), "intercept NaN"),
    ...made({ intercept: -Infinity }, error("BadHeader", "scl_inter"), "intercept -Inf"),
  ],
  "vox_offset 0, negative, fractional, NaN, Inf, 1e30, inside the header, beyond the file": [
    ...made({ offset: 0 }, warns("VoxOffsetRepaired"), "0"),
    ...made({ offset: -16 }, error("BadHeader", "got -16"), "negative"),
    ["fractional", niftiBytes({ offset: 352.5 }), warns("VoxOffsetRepaired")],
    ["NaN", niftiBytes({ offset: Number.NaN }), error("BadHeader", "got NaN")],
    ["Inf", niftiBytes({ offset: Infinity }), error("BadHeader", "got Infinity")],
    ["1e30", niftiBytes({ offset: 1e30 }), error("BadHeader", "got 1.0")],
    ...made({ offset: 100 }, error("BadHeader", "got 100"), "inside the header"),
    ...made({ offset: 65536 }, error("Truncated"), "beyond the file"),
  ],
  "extension size negative, huge, not a multiple of 16, running past vox_offset": [
    ["negative", niftiBytes({ between: extension(-16, 6, 24) }), error("BadHeader", "got -16")],
    ["huge", niftiBytes({ between: extension(0x7ffffff0, 6, 24) }), error("BadHeader", "got 2147483632")],
    ["not a multiple of 16", niftiBytes({ between: extension(24, 6, 24) }), error("BadHeader", "got 24")],
    ["past vox_offset", niftiBytes({ between: extension(48, 6, 24) }), error("BadHeader", "got 48")],
    [
      "unknown code",
      niftiBytes({ between: extension(32, 4242, 24) }),
      thatIs(({ meta }) => expect(meta.header).toMatchObject({ extensions: [{ code: 4242, size: 32 }] })),
    ],
  ],
  "pixdim 0, negative, NaN, Inf": [
    ...[0, -2].flatMap((size) => {
      // ITK takes a negative size for an axis turned round.
      const itk = size < 0 ? ["ItkDiffers"] : [];
      return [
        ...made({ ...pixdim(1, 1, size) }, warns(...itk), `${size}, with an sform`),
        ...made(
          { ...quaternion(0, 0, 0), ...pixdim(1, 3, size, 2) },
          thatIs(({ grid }) => expect(grid.spacing).toEqual([3, 1, 2]), "SpacingRepaired", ...itk),
          `${size}, without`,
        ),
      ];
    }),
    ...[Number.NaN, Infinity].flatMap((size) =>
      made(pixdim(1, 1, 1, size), error("BadHeader", `got ${size}`), `${size}`),
    ),
  ],
  "quaternion longer than 1 by rounding, by much; sform singular; both codes 0; sheared affine": [
    ...made(quaternion(0, 0, 1.000002), read, "by rounding"),
    ...made(quaternion(0.9, 0.9, 0), error("BadHeader", "quaternion"), "by much"),
    ...made(sform(1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0), error("BadHeader", "singular"), "singular"),
    ...made(sform(...none.numbers), error("BadHeader", "singular"), "zeros"),
    ...made(
      { sform: none },
      // nibabel: centred, x to the left.
      thatIs(({ grid }) => expect(grid.affine[0]).toEqual([-1, 0, 0, 1]), "NoOrientation", "ItkDiffers"),
      "both codes 0",
    ),
    ...made(
      sform(1, 0.1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0),
      thatIs(({ meta }) => expect(meta.warnings[0]!.message).toContain("5.71°"), "Sheared", "ItkDiffers"),
      "sheared",
    ),
  ],
  "voxels all NaN, some NaN or Inf, constant, one voxel, all negative": [
    ["all NaN", niftiBytes(floats(Number.NaN, Number.NaN)), voxels(Number.NaN, Number.NaN)],
    ["some", niftiBytes(floats(1, Number.NaN, -Infinity)), voxels(1, Number.NaN, -Infinity)],
    ["constant", niftiBytes(floats(5, 5, 5)), voxels(5, 5, 5)],
    ["one voxel", niftiBytes(floats(-3)), voxels(-3)],
    ["all negative", niftiBytes(floats(-1, -2)), voxels(-1, -2)],
    [
      "N4 of all NaN",
      corrected(
        like(phantomed.image, () => Number.NaN),
        "NotFinite",
        "got 5760 NaN or infinite of 5760",
      ),
    ],
    [
      "N4 of some Inf",
      corrected(
        like(phantomed.image, (x) => (x === 3 ? Infinity : x)),
        "NotFinite",
        "got 288 NaN or infinite of 5760",
      ),
    ],
    [
      "N4 of a constant",
      corrected(
        like(phantomed.image, () => 5),
        "ConstantImage",
        "got one value",
      ),
    ],
    ["N4 of one voxel", corrected({ ...phantomed.image, ...one() }, "ConstantImage", "got one value")],
  ],
  "mask: empty, other shape, other affine (report mm and degrees), non-integer, label absent": [
    [
      "empty",
      masked(
        like(phantomed.image, () => 0),
        "EmptyMask",
        "got a mask of 0",
      ),
    ],
    ["other shape", masked(one(), "GridMismatch", "20.*1")],
    ["other affine", masked(moved(phantomed.mask, shifted()), "GridMismatch", /5\.00 mm and 0\.00° off/)],
    [
      "non-integer",
      masked(
        like(phantomed.image, () => 0.25),
        "EmptyMask",
        "got a mask of 0.25",
      ),
    ],
    [
      "label absent",
      masked(
        like(phantomed.image, () => 7),
        "EmptyMask",
        "expected voxels of value 1, got a mask of 7",
      ),
    ],
  ],
  "4-D with one time point, 5-D vectors, RGB as intent": [
    ...made(dims(4, 3, 2, 2, 1), shape(3, 2, 2), "one time point"),
    ...made(dims(5, 3, 2, 2, 1, 3), error("SeveralVolumes", "readVolumes"), "vectors, asked for one volume"),
    ["vectors, RGB as intent, asked for all volumes", vectors],
  ],
  "the file changes while being read; input = output path; output folder missing, read-only, full disk; a symlink as output":
    [
      // What must be timed or feigned (a changing file, a full disk) is in file.test.ts.
      ["input = output", refused("UnsafeOutput", "input.nii", nothing, ["input.nii"])],
      ["folder missing", refused("WriteFailed", "none/a.nii", nothing)],
      ["a folder as output", refused("UnsafeOutput", "folder", (path) => mkdirSync(path))],
      ["a symlink", refused("UnsafeOutput", "link", (path) => symlinkSync("input.nii", path))],
    ],
};

/** Three values a voxel, as three volumes. */
async function vectors({ backend }: { readonly backend: Backend }): Promise<void> {
  const bytes = niftiBytes({ ...dims(5, 2, 1, 1, 1, 3), voxels: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  // NIFTI_INTENT_RGB_VECTOR; other intents make no difference.
  new DataView(bytes.buffer).setInt16(68, 2003, true);
  const found = await decodeAll(bytes, { backend });
  expect(found.map(({ data }) => [...data])).toEqual([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  expect(found[2]!.meta.warnings.map(({ code }) => code)).toEqual(["VectorsSplit"]);
}

function one(): Volume {
  const grid = { ...phantomed.image.grid, shape: [1, 1, 1] as [number, number, number] };
  return { ...phantomed.image, data: Float32Array.of(3), grid };
}

function shifted(): typeof phantomed.image.grid.affine {
  const [x, y, z] = phantomed.image.grid.affine;
  return [[x[0], x[1], x[2], x[3] + 5], y, z];
}

function spoilt(file: Uint8Array): Uint8Array {
  return file.with(file.length - 8, file.at(-8)! ^ 1);
}

function bomb(): Uint8Array {
  const zeros = packed(new Uint8Array(10_000_000));
  return joined(gz, ...new Array(10).fill(zeros));
}

describe.each(bothBackends)("%s", (name) => {
  const held = useBackend(name);
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "voxnorm-bad-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Node has its own gzip, browsers have ours. */
  const decodes = { native: [decode], wasm: [decode, decodePortably] }[name];

  describe.each(Object.entries(rows))("%s", (_, cases) => {
    it.each(cases)("%s", async (...given: Case | Act) => {
      const [, file, wanted] = given;
      if (wanted === undefined) {
        const place = mkdtempSync(join(folder, "act-"));
        await (file as Act[1])(held, place);
        return;
      }
      const bytes = typeof file === "function" ? (file as () => Uint8Array)() : file;
      for (const decode of decodes) {
        if ("error" in wanted) {
          const { error, says = "" } = wanted;
          const message = expect.stringContaining(says);
          await expect(decode(bytes, held)).rejects.toMatchObject({ code: error, message });
        } else {
          const volume = await decode(bytes, held);
          expect(volume.meta.warnings.map(({ code }) => code)).toEqual(wanted.warns);
          wanted.check?.(volume);
        }
      }
    });
  });
});

const specification = "../shared/spec/BAD_NIFTI.md";
const absent = existsSync(specification) ? "" : `: skipped, ${specification} is absent`;
it.skipIf(absent)(`has every row of the specification${absent}`, () => {
  const table = readFileSync(specification, "utf8").split("\n");
  const kinds = table.flatMap((line) => /^\| (?!kind)([^|]+) \|/.exec(line)?.[1] ?? []);
  expect(Object.keys(rows)).toEqual(kinds);
});
