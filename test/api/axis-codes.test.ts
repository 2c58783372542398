/** The names of axes, as nibabel gives them: `nibabel-axis-codes.py` records them. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { axisCodes } from "../../dist/grid.js";
import { type Affine, gridOf } from "../../dist/index.js";

interface Recorded {
  readonly source: string;
  readonly cases: readonly { readonly affine: Affine; readonly codes: string }[];
}

const file = new URL("nibabel-axis-codes.json", import.meta.url);
const { source, cases } = JSON.parse(readFileSync(file, "utf8")) as Recorded;

it(`axes are called as by ${source}: permuted, mirrored, oblique and sheared`, () => {
  const found = cases.map(({ affine }) => ({ affine, codes: axisCodes(gridOf([4, 5, 6], affine)) }));
  expect(found).toEqual(cases);
  // All 48 ways to lie along the world's axes, at least.
  expect(new Set(cases.map(({ codes }) => codes)).size).toBe(48);
});

it("names are a letter of each world axis, whatever the affine", () => {
  const flat: Affine = [
    [1, 1, 1, 0],
    [1, 1, 1.001, 0],
    [1, 1.001, 1, 0],
  ];
  const letters = [...axisCodes(gridOf([2, 2, 2], flat))].sort();
  expect(letters).toEqual(["A", "R", "S"]);
});
