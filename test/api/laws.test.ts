/** What must hold of N4 whatever its numbers: laws, on both backends. */
import { beforeAll, describe, expect, it } from "vitest";
import { createBackend, digest, n4, pipeline, type Triple, type Volume } from "../../dist/index.js";
import { bits, bothBackends, fill, like, logDifference, made, type Phantom, phantom, useBackend } from "./images.ts";

/** Small enough to be quick, odd enough to leave lanes and chunks half full. */
const small = phantom([37, 30, 26]);
const quick = { shrinkFactor: 1, iterations: [6, 4] };

interface Measures {
  readonly voxels: number;
  readonly coefficientOfVariation: { readonly before: number; readonly after: number };
  readonly fieldRange: readonly [number, number];
}

/** Where voxel (x, y, z) of a permuted or flipped volume comes from. */
type Source = (x: number, y: number, z: number) => Triple;

function rearranged(volume: Volume, shape: Triple, source: Source): Volume {
  const [nx, ny] = volume.grid.shape;
  return made(shape, (x, y, z) => {
    const [i, j, k] = source(x, y, z);
    return volume.data[(k * ny + j) * nx + i]!;
  });
}

describe.each(bothBackends)("%s", (name) => {
  const held = useBackend(name);

  async function fieldOf(image: Volume, options: Parameters<typeof n4>[0], mask?: Volume): Promise<Volume> {
    const { outputs } = await n4(options).run({ image, mask }, ["field"], held);
    return outputs.field!;
  }

  it("gives an image that times the field is the input, to the rounding of one division", async () => {
    const { image, mask } = small;
    const { outputs } = await n4(quick).run({ image, mask }, ["image", "field"], held);
    const field = outputs.field!.data;
    const expected = image.data.map((value, i) => Math.fround(value / field[i]!));
    expect(bits(outputs.image!)).toBe(bits({ ...image, data: expected }));
    expect(Math.max(...field) / Math.min(...field)).toBeGreaterThan(1.2);
  });

  it("gives only the outputs asked for, and the image where none is named", async () => {
    const { image, mask } = small;
    const bound = n4(quick);
    const both = (await bound.run({ image, mask }, ["field", "image"], held)).outputs;
    expect(Object.keys(both).sort()).toEqual(["field", "image"]);
    const [field, preset, none] = await Promise.all([
      bound.run({ image, mask }, ["field"], held),
      bound.run({ image, mask }, undefined, held),
      bound.run({ image, mask }, [], held),
    ]);
    expect(Object.keys(field.outputs)).toEqual(["field"]);
    expect(Object.keys(preset.outputs)).toEqual(["image"]);
    expect(none.outputs).toEqual({});
    expect(bits(field.outputs.field!)).toBe(bits(both.field!));
    expect(bits(preset.outputs.image!)).toBe(bits(both.image!));
    expect(none.measures).toEqual(field.measures);
  });

  it("fits and applies as it runs, bit for bit, also after the fitted values went through JSON", async () => {
    const { image, mask } = small;
    const bound = n4(quick);
    const ran = await bound.run({ image, mask }, ["image", "field"], held);
    const fitted = await bound.fit({ image, mask }, held);
    expect(fitted).toEqual(ran.fitted);
    const kept = JSON.parse(JSON.stringify(fitted)) as typeof fitted;
    expect(kept).toEqual(fitted);
    expect(kept.lattice.values.every((value, i) => Object.is(value, fitted.lattice.values[i]))).toBe(true);
    const applied = await bound.apply({ image, mask }, kept, ["image", "field"], held);
    expect(bits(applied.outputs.image!)).toBe(bits(ran.outputs.image!));
    expect(bits(applied.outputs.field!)).toBe(bits(ran.outputs.field!));
    expect(applied.measures).toEqual(ran.measures);
  });

  it("gives the same after and beside other images", async () => {
    const other = phantom([20, 33, 41], 0.4, 7);
    const bound = n4(quick);
    const digestOf = async ({ image, mask }: Phantom) => {
      const { outputs } = await bound.run({ image, mask }, ["image"], held);
      return digest(outputs.image!, held.backend);
    };
    const alone = await digestOf(small);
    const otherAlone = await digestOf(other);
    expect(await digestOf(small)).toBe(alone);
    const beside = await Promise.all([small, other, other, small].map(digestOf));
    expect(beside).toEqual([alone, otherAlone, otherAlone, alone]);
  });

  it("neither changes its inputs nor takes them away", async () => {
    const image = { ...small.image, data: small.image.data.slice() };
    const mask = { ...small.mask, data: small.mask.data.slice() };
    const weight = like(image, (x) => 1 + (x % 3));
    const before = [image, mask, weight].map(bits);
    const { fitted } = await n4(quick).run({ image, mask, weight }, ["image", "field"], held);
    const frozen = structuredClone(fitted);
    await n4(quick).apply({ image, mask }, fitted, ["image"], held);
    await pipeline([n4(quick)]).run(image, { ...held, inputs: { mask, weight }, digests: true });
    expect([image, mask, weight].map(bits)).toEqual(before);
    expect(fitted).toEqual(frozen);
  });

  it("leaves an image as it is where no iteration is asked for", async () => {
    const { outputs, fitted } = await n4({ iterations: [0, 0] }).run({ image: small.image }, ["image", "field"], held);
    expect(outputs.field!.data.every((factor) => factor === 1)).toBe(true);
    expect(bits(outputs.image!)).toBe(bits(small.image));
    expect(fitted.levels).toEqual([
      { iterations: 0, convergence: [] },
      { iterations: 0, convergence: [] },
    ]);
  });

  it("keeps the field when a level is refined and nothing more is fitted", async () => {
    const options = { shrinkFactor: 1, convergenceThreshold: 0 };
    const coarse = await fieldOf(small.image, { ...options, iterations: [8] }, small.mask);
    const fine = await fieldOf(small.image, { ...options, iterations: [8, 0, 0] }, small.mask);
    expect(logDifference(fine.data, coarse.data).largest).toBeLessThan(1e-6);
  });

  it("finds the same field in an image of another brightness", async () => {
    const { image, mask } = small;
    const brighter = like(image, (_x, _y, _z, i) => image.data[i]! * 8);
    const [a, b] = [await fieldOf(image, quick, mask), await fieldOf(brighter, quick, mask)];
    expect(logDifference(a.data, b.data).largest).toBeLessThan(1e-5);
  });

  it.each([
    ["flipped along x", [37, 30, 26], (x, y, z) => [36 - x, y, z]],
    ["flipped along y", [37, 30, 26], (x, y, z) => [x, 29 - y, z]],
    ["flipped along z", [37, 30, 26], (x, y, z) => [x, y, 25 - z]],
    ["with x and z exchanged", [26, 30, 37], (x, y, z) => [z, y, x]],
    ["with its axes in turn", [30, 26, 37], (x, y, z) => [z, x, y]],
  ] as [string, Triple, Source][])("finds the same field in an image %s", async (_, shape, source) => {
    const { image, mask } = small;
    const field = await fieldOf(image, quick, mask);
    const other = await fieldOf(rearranged(image, shape, source), quick, rearranged(mask, shape, source));
    // The last sample along an axis is moved in by a thousandth, and sums fold in another order: nothing else differs.
    expect(logDifference(other.data, rearranged(field, shape, source).data).largest).toBeLessThan(5e-5);
  });

  it("finds next to no field where there is none", async () => {
    const { image, mask } = phantom([37, 30, 26], 0);
    const field = await fieldOf(image, { shrinkFactor: 1 }, mask);
    const flat = fill(image.grid.shape, () => 1);
    expect(logDifference(field.data, flat, (i) => mask.data[i] === 1).rms).toBeLessThan(0.01);
  });

  it("tells convergence, iterations and measures that belong together", async () => {
    const { image, mask } = small;
    const { fitted, measures } = await n4({ shrinkFactor: 1, iterations: [40, 3] }).run({ image, mask }, [], held);
    const [first, second] = fitted.levels as [(typeof fitted.levels)[0], (typeof fitted.levels)[0]];
    expect(first.convergence.length).toBe(first.iterations);
    expect(second.convergence.length).toBe(second.iterations);
    // A level goes on until the change is small enough or its iterations are used up.
    for (const [level, most] of [
      [first, 40],
      [second, 3],
    ] as const) {
      expect(level.convergence.slice(0, -1).every((change) => change > 0.001)).toBe(true);
      expect(level.iterations === most || level.convergence.at(-1)! <= 0.001).toBe(true);
    }
    const parsed = n4.measures.parse(measures);
    n4.fitted.parse(fitted);
    expect(parsed.voxels).toBe(mask.data.filter((value) => value === 1).length);
    expect(fitted.lattice.points).toEqual([5, 5, 5]);
    expect(fitted.lattice.values.length).toBe(125);
  });

  it("measures the coefficient of variation and the field's range over the region", async () => {
    const { image, mask } = small;
    const { outputs, measures } = await n4(quick).run({ image, mask }, ["image", "field"], held);
    const inside = (voxels: Float32Array) => [...voxels].filter((_, i) => mask.data[i] === 1);
    const variation = (values: number[]) => {
      const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
      return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1)) / mean;
    };
    const factors = inside(outputs.field!.data);
    const told = n4.measures.parse(measures) as unknown as Measures;
    expect(told.coefficientOfVariation.before).toBeCloseTo(variation(inside(image.data)), 10);
    expect(told.coefficientOfVariation.after).toBeCloseTo(variation(inside(outputs.image!.data)), 10);
    expect(told.fieldRange).toEqual([Math.min(...factors), Math.max(...factors)]);
  });

  it.each([
    { maskLabel: "nonzero" },
    { shrinkFactor: 3 },
    { shrinkOffset: [0, 1, 0] },
    { iterations: [2, 2] },
    { convergenceThreshold: 0.5 },
    { controlPoints: 5 },
    { histogramBins: 100 },
    { fullWidthAtHalfMaximum: 0.3 },
    { wienerNoise: 0.1 },
    { workingResolution: 3, shrinkFactor: undefined },
    { splineDistance: 15 },
    { fieldMapping: "exact" },
  ] as const)("heeds %o", async (option) => {
    const { image } = small;
    const mask = like(image, (x, y, z, i) => (small.mask.data[i] === 1 ? 1 + ((7 * x + 3 * y + z) % 5) / 4 : 0));
    const base = { shrinkFactor: 2, iterations: [5, 5] };
    const { outputs } = await n4(base).run({ image, mask }, ["field"], held);
    const { outputs: other } = await n4({ ...base, ...(option as object) }).run({ image, mask }, ["field"], held);
    expect(logDifference(outputs.field!.data, other.field!.data).largest).toBeGreaterThan(1e-5);
  });

  it("is tested with every option", () => {
    const above =
      "maskLabel shrinkFactor shrinkOffset workingResolution iterations convergenceThreshold controlPoints splineDistance " +
      "histogramBins fullWidthAtHalfMaximum wienerNoise fieldMapping";
    // What changes the image but not the field has tests of its own.
    expect(Object.keys(n4.options.shape)).toEqual([...above.split(" "), "outside", "preserveRange"]);
  });
});

