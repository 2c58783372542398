/** Where ITK reads differently: its own placements, and a warning exactly where a corner lies elsewhere. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { itkPlacement } from "../../dist/io/nifti-itk.js";
import type { Affine } from "../../dist/volume.js";
import { identity, niftiBytes } from "./nifti-bytes.ts";
import { read } from "./read.ts";

interface Case {
  readonly name: string;
  readonly fields: [dim: number[], pixdim: number[], q: [number, number[]], s: [number, number[]], units?: number];
  readonly affine: Affine | null;
}

const recorded = JSON.parse(readFileSync("test/cases/nifti/itk.json", "utf8"));

function bytesOf([dim, pixdim, q, s, units = 2]: Case["fields"], version: 1 | 2): Uint8Array {
  const qform = { code: q[0], numbers: q[1] };
  return niftiBytes({ version, dim, pixdim, qform, sform: { code: s[0], numbers: s[1] }, units });
}

const warned = ({ meta }: Awaited<ReturnType<typeof read>>) =>
  meta.warnings.find(({ code }) => code === "ItkDiffers")?.message;

describe(`against ${recorded.source}`, () => {
  it.each(recorded.cases as Case[])("$name", async ({ fields, affine }) => {
    for (const version of [1, 2] as const) {
      const volume = await read(bytesOf(fields, version));
      const found = itkPlacement(volume.meta.header as Parameters<typeof itkPlacement>[0]);
      if (affine === null) {
        expect(found).toBe("refused");
        expect(warned(volume)).toContain("refuse");
        continue;
      }
      if (found === "refused") throw new Error("not refused by ITK");
      for (const [i, row] of affine.entries()) {
        for (const [k, value] of row.entries()) expect(found.affine[i]![k], `${i}, ${k}`).toBeCloseTo(value, 3);
      }
      // The corner that is farthest from SimpleITK's, by going through all voxels.
      const { shape, affine: ours, spacing } = volume.grid;
      let farthest = 0;
      for (let x = 0; x < shape[0]; x++) {
        for (let y = 0; y < shape[1]; y++) {
          for (let z = 0; z < shape[2]; z++) {
            const apart = ours.map((row, i) => [x, y, z, 1].reduce((s, n, k) => s + n * (row[k]! - affine[i]![k]!), 0));
            farthest = Math.max(farthest, Math.hypot(...apart));
          }
        }
      }
      if (farthest <= 0.1 * Math.min(...spacing)) expect(warned(volume)).toBeUndefined();
      else expect(warned(volume)).toContain(`${farthest.toPrecision(3)} mm`);
    }
  });

  it("has cases of either kind", async () => {
    const all = await Promise.all((recorded.cases as Case[]).map(({ fields }) => read(bytesOf(fields, 1))));
    expect(all.filter((volume) => warned(volume) !== undefined).length).toBeGreaterThan(10);
    expect(all.filter((volume) => warned(volume) === undefined).length).toBeGreaterThan(6);
  });
});

it("says so where a qform that nobody used here is no rotation", async () => {
  const qform = { code: 1, numbers: [Number.NaN, 0, 0, 0, 0, 0] };
  expect(warned(await read(niftiBytes({ qform, sform: { ...identity, code: 2 } })))).toContain("nowhere");
});

it("says that ITK adds an intercept that was ignored", async () => {
  const { meta } = await read(niftiBytes({ slope: 0, intercept: -5 }));
  expect(meta.warnings).toEqual([
    { code: "IgnoredIntercept", message: "scl_inter is -5 and was ignored, since scl_slope is 0; ITK would add it" },
  ]);
});
