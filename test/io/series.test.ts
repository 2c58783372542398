/** Several volumes in a file: time points and vectors are read as volumes and written as time points. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Affine,
  decode,
  decodeAll,
  encode,
  encodeAll,
  readVolume,
  readVolumes,
  type Volume,
  volume,
  writeVolumes,
} from "../../dist/index.js";
import { decodeAll as decodeAllPortably } from "../../dist/io/index.js";
import { bothBackends, useBackend } from "../api/images.ts";
import { niftiBytes, type Parts, packed } from "./nifti-bytes.ts";
import { oracleBackend } from "./oracle-backend.ts";

const series: Parts = { dim: [4, 3, 2, 1, 4, 1, 1, 1], voxels: Uint8Array.from({ length: 24 }, (_, i) => i) };
const points = [0, 6, 12, 18].map((first) => [0, 1, 2, 3, 4, 5].map((i) => first + i));
const values = (volumes: readonly Volume[]) => volumes.map(({ data }) => [...data]);
const codes = ({ meta }: Volume) => meta.warnings.map(({ code }) => code);
const backend = oracleBackend;

describe.each(bothBackends)("read on %s", (name) => {
  const held = useBackend(name);

  it("each time point in its turn", async () => {
    for (const version of [1, 2] as const) {
      for (const little of [true, false]) {
        const bytes = niftiBytes({ ...series, version, little, slope: 2, intercept: 1 });
        for (const file of [bytes, packed(bytes)]) {
          for (const decode of [decodeAll, decodeAllPortably]) {
            const found = await decode(file, held);
            expect(values(found)).toEqual(points.map((point) => point.map((value) => 2 * value + 1)));
            expect(found.map(({ grid }) => grid.shape)).toEqual(points.map(() => [3, 2, 1]));
            expect(found.map(({ meta }) => meta.decisions.at(-1))).toEqual(
              [1, 2, 3, 4].map((n) => `This is volume ${n} of 4.`),
            );
            expect(found.flatMap(codes)).toEqual([]);
            // A buffer of its own each: what goes to a worker is what is needed.
            expect(found.map(({ data }) => data.buffer.byteLength)).toEqual([24, 24, 24, 24]);
          }
        }
      }
    }
  });

  it("single precision, which needs no conversion", async () => {
    const voxels = new Uint8Array(Float32Array.from({ length: 24 }, (_, i) => i).buffer);
    expect(values(await decodeAll(niftiBytes({ ...series, datatype: 16, voxels }), held))).toEqual(points);
  });

  it("vectors, values within time points as the file has them, with a warning", async () => {
    const bytes = niftiBytes({ ...series, dim: [5, 3, 2, 1, 2, 2, 1, 1] });
    const found = await decodeAll(bytes, held);
    expect(values(found)).toEqual(points);
    expect(found.map(codes)).toEqual(points.map(() => ["VectorsSplit"]));
    await expect(decode(bytes, held)).rejects.toMatchObject({
      code: "SeveralVolumes",
      message: expect.stringContaining("got 2 time points of 2 values a voxel (3 × 2 × 1 × 4); readVolumes"),
      detail: { volumes: 4, times: 2, valuesPerVoxel: 2 },
    });
  });

  it("one volume as `decode` does", async () => {
    const bytes = niftiBytes({ dim: [4, 3, 2, 2, 1, 1, 1, 1] });
    expect(await decodeAll(bytes, held)).toEqual([await decode(bytes, held)]);
  });
});

describe("refused", () => {
  it("a series where one volume was asked for, before its voxels are looked at", async () => {
    const bytes = niftiBytes(series).subarray(0, 360);
    await expect(decode(bytes, { backend, source: "a.nii" })).rejects.toMatchObject({
      code: "SeveralVolumes",
      message: expect.stringMatching(/^a\.nii: NIfTI: expected one volume, got 4 time points .*readVolumes/),
    });
  });

  it("a series that is cut", async () => {
    await expect(decodeAll(niftiBytes(series).subarray(0, -1), { backend })).rejects.toMatchObject({
      code: "Truncated",
      detail: { missing: 1 },
    });
  });

  it("more voxels or volumes than the limit", async () => {
    const bytes = niftiBytes(series);
    expect((await decodeAll(bytes, { backend, limits: { voxels: 24, volumes: 4 } })).length).toBe(4);
    for (const limits of [{ voxels: 23 }, { volumes: 3 }]) {
      await expect(decodeAll(bytes, { backend, limits })).rejects.toMatchObject({ code: "TooLarge" });
    }
    // 30 kB that would be 30 million volumes of one voxel.
    const crowd = niftiBytes({ dim: [5, 1, 1, 1, 30000, 1000, 1, 1], voxels: new Uint8Array(30_000_000) });
    await expect(decodeAll(packed(crowd), { backend })).rejects.toMatchObject({
      code: "TooLarge",
      message: expect.stringContaining("at most 32767 volumes, got 30000000"),
    });
  });
});

describe("written", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "voxnorm-series-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(["a.nii", "a.nii.gz"])("%s, and read back with the time between and its unit", async (name) => {
    // 2.5 s between time points: the unit is mm (2) and s (8).
    const bytes = niftiBytes({ ...series, pixdim: [1, 1, 1, 1, 2.5, 1, 1, 1], units: 10 });
    await writeVolumes(join(folder, name), await decodeAll(bytes, { backend }));
    const found = await readVolumes(join(folder, name));
    expect(values(found)).toEqual(points);
    const { header, source } = found[3]!.meta;
    expect(source).toBe(join(folder, name));
    expect(header).toMatchObject({
      dim: [4, 3, 2, 1, 4, 1, 1, 1],
      pixdim: [1, 1, 1, 1, 2.5, 1, 1, 1],
      units: { code: 10 },
    });
    await expect(readVolume(join(folder, name))).rejects.toMatchObject({ code: "SeveralVolumes" });
  });

  it("one volume as `encode` does", async () => {
    const image = volume(Float32Array.of(1, 2, 3), [3, 1, 1]);
    expect(Buffer.compare(await encodeAll([image]), await encode(image))).toBe(0);
  });

  it("more than 32767 volumes as NIfTI-2", async () => {
    const image = volume(Float32Array.of(7), [1, 1, 1]);
    const bytes = await encodeAll(new Array(32768).fill(image));
    const found = await decodeAll(bytes, { backend, limits: { volumes: 32768 } });
    expect(found.length).toBe(32768);
    expect(found[0]!.meta.header).toMatchObject({ version: 2, dim: [4, 1, 1, 1, 32768, 1, 1, 1] });
  });

  it("not where grids differ or there is nothing", async () => {
    const moved: Affine = [
      [1, 0, 0, 5],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
    ];
    const image = volume(Float32Array.of(1, 2, 3), [3, 1, 1]);
    await expect(encodeAll([image, volume(image.data, [3, 1, 1], moved)])).rejects.toMatchObject({
      code: "GridMismatch",
      message: "NIfTI: volume 2: expected the first one's grid of 3 × 1 × 1, got one up to 5.00 mm off",
    });
    await expect(encodeAll([image, volume(image.data, [1, 3, 1])])).rejects.toMatchObject({ code: "GridMismatch" });
    await expect(encodeAll([])).rejects.toMatchObject({ code: "BadVolume" });
  });
});
