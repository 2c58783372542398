/**
 * Which voxels N4 keeps when it shrinks, against ITK: where the exact centre is a tie, rounding errors decide, those of
 * the header's transform first of all.
 */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createBackend, decode, type ItkFrame, n4, type Triple } from "../../dist/index.js";
import { type Form, niftiBytes } from "../io/nifti-bytes.ts";

interface Recorded {
  readonly source: string;
  readonly cases: readonly {
    shape: Triple;
    pixdim: number[];
    qform: Form;
    sform: Form;
    itk: ItkFrame;
    factor: Triple;
    offset: Triple;
  }[];
}

const file = process.env.SHRINK_OFFSETS ?? new URL("shrink-offsets.json", import.meta.url);
const recorded = JSON.parse(readFileSync(file, "utf8")) as Recorded;

it(`holds the grid and keeps the voxels as ${recorded.source}, each and every one`, async () => {
  const backend = await createBackend();
  let ties = 0;
  for (const [index, { shape, factor, offset, itk, ...forms }] of recorded.cases.entries()) {
    const voxels = Uint8Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) => 1 + (i % 7));
    const image = await decode(niftiBytes({ ...forms, dim: [3, ...shape, 1, 1, 1, 1], voxels }), { backend });
    expect(image.grid.itk, `case ${index}`).toEqual(itk);
    const { shrink } = await n4({ shrinkFactor: factor, iterations: [0] }).fit({ image }, { backend });
    expect(shrink.offset, `case ${index}`).toEqual(offset);
    const isTie = (a: 0 | 1 | 2) => (shape[a] - 1 - (Math.floor(shape[a] / factor[a]) - 1) * factor[a]) % 2 === 1;
    ties += ([0, 1, 2] as const).filter(isTie).length;
  }
  await backend.close();
  expect(ties).toBeGreaterThan(70);
});
