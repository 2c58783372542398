/** Every datatype, both byte orders, both versions, packed and not, on every backend; and scaling. */
import { describe, expect, it } from "vitest";
import { createBackend } from "../../dist/backend/load-node.js";
import { decodeMask as decodePortableMask } from "../../dist/io/index.js";
import { decodeMask, decodeMasks } from "../../dist/io/index-node.js";
import { niftiBytes, packed, types } from "./nifti-bytes.ts";
import { oracleBackend } from "./oracle-backend.ts";
import { read, warnings } from "./read.ts";

type Name = keyof typeof types;

const names = Object.keys(types) as Name[];
const dim = [3, 3, 1, 2, 1, 1, 1, 1];

/** Six values that the type and `float32` both hold, its extremes among them where possible. */
const values: Record<Name, number[]> = {
  uint8: [0, 1, 2, 127, 128, 255],
  int8: [0, 1, -1, 127, -128, 5],
  uint16: [0, 1, 256, 32767, 32768, 65535],
  int16: [0, 1, -1, 32767, -32768, 300],
  uint32: [0, 1, 16777216, 2147483648, 4294967040, 7],
  int32: [0, 1, -1, 2147483520, -2147483648, 70000],
  uint64: [0, 1, 2 ** 32, 2 ** 63, 2 ** 40, 7],
  int64: [0, 1, -1, 2 ** 62, -(2 ** 63), 2 ** 33],
  float32: [0, -1.5, Math.fround(0.1), Math.fround(3.4e38), Number.NaN, Number.NEGATIVE_INFINITY],
  float64: [0, -1.5, 0.1, 1e-300, Number.NaN, Number.POSITIVE_INFINITY],
};

function store(name: Name, numbers: readonly number[], little: boolean): Uint8Array {
  const size = types[name][1] / 8;
  const bytes = new Uint8Array(size * numbers.length);
  const view = new DataView(bytes.buffer);
  numbers.forEach((value, index) => {
    const at = size * index;
    if (name === "uint64") view.setBigUint64(at, BigInt(value), little);
    else if (name === "int64") view.setBigInt64(at, BigInt(value), little);
    else if (name === "float32") view.setFloat32(at, value, little);
    else if (name === "float64") view.setFloat64(at, value, little);
    else if (size === 4) view.setUint32(at, value, little);
    else if (size === 2) view.setUint16(at, value, little);
    else view.setUint8(at, value);
  });
  return bytes;
}

const backends = {
  oracle: async () => oracleBackend,
  native: () => createBackend({ backend: "native" }),
  wasm: () => createBackend({ backend: "wasm" }),
};

