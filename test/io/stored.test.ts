/** Voxels written as other types: as they are where they fit, scaled and reported where they do not, on both backends. */
import { describe, expect, it } from "vitest";
import { decode, encode, type Volume, volume } from "../../dist/index.js";
import { bothBackends, random, useBackend } from "../api/images.ts";
import { niftiBytes, types } from "./nifti-bytes.ts";
import { oracleBackend } from "./oracle-backend.ts";

type Name = keyof typeof types;
const names = Object.keys(types) as Name[];
const integers = names.filter((name) => !name.startsWith("float"));
const line = (...values: number[]) => volume(Float32Array.from(values), [values.length, 1, 1]);

describe.each(bothBackends)("%s", (name) => {
  const held = useBackend(name);

  /** The report, and the file read back by an oracle. */
  async function written(image: Volume, datatype: Name | "input") {
    let report: Record<string, unknown> = {};
    const bytes = await encode(image, { ...held, datatype, onReport: (told) => (report = { ...told }) });
    return { bytes, report, found: await decode(bytes, { backend: oracleBackend }) };
  }

  it.each(names)("%s: whole numbers as they are", async (datatype) => {
    const image = line(0, 1, 2, 100, 127);
    const { bytes, report, found } = await written(image, datatype);
    const [code, bits] = types[datatype];
    expect(bytes.length).toBe(352 + (5 * bits) / 8);
    expect([...found.data]).toEqual([...image.data]);
    expect(found.meta.warnings).toEqual([]);
    expect(found.meta.header).toMatchObject({ datatype, datatypeCode: code, bitpix: bits, slope: 1, intercept: 0 });
    expect(report).toMatchObject({ datatype, slope: 1, intercept: 0, voxels: 5, changed: 0, largestError: 0 });
  });

  it.each(integers)("%s: what does not fit is scaled, no voxel misses by more than half a step", async (datatype) => {
    const next = random(7);
    for (const [low, width] of [
      [0, 1],
      [-1000, 5000],
      [1e6, 1],
      [-3e38, 6e38],
      [1e-40, 1e-41],
      [-5, 2 ** -20],
    ] as const) {
      const image = line(...Array.from({ length: 500 }, () => low + width * next()), low, low + width);
      const { report, found } = await written(image, datatype);
      const { slope, intercept } = report as { slope: number; intercept: number };
      expect([Math.fround(slope), Math.fround(intercept)]).toEqual([slope, intercept]);
      let [worst, changed] = [0, 0];
      for (const [i, value] of found.data.entries()) {
        worst = Math.max(worst, Math.abs(value - image.data[i]!));
        if (value !== image.data[i]) changed++;
      }
      // Reading rounds to single precision, by up to half of its step.
      const rounding = Math.max(Math.abs(low), Math.abs(low + width)) * 2 ** -24;
      expect(worst).toBeLessThanOrEqual(slope / 2 + rounding);
      expect(report.changed).toBe(changed);
      expect(Math.abs((report.largestError as number) - worst)).toBeLessThanOrEqual(rounding);
      const data = [...image.data];
      expect(report.range).toEqual([Math.min(...data), Math.max(...data)]);
    }
  });

  it("rounds halves to even", async () => {
    // Slope 1 over 0 to 255: the fractions alone force scaling.
    const { report, found } = await written(line(0, 0.5, 1.5, 2.5, 254.5, 255), "uint8");
    expect(report).toMatchObject({ slope: 1, intercept: 0, changed: 4, largestError: 0.5 });
    expect([...found.data]).toEqual([0, 0, 2, 2, 254, 255]);
  });

  it("a constant that is no whole number is held exactly", async () => {
    const { report, found } = await written(line(0.3, 0.3), "int16");
    expect([...found.data]).toEqual([...line(0.3, 0.3).data]);
    expect(report).toMatchObject({ changed: 0, largestError: 0 });
  });

  it("refuses NaN and infinity as integers, and holds them as floating point", async () => {
    const odd = line(1, Number.NaN, -Infinity);
    await expect(encode(odd, { ...held, datatype: "int16" })).rejects.toMatchObject({
      code: "NotFinite",
      message: "encode: expected finite voxels to write as int16, got 2 NaN or infinite of 3",
    });
    expect([...(await written(odd, "float64")).found.data]).toEqual([...odd.data]);
  });

  it("writes the input's type by the input's scaling where that loses nothing, and by its own where it would", async () => {
    const voxels = new Uint8Array(Int16Array.of(-300, 0, 7, 32767, 1, -32768).buffer);
    const parts = { datatype: 4, dim: [3, 6, 1, 1, 1, 1, 1, 1], slope: 0.3, intercept: -2, voxels };
    const input = await decode(niftiBytes(parts), held);
    const { bytes, report } = await written(input, "input");
    expect([...bytes.subarray(352)]).toEqual([...voxels]);
    expect(report).toMatchObject({ slope: Math.fround(0.3), intercept: -2, changed: 0, largestError: 0 });
    const [low, high] = report.range as [number, number];
    expect([low, high]).toEqual([Math.min(...input.data), Math.max(...input.data)]);
    const wider = { ...input, data: input.data.map((value) => 1.5 * value) };
    expect((await written(wider, "input")).report.slope).toBeCloseTo(0.45, 4);
  });

  it("writes the input's type", async () => {
    const input = await decode(niftiBytes({ datatype: 512, slope: 1 }), held);
    const { found } = await written(input, "input");
    expect(found.meta.header).toMatchObject({ datatype: "uint16" });
  });
});

it("refuses a type that does not exist, and `input` where there was none", async () => {
  for (const [datatype, says] of [
    ["uint12", 'got "uint12"'],
    ["input", "got input, of a volume that was read from no NIfTI file"],
  ]) {
    const options = { datatype: datatype as "input", backend: oracleBackend };
    await expect(encode(line(1), options)).rejects.toMatchObject({
      code: "BadOption",
      message: expect.stringContaining(says!),
    });
  }
});
