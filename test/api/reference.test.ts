/** An input on a grid of its own that fitting alone asks for. */
import { describe, expect, it } from "vitest";
import { createBackend, exactHistogramMatching, histogramMatching, volume } from "../../dist/index.js";
import { bits, failure, phantom } from "./images.ts";

const backend = await createBackend({ backend: "native", threads: 1 });
const { image } = phantom([20, 18, 16]);
const reference = phantom([9, 11, 13]).image;
const referenceMask = volume(
  reference.data.map((v) => (v > 50 ? 1 : 0)),
  reference.grid.shape,
  reference.grid.affine,
);
const all = { image, reference };

describe.each([histogramMatching(), exactHistogramMatching()])("$step.id", (bound) => {
  it("gives the same voxels from fitted values, without the reference", async () => {
    const { outputs } = await bound.run(all, ["image"], { backend });
    const fitted = await bound.fit(all, { backend });
    const again = await bound.apply({ image }, fitted as never, ["image"], { backend });
    expect(bits(again.outputs.image!)).toBe(bits(outputs.image!));
  });

  it("asks for it to fit", async () => {
    const message = `${bound.step.id}: reference: expected a volume, got none`;
    expect(await failure(() => bound.fit({ image }, { backend }))).toMatchObject({ code: "MissingInput", message });
    expect(await failure(async () => bound.check({ image }))).toMatchObject({ code: "MissingInput", message });
  });

  it("names it in errors", async () => {
    const constant = { ...reference, data: reference.data.map(() => 7) };
    const holed = { ...reference, data: reference.data.map((v, i) => (i === 5 ? Number.NaN : v)) };
    const told = (given: object) => failure(() => bound.run({ ...all, ...given }, ["image"], { backend }));
    expect(await told({ reference: constant })).toMatchObject({
      code: "ConstantImage",
      message: `${bound.step.id}: reference: expected voxels that differ, got one value`,
    });
    expect(await told({ reference: holed })).toMatchObject({
      code: "NotFinite",
      message: `${bound.step.id}: reference: expected finite voxels, got 1 NaN or infinite of 1287`,
    });
  });
});

const masked = histogramMatching({ region: "mask" });
const mask = volume(
  image.data.map((v) => (v > 60 ? 1 : 0)),
  image.grid.shape,
  image.grid.affine,
);
const told = (given: object) => failure(() => masked.run({ ...all, mask, ...given }, ["image"], { backend }));

it("has a mask of its own, on its grid", async () => {
  expect((await told({})).message).toBe(
    'histogram-matching: expected the input "referenceMask" for this region, got none',
  );
  expect(await told({ referenceMask: mask })).toMatchObject({
    code: "GridMismatch",
    message: "histogram-matching: referenceMask: expected the reference's shape 9×11×13, got 20×18×16",
  });
  const empty = { ...referenceMask, data: referenceMask.data.map(() => 0) };
  expect(await told({ referenceMask: empty })).toMatchObject({
    code: "EmptyMask",
    message: "histogram-matching: referenceMask: expected voxels other than 0, got a mask of 0",
  });
  const { fitted } = await masked.run({ ...all, mask, referenceMask }, ["image"], { backend });
  const chosen = reference.data.filter((v) => v > 50);
  expect(fitted.parts[0]!.landmarks[0]!.reference).toBe(Math.min(...chosen));
});
