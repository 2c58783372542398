/** Real files: every voxel and the affine as nibabel reads them, on each backend and platform. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createBackend } from "../../dist/backend/load-node.js";
import { decode } from "../../dist/io/index.js";
import { readVolume } from "../../dist/io/index-node.js";

interface Case {
  readonly file: string;
  readonly shape: number[];
  readonly affine: number[][];
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly voxels: { at: [number, number, number]; value: number }[];
  readonly sha256: string;
}

const recorded = JSON.parse(readFileSync("test/cases/nifti/files.json", "utf8"));
const cases: Case[] = recorded.cases;
const data = "../shared/data/";
const absent = existsSync(data) ? "" : `: skipped, ${data} is absent`;

describe.each(["native", "wasm"] as const)(`%s, against ${recorded.source}${absent}`, (name) => {
  it.skipIf(absent).each(cases)("$file", async (expected) => {
    const backend = await createBackend({ backend: name });
    const volume = await readVolume(data + expected.file, { backend }).finally(() => backend.close());
    const [nx, ny] = volume.grid.shape;
    expect(volume.grid.shape).toEqual(expected.shape);
    for (const [row, values] of expected.affine.entries()) {
      for (const [column, value] of values.entries()) expect(volume.grid.affine[row]![column]).toBeCloseTo(value, 9);
    }
    for (const { at, value } of expected.voxels) {
      expect(volume.data[at[0] + nx * (at[1] + ny * at[2])], at.join()).toBe(value);
    }
    let [sum, min, max] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of volume.data) {
      sum += value;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    expect([min, max]).toEqual([expected.min, expected.max]);
    // Only the order of the additions differs.
    expect(Math.abs(sum - expected.sum)).toBeLessThanOrEqual(1e-9 * Math.abs(expected.sum));
    expect(createHash("sha256").update(new Uint8Array(volume.data.slice().buffer)).digest("hex")).toBe(expected.sha256);
  });
});

it.skipIf(absent)(`reads the same on the portable platform${absent}`, async () => {
  const backend = await createBackend({ backend: "native" });
  const path = `${data}mri/chris_PD.nii.gz`;
  const portable = await decode(new Uint8Array(readFileSync(path)), { backend, source: path });
  const volume = await readVolume(path, { backend });
  expect(Buffer.from(portable.data.buffer).equals(Buffer.from(volume.data.buffer))).toBe(true);
  expect({ ...portable, data: 0 }).toEqual({ ...volume, data: 0 });
  await backend.close();
});
