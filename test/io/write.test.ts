/** What is written: read back the same, the fields where the standard has them, the same bytes every time. */
import { describe, expect, it } from "vitest";
import { encode, encodeAll } from "../../dist/index.js";
import { decode as decodePortably, encode as encodePortably } from "../../dist/io/index.js";
import { type Affine, gridOf, type Triple, type Volume, volume } from "../../dist/volume.js";
import { identity, niftiBytes, type Parts } from "./nifti-bytes.ts";
import { oracleBackend } from "./oracle-backend.ts";
import { read } from "./read.ts";

const data = Float32Array.of(0, -1.5, Number.NaN, 3.25e38, Number.NEGATIVE_INFINITY, 1e-45);
const shape: Triple = [3, 1, 2];
const oblique = rotated([0.3, -0.2, 1.1], [0.9, 1.1, 3], [-90.5, 12.25, 7.125]);

/** An affine that turns about x, y and z, by radians. */
function rotated([x, y, z]: Triple, spacing: Triple, origin: Triple): Affine {
  const [cx, sx, cy, sy, cz, sz] = [x, y, z].flatMap((a) => [Math.cos(a), Math.sin(a)]) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const rows = [
    [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
    [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
    [-sy, cy * sx, cy * cx],
  ];
  return rows.map((row, i) => [...row.map((value, k) => value * spacing[k]!), origin[i]!]) as Affine;
}

function expectClose(found: Affine, expected: Affine, digits: number): void {
  for (const [i, row] of expected.entries()) {
    for (const [k, value] of row.entries()) expect(found[i]![k], `${i}, ${k}`).toBeCloseTo(value, digits);
  }
}

/** The same file with its sform switched off, so that the qform speaks. */
function withoutSform(bytes: Uint8Array, version: 1 | 2): Uint8Array {
  const copy = bytes.slice();
  if (version === 1) copy.fill(0, 254, 256);
  else copy.fill(0, 348, 352);
  return copy;
}

describe("read back", () => {
  it.each([false, true])("gzip %s", async (gzip) => {
    const written = await encode(volume(data, shape, oblique), { gzip });
    const found = await read(written);
    expect([...found.data]).toEqual([...data]);
    expect(found.grid.shape).toEqual(shape);
    expectClose(found.grid.affine, oblique, 5);
    expect(found.meta.warnings).toEqual([]);
    expect(found.meta.header).toMatchObject({
      version: 1,
      byteOrder: "little",
      datatype: "float32",
      bitpix: 32,
      dim: [3, 3, 1, 2, 1, 1, 1, 1],
      voxOffset: 352,
      slope: 1,
      intercept: 0,
      sformCode: 2,
      qformCode: 2,
      units: { code: 2, space: "mm" },
    });
  });

  it("NIfTI-2 where a size does not fit into NIfTI-1, in double precision", async () => {
    const long = new Float32Array(32768).fill(7);
    const written = await encode(volume(long, [1, 32768, 1], oblique));
    const found = await read(written);
    expect(found.meta.header).toMatchObject({ version: 2, voxOffset: 544, dim: [3, 1, 32768, 1, 1, 1, 1, 1] });
    expect(found.grid.affine).toEqual(oblique);
    expectClose((await read(withoutSform(written, 2))).grid.affine, oblique, 12);
    expect((await read(await encode(volume(new Float32Array(32767), [32767, 1, 1])))).meta.header).toMatchObject({
      version: 1,
    });
  });

  it("by browsers", async () => {
    const written = await encodePortably(volume(data, shape, oblique), { gzip: true });
    expect([...(await decodePortably(written, { backend: oracleBackend })).data]).toEqual([...data]);
  });
});

describe("the qform", () => {
  const turns: [string, Affine][] = [
    ["oblique", oblique],
    ["mirrored", rotated([0.3, -0.2, 1.1], [0.9, 1.1, -3], [1, 2, 3])],
    ["x and y turned round, as DICOM has them", rotated([0, 0, Math.PI], [1, 1, 1], [90, 126, -72])],
    ["x turned round", rotated([0, 0, 0], [-2, 2, 2], [90, -126, -72])],
    ["a half turn about x", rotated([Math.PI, 0, 0], [1, 2, 3], [1, 2, 3])],
    ["a half turn about y", rotated([0, Math.PI, 0], [1, 2, 3], [1, 2, 3])],
    [
      "axes exchanged",
      [
        [0, 0, 3, 1],
        [-2, 0, 0, 2],
        [0, 1.5, 0, 3],
      ],
    ],
  ];
  it.each(turns)("says what the sform says: %s", async (_, affine) => {
    const written = await encode(volume(data, shape, affine));
    expect((await read(written)).meta.header).toMatchObject({ qformCode: 2 });
    const found = await read(withoutSform(written, 1));
    expect(found.meta.decisions[1]).toContain("The qform places the image");
    expectClose(found.grid.affine, affine, 5);
  });

  it("is left out where it cannot: shear, and nearly a half turn", async () => {
    const large = new Float32Array(400 * 400 * 2);
    const sheared: Affine = [
      [1, 0.1, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
    ];
    const tilted = rotated([0, 0, Math.PI - 4e-4], [0.5, 0.5, 0.5], [0, 0, 0]);
    for (const affine of [sheared, tilted]) {
      const found = await read(await encode(volume(large, [400, 400, 2], affine)));
      expect(found.meta.header).toMatchObject({ qformCode: 0, sformCode: 2 });
      expectClose(found.grid.affine, affine, 6);
    }
  });
});

describe("carried over", () => {
  const rewritten = async (parts: Parts) => {
    const found = await read(await encode(await read(niftiBytes(parts))));
    return found.meta.header as Record<string, unknown>;
  };
  const form = { code: 3, numbers: [0, 0, 0, 0, 0, 0] };

  it("description and units", async () => {
    const parts = { description: "a".repeat(79), units: 10 };
    expect(await rewritten(parts)).toMatchObject({ description: "a".repeat(79), units: { code: 10 } });
    expect(await rewritten({ ...parts, version: 2 })).toMatchObject({
      description: "a".repeat(79),
      units: { code: 10 },
    });
  });

  it.each([
    ["the sform's code", { sform: { ...identity, code: 4 }, qform: { ...form, code: 1 } }, 4],
    ["the qform's code", { sform: { ...identity, code: 0 }, qform: form }, 3],
    ["no code", { sform: { ...identity, code: 0 } }, 2],
  ])("%s, for both forms", async (_, parts, code) => {
    expect(await rewritten(parts)).toMatchObject({ sformCode: code, qformCode: code });
  });
});

it("gives the same bytes every time", async () => {
  const made = () => volume(data.slice(), shape, oblique);
  for (const gzip of [false, true]) {
    expect(Buffer.compare(await encode(made(), { gzip }), await encode(made(), { gzip }))).toBe(0);
  }
  expect(Buffer.compare(await encode(made()), await encodePortably(made()))).toBe(0);
});

it("writes a view of a larger buffer", async () => {
  const view = new Float32Array(10).fill(9).subarray(2, 8);
  view.set(data);
  expect([...(await read(await encode(volume(view, shape)))).data]).toEqual([...data]);
});

it("refuses what is no volume, and levels that do not exist", async () => {
  const sound = volume(data, shape);
  const broken: Volume[] = [
    { ...sound, data: data.subarray(1) },
    { ...sound, grid: gridOf([1, 1, 2], sound.grid.affine, 2) },
    {
      ...sound,
      grid: gridOf(shape, [
        [1, 0, 0, Number.NaN],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
      ]),
    },
  ];
  for (const volume of broken) await expect(encode(volume)).rejects.toMatchObject({ code: "BadVolume" });
  const channels = { ...sound, grid: gridOf([1, 1, 2], sound.grid.affine, 3) };
  await expect(encodeAll([channels, channels])).rejects.toMatchObject({ code: "BadVolume" });
  await expect(encode(sound, { gzip: true, level: 10 })).rejects.toMatchObject({ code: "BadOption" });
});

describe("extensions", () => {
  const content = Uint8Array.from({ length: 24 }, (_, i) => 200 - i);
  const between = (little: boolean) => {
    const bytes = new Uint8Array(4 + 32 + 16);
    const view = new DataView(bytes.buffer);
    bytes[0] = 1;
    view.setInt32(4, 32, little);
    view.setInt32(8, 6, little);
    bytes.set(content, 12);
    view.setInt32(36, 16, little);
    view.setInt32(40, 4242, little);
    return bytes;
  };

  it("are kept, byte for byte, in both versions and from both byte orders", async () => {
    for (const version of [1, 2] as const) {
      for (const little of [true, false]) {
        const volume = await read(niftiBytes({ version, little, between: between(little) }));
        const written = await encode(volume);
        // The flag, sizes and codes are little-endian now; the content is nobody's.
        expect([...written.subarray(348, 348 + 52)]).toEqual([...between(true)]);
        const found = await read(written);
        expect([...found.data]).toEqual([...volume.data]);
        expect(found.meta.warnings).toEqual([]);
        expect(found.meta.header).toMatchObject({
          voxOffset: 400,
          extensions: [
            { code: 6, size: 32, content },
            { code: 4242, size: 16 },
          ],
        });
      }
    }
  });

  it("are padded where somebody made one of another size", async () => {
    const { data, grid, meta } = await read(niftiBytes({ between: between(true) }));
    const header = { ...(meta.header as object), extensions: [{ code: 4, size: 0, content: Uint8Array.of(1, 2, 3) }] };
    const found = await read(await encode({ data, grid, meta: { ...meta, header } }));
    expect(found.meta.header).toMatchObject({
      extensions: [{ code: 4, size: 16, content: Uint8Array.of(1, 2, 3, 0, 0, 0, 0, 0) }],
    });
  });
});
