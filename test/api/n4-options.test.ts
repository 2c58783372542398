/** What N4's options do to field and image, against plain arithmetic and laws. */
import { describe, expect, it } from "vitest";
import { type Affine, n4, type Triple, type Volume, volume } from "../../dist/index.js";
import { bits, bothBackends, failure, like, logDifference, made, phantom, useBackend } from "./images.ts";

const { image, mask } = phantom([37, 30, 26]);
const quick = { shrinkFactor: 2, iterations: [6, 4], convergenceThreshold: 0 };
const scaled = (mm: number, origin = 0): Affine => [
  [mm, 0, 0, origin],
  [0, mm, 0, origin],
  [0, 0, mm, origin],
];
const placed = ({ data, grid }: Volume, affine: Affine) => volume(data, grid.shape, affine);

interface Measures {
  readonly coefficientOfVariation: { readonly before: number; readonly after: number };
  readonly entropy: { readonly before: number; readonly after: number };
  readonly worse: readonly string[];
}

describe.each(bothBackends)("%s", (name) => {
  const held = useBackend(name);
  const all = ["image", "field", "logField"] as const;
  const run = (options: Parameters<typeof n4>[0], given: Volume = image) =>
    n4(options).run({ image: given, mask: placed(mask, given.grid.affine) }, all, held);

  it("gives the logarithm of the field", async () => {
    const { outputs } = await run(quick);
    const worst = outputs.logField!.data.reduce(
      (most, log, i) => Math.max(most, Math.abs(Math.log(outputs.field!.data[i]!) - log)),
      0,
    );
    expect(worst).toBeLessThan(1e-6);
    expect(Math.max(...outputs.logField!.data)).toBeGreaterThan(0.05);
  });

  it("keeps the voxels outside the mask where asked to, and changes nothing else", async () => {
    const [divided, kept] = [await run(quick), await run({ ...quick, outside: "keep" })];
    const expected = like(image, (_x, _y, _z, i) => (mask.data[i] === 1 ? divided.outputs.image! : image).data[i]!);
    expect(bits(kept.outputs.image!)).toBe(bits(expected));
    expect(bits(kept.outputs.field!)).toBe(bits(divided.outputs.field!));
    expect(kept.measures).toEqual(divided.measures);
  });

  it.each(["divide", "keep"] as const)(
    "maps the mask to its former range where asked to, outside: %s",
    async (outside) => {
      const [plain, ranged] = [await run({ ...quick, outside }), await run({ ...quick, outside, preserveRange: true })];
      const inside = ({ data }: Volume) => [...data].filter((_, i) => mask.data[i] === 1);
      const ends = (values: readonly number[]) => [Math.min(...values), Math.max(...values)] as const;
      const [low, high] = ends(inside(image));
      const [from, to] = ends(inside(plain.outputs.image!));
      const slope = (high - low) / (to - from);
      const worst = ranged.outputs.image!.data.reduce((most, value, i) => {
        const before = plain.outputs.image!.data[i]!;
        return Math.max(most, Math.abs(value - (mask.data[i] === 1 ? high - slope * (to - before) : before)));
      }, 0);
      expect(worst).toBeLessThan(1e-4);
      const values = inside(ranged.outputs.image!);
      expect(ends(values)[1]).toBe(high);
      const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1));
      const told = ranged.measures as unknown as Measures;
      expect(told.coefficientOfVariation.after).toBeCloseTo(deviation / mean, 7);
      expect(bits(ranged.outputs.field!)).toBe(bits(plain.outputs.field!));
    },
  );

  it("takes a working resolution as the nearest factor of each axis", async () => {
    const anisotropic: Affine = [
      [0.9, 0, 0, 0],
      [0, 1.3, 0, 0],
      [0, 0, 5, 0],
    ];
    const { fitted, outputs } = await run(
      { ...quick, shrinkFactor: undefined, workingResolution: 4 },
      placed(image, anisotropic),
    );
    expect(fitted.shrink.factor).toEqual([4, 3, 1]);
    const same = await run({ ...quick, shrinkFactor: [4, 3, 1] }, placed(image, anisotropic));
    expect(bits(outputs.field!)).toBe(bits(same.outputs.field!));
  });

  it("takes a spline distance as control points where the spans fill the image", async () => {
    // 36, 29 and 25 mm between the outer voxels.
    const affine: Affine = [
      [1, 0, 0, 0],
      [0, 36 / 29, 0, 0],
      [0, 0, 36 / 25, 0],
    ];
    const given = placed(image, affine);
    const { fitted, outputs } = await run({ ...quick, splineDistance: 18 }, given);
    expect(fitted.grid.padding).toEqual({ lower: [0, 0, 0], upper: [0, 0, 0] });
    const same = await run({ ...quick, controlPoints: 5 }, given);
    expect(bits(outputs.field!)).toBe(bits(same.outputs.field!));
  });

  it("pads by half of what the spans reach beyond the image, the lower half the smaller", async () => {
    // 36 = 2 · 20 - 4, 29 = 2 · 20 - 11, 25 = 2 · 20 - 15.
    const { fitted } = await run({ ...quick, splineDistance: 20 });
    expect(fitted.grid.padding).toEqual({ lower: [2, 5, 7], upper: [2, 6, 8] });
    expect(fitted.lattice.points).toEqual([7, 7, 7]);
  });

  it("fits with padding what it fits in a larger image whose rim is masked out", async () => {
    const [lower, upper] = [[2, 5, 7] as const, [2, 6, 8] as const];
    const shape = image.grid.shape.map((n, a) => lower[a]! + n + upper[a]!) as unknown as Triple;
    const wide = ({ data, grid }: Volume) =>
      made(shape, (...at) => {
        const [x, y, z] = [0, 1, 2].map((a) => at[a]! - lower[a]!) as [number, number, number];
        const [nx, ny, nz] = grid.shape;
        return x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz ? 0 : data[(z * ny + y) * nx + x]!;
      });
    const options = { ...quick, shrinkFactor: 1 };
    const padded = await run({ ...options, splineDistance: 20 });
    const larger = await n4({ ...options, controlPoints: 5 }).run(
      { image: wide(image), mask: wide(mask) },
      ["field"],
      held,
    );
    const cropped = like(image, (x, y, z) => {
      const [i, j, k] = [x + lower[0], y + lower[1], z + lower[2]];
      return larger.outputs.field!.data[(k * shape[1] + j) * shape[0] + i]!;
    });
    // Sums fold by chunks of planes, which differ.
    expect(logDifference(padded.outputs.field!.data, cropped.data).largest).toBeLessThan(1e-5);
  });

  it("refuses a spline distance whose spans would describe single voxels", async () => {
    const error = await failure(() => run({ ...quick, splineDistance: 0.5 }));
    expect(error.code).toBe("BadOption");
    expect(error.message).toBe(
      "n4: splineDistance: expected at least 0.5625 mm for 2 levels along axis 0 of 36 mm, got 0.5",
    );
  });

  it("maps exactly as it stretches where nothing is shrunk", async () => {
    const options = { ...quick, shrinkFactor: 1 };
    const [stretched, exact] = [await run(options), await run({ ...options, fieldMapping: "exact" })];
    expect(bits(exact.outputs.field!)).toBe(bits(stretched.outputs.field!));
  });

  it("gives a fitted field to an image of half the resolution: every second voxel", async () => {
    const { outputs, fitted } = await run(quick);
    const shape: Triple = [19, 15, 13];
    const source = (x: number, y: number, z: number) => (2 * z * 30 + 2 * y) * 37 + 2 * x;
    const coarse = made(shape, (...at) => image.data[source(at[0], at[1], at[2])]!, scaled(2));
    const { outputs: own } = await n4(quick).apply({ image: coarse }, fitted, ["field"], held);
    const expected = made(shape, (...at) => outputs.field!.data[source(at[0], at[1], at[2])]!);
    expect(logDifference(own.field!.data, expected.data).largest).toBeLessThan(1e-6);
  });

  it("gives a fitted field to a flipped crop of the image", async () => {
    const { outputs, fitted } = await run({ ...quick, splineDistance: 20 });
    const source = (x: number, y: number, z: number) => ((z + 3) * 30 + y + 4) * 37 + (30 - x);
    const affine: Affine = [
      [-1, 0, 0, 30],
      [0, 1, 0, 4],
      [0, 0, 1, 3],
    ];
    const crop = made([20, 21, 22], (...at) => image.data[source(at[0], at[1], at[2])]!, affine);
    const { outputs: own } = await n4(quick).apply({ image: crop }, fitted, ["field"], held);
    const expected = made([20, 21, 22], (...at) => outputs.field!.data[source(at[0], at[1], at[2])]!);
    expect(logDifference(own.field!.data, expected.data).largest).toBeLessThan(1e-6);
  });

  it("gives a fitted field to a finer image of the same field of view, between the coarse voxels its mean", async () => {
    const { outputs, fitted } = await run(quick);
    const fine = made([74, 60, 52], () => 1, scaled(0.5, -0.25));
    const { outputs: own } = await n4(quick).apply({ image: fine }, fitted, ["logField"], held);
    const at = (x: number, y: number, z: number) => own.logField!.data[(z * 60 + y) * 74 + x]!;
    // The mean of the eight fine voxels about a coarse one; what is left is the field's curvature over a quarter.
    for (const [x, y, z] of [
      [5, 6, 7],
      [18, 15, 13],
      [30, 22, 20],
    ] as Triple[]) {
      const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((c) =>
        at(2 * x + (c & 1), 2 * y + ((c >> 1) & 1), 2 * z + (c >> 2)),
      );
      const mean = corners.reduce((sum, v) => sum + v, 0) / 8;
      expect(Math.abs(mean - outputs.logField!.data[(z * 30 + y) * 37 + x]!)).toBeLessThan(1e-3);
    }
  });

  it("tells that an image without a field was better before, and that one with a field was not", async () => {
    const told = (measures: object) => measures as Measures;
    const gained = told((await run({ shrinkFactor: 1 })).measures);
    expect(gained.worse).toEqual([]);
    expect(gained.entropy.after).toBeLessThan(gained.entropy.before);
    const flat = { image: like(image, (_x, _y, _z, i) => 100 + (i % 3)), mask };
    const { fitted } = await run({ shrinkFactor: 1 });
    const { measures } = await n4().apply({ image: flat.image, mask: flat.mask }, fitted, [], held);
    const { coefficientOfVariation: cv, worse } = told(measures);
    expect(cv.after).toBeGreaterThan(cv.before);
    expect(worse).toEqual(["coefficientOfVariation"]);
    const harmed = { ...fitted, entropy: { before: 1, after: 1.1 } };
    expect(told((await n4().apply({ image, mask }, harmed, [], held)).measures).worse).toEqual(["entropy"]);
  });
});
