/** Local normalisation by its laws; its numbers are compared in test/conformance and in the kernel's own tests. */
import { expect, it } from "vitest";
import { createBackend, gridOf, localNormalisation, type Volume, volume } from "../../dist/index.js";
import { failure, like, phantom } from "./images.ts";

const backend = await createBackend({ backend: "native", threads: 2 });
const { image } = phantom([23, 19, 17]);
const run = async (image: Volume, options: Parameters<typeof localNormalisation>[0] = {}) =>
  await localNormalisation({ window: 7, ...options }).run({ image }, ["image"], { backend });
const voxels = async (...given: Parameters<typeof run>) => (await run(...given)).outputs.image!.data;

it("does not ask for the scale of an image", async () => {
  const scaled = like(image, (_x, _y, _z, i) => 512 + 4 * image.data[i]!);
  const [expected, got] = [await voxels(image), await voxels(scaled)];
  for (const [i, v] of got.entries()) expect(v).toBeCloseTo(expected[i]!, 3);
});

it("with a window over all of it, is the z-score", async () => {
  const { data } = image;
  const mean = data.reduce((sum, v) => sum + v, 0) / data.length;
  const deviation = Math.sqrt(data.reduce((sum, v) => sum + (v - mean) ** 2, 0) / data.length);
  const got = await voxels(image, { window: 1000 });
  for (const [i, v] of got.entries()) expect(v).toBeCloseTo((data[i]! - mean) / deviation, 5);
});

it("takes each channel by itself", async () => {
  const twice = new Float32Array(2 * image.data.length);
  twice.set(image.data);
  twice.set(
    image.data.map((v) => 7 * v * v),
    image.data.length,
  );
  const both = { ...image, data: twice, grid: gridOf(image.grid.shape, image.grid.affine, 2) };
  const got = await voxels(both);
  const single = await voxels(image);
  const square = await voxels(like(image, (_x, _y, _z, i) => Math.fround(7 * image.data[i]! ** 2)));
  expect(got.subarray(0, single.length)).toEqual(single);
  for (const [i, v] of square.entries()) expect(got[single.length + i]).toBeCloseTo(v, 5);
});

it.each([
  [[1, 1, 1], 7, [7, 7, 7]],
  [[2, 0.9375, 3], 30, [15, 19, 11]],
  [
    [0.3, 0.7, 5],
    [0.9, 2.1, 9.99],
    [3, 3, 1],
  ],
])("of voxels of %j mm and a window of %j mm takes %j voxels", async (spacing, window, expected) => {
  const affine = spacing.map((mm, row) => [0, 1, 2, 3].map((column) => (row === column ? mm : 0)));
  const spaced = volume(image.data, image.grid.shape, affine as never);
  const { measures } = await run(spaced, { window: window as number });
  expect(measures.window).toEqual(expected);
});

it("says what it cannot do", async () => {
  const constant = like(image, () => 5);
  expect(await failure(() => run(constant))).toMatchObject({
    code: "ConstantImage",
    message: "local-normalisation: image: expected voxels that differ, got one value",
  });
  expect(new Set(await voxels(constant, { statistics: "mean" }))).toEqual(new Set([0]));
  const holed = like(image, (_x, _y, _z, i) => (i === 9 ? Number.POSITIVE_INFINITY : i));
  expect((await failure(() => run(holed))).code).toBe("NotFinite");
  expect((await run(image, { window: 0.5 })).warnings).toMatchObject([{ code: "OneVoxel" }]);
});