/** Planes enough for more than three chunks at either factor, the ellipsoid crossing all of their borders. */
describe("a phantom whose field is known", () => {
  const shape: Triple = [72, 76, 104];
  let known: Phantom;
  beforeAll(() => {
    known = phantom(shape);
  });

  describe.each(bothBackends)("%s", (name) => {
    const held = useBackend(name);

    it.each([1, 2])(
      "is corrected at shrink factor %i to half a percent, and nowhere off by two",
      async (shrinkFactor) => {
        const { image, mask, field } = known;
        const { outputs, measures } = await n4({ shrinkFactor }).run({ image, mask }, ["field"], held);
        const inside = (i: number) => mask.data[i] === 1;
        const flat = fill(shape, () => 1);
        const before = logDifference(flat, field, inside);
        const after = logDifference(outputs.field!.data, field, inside);
        expect(before.rms).toBeGreaterThan(0.08);
        expect(after.rms).toBeLessThan(0.005);
        expect(after.largest).toBeLessThan(0.02);
        const { coefficientOfVariation } = measures as unknown as Measures;
        expect(coefficientOfVariation.after).toBeLessThan(coefficientOfVariation.before);
      },
    );
  });

  it("gives the same bytes on 1, 2, 3 and 8 threads and as WebAssembly", async () => {
    const { image, mask } = known;
    const found = new Set<string>();
    const ways = [1, 2, 3, 8].map((threads) => ({ backend: "native", threads }) as const);
    for (const options of [...ways, { backend: "wasm" } as const]) {
      const backend = await createBackend(options);
      const { outputs, fitted } = await n4({ shrinkFactor: 1, iterations: [6, 4] }).run(
        { image, mask },
        ["image", "field"],
        { backend },
      );
      found.add([bits(outputs.image!), bits(outputs.field!), JSON.stringify(fitted)].join());
      await backend.close();
    }
    expect(found.size).toBe(1);
  });
});