describe.each(Object.entries(backends))("on %s", (_, createBackend) => {
  it.each(names)("%s", async (name) => {
    const backend = await createBackend();
    for (const version of [1, 2] as const) {
      for (const little of [true, false]) {
        const voxels = store(name, values[name], little);
        const bytes = niftiBytes({ version, little, datatype: types[name][0], dim, voxels });
        for (const file of [bytes, packed(bytes)]) {
          const volume = await read(file, { backend });
          expect(volume.data).toBeInstanceOf(Float32Array);
          expect([...volume.data]).toEqual(values[name].map(Math.fround));
          expect(volume.grid.shape).toEqual([3, 1, 2]);
          expect(volume.meta.warnings).toEqual([]);
          const byteOrder = little ? "little" : "big";
          expect(volume.meta.header).toMatchObject({ version, byteOrder, datatype: name, slope: 1, intercept: 0 });
        }
      }
    }
    await backend.close();
  });

  it("keeps unsigned bytes of a mask that are not scaled, and no other numbers", async () => {
    const backend = await createBackend();
    for (const name of names) {
      for (const slope of [1, 2]) {
        const voxels = store(name, [0, 1, 2, 3, 0, 127], true);
        const file = niftiBytes({ datatype: types[name][0], dim, voxels, slope });
        for (const decode of [decodeMask, decodePortableMask]) {
          const { data, meta } = await decode(packed(file), { backend });
          expect(data).toBeInstanceOf(name === "uint8" && slope === 1 ? Uint8Array : Float32Array);
          expect([...data]).toEqual([0, 1, 2, 3, 0, 127].map((value) => value * slope));
          expect(meta).toEqual((await read(packed(file), { backend })).meta);
        }
      }
    }
    const series = niftiBytes({ dim: [4, 1, 1, 2, 3, 1, 1, 1], voxels: Uint8Array.of(9, 8, 7, 6, 5, 4) });
    expect((await decodeMasks(series, { backend })).map(({ data }) => [...data])).toEqual([
      [9, 8],
      [7, 6],
      [5, 4],
    ]);
    await expect(decodeMask(series, { backend })).rejects.toMatchObject({ code: "SeveralVolumes" });
    await backend.close();
  });

  it("scales in double precision and rounds once", async () => {
    const backend = await createBackend();
    const numbers = [0, 1, -1, 32767, -32768, 300];
    for (const little of [true, false]) {
      const voxels = store("int16", numbers, little);
      const file = niftiBytes({ version: 2, little, datatype: 4, dim, voxels, slope: 0.1, intercept: -1.7 });
      const volume = await read(file, { backend });
      expect([...volume.data]).toEqual(numbers.map((value) => Math.fround(value * 0.1 - 1.7)));
    }
    await backend.close();
  });

  it("warns of rounded integers and refuses what single precision cannot hold", async () => {
    const backend = await createBackend();
    const large = niftiBytes({ datatype: 8, dim, voxels: store("int32", [16777217, 1, 2, 3, 33554433, 4], true) });
    const volume = await read(large, { backend });
    expect(volume.meta.warnings).toEqual([
      {
        code: "IntegersRounded",
        message: "2 of 6 integers were rounded to single precision, which holds all up to ±2^24",
      },
    ]);
    // The ends of 64 bits: powers of two are held, their neighbours are not.
    for (const [name, numbers, rounded] of [
      ["int64", [-(2n ** 63n), 2n ** 63n - 1n, 2n ** 24n, 2n ** 24n + 1n, -(2n ** 53n) - 1n, 5n], 3],
      ["uint64", [0n, 2n ** 64n - 1n, 2n ** 24n + 2n, 2n ** 24n + 1n, 2n ** 53n + 1n, 5n], 3],
    ] as const) {
      const voxels = new Uint8Array(BigInt64Array.from(numbers.map((n) => BigInt.asIntN(64, n))).buffer);
      const volume = await read(niftiBytes({ datatype: types[name][0], dim, voxels }), { backend });
      expect([...volume.data]).toEqual(numbers.map((n) => Math.fround(Number(n))));
      expect(volume.meta.warnings[0]!.message).toContain(`${rounded} of 6 integers`);
    }
    const huge = niftiBytes({ datatype: 64, dim, voxels: store("float64", [1e300, 1, 2, 3, -1e39, 4], true) });
    await expect(read(huge, { backend })).rejects.toMatchObject({
      code: "ValueOutOfRange",
      detail: { overflowed: 2, voxels: 6 },
    });
    await backend.close();
  });
});

describe("scaling, as nibabel 5.4.2 has it", () => {
  const voxels = Uint8Array.of(5, 9, 7, 0, 1, 2);
  const scaled = async (slope: number, intercept: number) => {
    const file = niftiBytes({ dim, voxels, slope, intercept });
    return { data: [...(await read(file)).data].slice(0, 3), warnings: await warnings(file) };
  };

  // get_fdata() of nibabel 5.4.2 on the same six bytes.
  it.each([
    [2, 1, [11, 19, 15], []],
    [1, 0, [5, 9, 7], []],
    [1, -5, [0, 4, 2], []],
    [-0.5, 0, [-2.5, -4.5, -3.5], []],
    [0, 0, [5, 9, 7], []],
    [Number.NaN, 0, [5, 9, 7], []],
    [0, -5, [5, 9, 7], ["IgnoredIntercept"]],
    [Number.NaN, -5, [5, 9, 7], ["IgnoredIntercept"]],
    [Number.NaN, Number.NaN, [5, 9, 7], ["IgnoredIntercept"]],
  ])("slope %d, intercept %d", async (slope, intercept, data, warnings) => {
    expect(await scaled(slope, intercept)).toEqual({ data, warnings });
  });

  it("says what it decided", async () => {
    const volume = await read(niftiBytes({ dim, voxels, slope: 2, intercept: 1 }), { source: "a.nii" });
    expect(volume.meta.source).toBe("a.nii");
    expect(volume.meta.decisions).toEqual([
      "NIfTI-1, little-endian uint8, 3 × 1 × 2 voxels.",
      "The sform places the image (code 1, scanner).",
      "Stored values are scaled: value × 2 + 1.",
    ]);
  });
});

it("takes little-endian float32 without a copy, where it is aligned", async () => {
  const bytes = niftiBytes({ datatype: 16, dim, voxels: store("float32", [1, 2, 3, 4, 5, 6], true) });
  expect((await read(bytes)).data.buffer).toBe(bytes.buffer);
  const shifted = new Uint8Array(bytes.length + 1).subarray(1);
  shifted.set(bytes);
  const volume = await read(shifted);
  expect(volume.data.buffer).not.toBe(shifted.buffer);
  expect([...volume.data]).toEqual([1, 2, 3, 4, 5, 6]);
});
