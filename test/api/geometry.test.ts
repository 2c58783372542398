/** Shapes at the edge of what there is: each works or ends with a coded error, with the same bytes on both backends. */
import { describe, expect, it } from "vitest";
import { type Affine, n4, type Triple, type Warning } from "../../dist/index.js";
import { bothBackends, failure, fill, identity, logDifference, made, outcome, phantom, useBackend } from "./images.ts";

const voxel = (x: number, y: number, z: number, i: number) => 100 + ((i * 37) % 41) + 3 * x + y + 2 * z;

/** Shape, options, and how it ends: the code of the error, or nothing. */
const cases: [Triple, object, string?][] = [
  [[64, 48, 1], {}],
  [[1, 48, 64], {}],
  [[48, 1, 64], { shrinkFactor: 1 }],
  [[1, 1, 200], {}],
  [[200, 1, 1], {}],
  [[1, 200, 1], { shrinkFactor: 3 }],
  [[1, 1, 1], {}, "ConstantImage"],
  [[1, 1, 2], {}],
  [[1, 1, 2], { shrinkFactor: 1 }],
  [[2, 2, 2], { shrinkFactor: 1 }],
  [[2, 2, 2], {}],
  [[3, 40, 40], {}],
  [[40, 3, 40], { shrinkFactor: [4, 4, 2] }],
  [[7, 7, 7], { shrinkFactor: 64 }],
  [[40, 41, 42], { shrinkFactor: 39 }],
  [[40, 41, 42], { shrinkFactor: 20 }],
  [[16, 16, 16], { shrinkFactor: 1, controlPoints: 20, iterations: [2] }],
  [[17, 15, 33], { shrinkFactor: 1, controlPoints: [4, 9, 5], iterations: [2, 2, 2, 2] }],
  [[15, 16, 17], { shrinkFactor: [1, 2, 3], shrinkOffset: [0, 1, 1] }],
];

describe("shapes", () => {
  const backends = bothBackends.map((name) => useBackend(name));

  it.each(cases)("%j with %j ends alike on both backends %s", async (shape, options, code) => {
    const image = made(shape, voxel);
    const ends = await Promise.all(
      backends.flatMap((held) =>
        (["image", "field"] as const).map((name) =>
          outcome(async () => {
            const { outputs, measures, fitted } = await n4(options).run({ image }, [name], held);
            n4.measures.parse(measures);
            n4.fitted.parse(fitted);
            expect(outputs[name]!.data.every((v) => Number.isFinite(v) && v > 0)).toBe(true);
            return outputs[name]!;
          }),
        ),
      ),
    );
    expect(ends.slice(2)).toEqual(ends.slice(0, 2));
    if (code === undefined) expect(ends[0]).toMatch(/^[0-9a-f]{64}$/);
    else expect(ends[0]).toMatch(new RegExp(`^${code}: `));
  });

  it.each(["native", "wasm"])("give measures that are null where there is no mean to divide by, %s", async (name) => {
    const held = backends[name === "native" ? 0 : 1]!;
    const image = made([8, 8, 8], (_x, _y, _z, i) => (i % 2 === 0 ? 1 : -1));
    const { measures } = await n4({ shrinkFactor: 1, iterations: [0] }).run({ image }, ["image"], held);
    expect(measures.coefficientOfVariation).toEqual({ before: null, after: null });
    n4.measures.parse(measures);
  });
});

describe.each(bothBackends)("%s", (name) => {
  const held = useBackend(name);

  it("corrects a 2-D image as one slice of a volume that repeats it", async () => {
    const flat = phantom([60, 50, 1], 0.3);
    const deep = made([60, 50, 5], (x, y) => flat.image.data[y * 60 + x]!);
    const options = { shrinkFactor: 1, iterations: [8], convergenceThreshold: 0, controlPoints: 4 };
    const one = (await n4(options).run({ image: flat.image }, ["field"], held)).outputs.field!;
    const many = (await n4(options).run({ image: deep }, ["field"], held)).outputs.field!;
    // Along z nothing varies, in the image and therefore in the field.
    const planes = [0, 1, 2, 3, 4].map((z) => many.data.subarray(z * 3000, (z + 1) * 3000));
    for (const plane of planes) expect(logDifference(plane, planes[2]!).largest).toBeLessThan(0.03);
    expect(logDifference(one.data, planes[2]!).rms).toBeLessThan(0.01);
  });

  it("finds the field of a 2-D image", async () => {
    const { image, mask, field } = phantom([120, 110, 1], 0.3);
    const { outputs } = await n4({ shrinkFactor: 2 }).run({ image, mask }, ["field"], held);
    const inside = (i: number) => mask.data[i] === 1;
    const flat = fill([120, 110, 1], () => 1);
    expect(logDifference(flat, field, inside).rms).toBeGreaterThan(0.08);
    expect(logDifference(outputs.field!.data, field, inside).rms).toBeLessThan(0.02);
  });

  it("finds the field whatever the spacing, axes and origin: the lattice is stretched over the voxels", async () => {
    const { image, mask } = phantom([30, 28, 26]);
    const oblique: Affine = [
      [0, 0.4, -2.9, 90],
      [0.6, 0.1, 0.2, -126],
      [0.05, 0.9, 1.3, 7.5],
    ];
    const ends = await Promise.all(
      [identity, oblique].map(async (affine) => {
        const placed = (data: Float32Array) => made([30, 28, 26], (_x, _y, _z, i) => data[i]!, affine);
        const inputs = { image: placed(image.data), mask: placed(mask.data) };
        return outcome(
          async () => (await n4({ shrinkFactor: 1, iterations: [5] }).run(inputs, ["field"], held)).outputs.field!,
        );
      }),
    );
    expect(ends[1]).toBe(ends[0]);
  });

  it.each([
    [[10, 11, 12], 4, [0, 0, 4], 2, 3],
    [[10, 11, 12], 4, [6, 0, 0], 0, 5],
    [[10, 11, 12], [1, 2, 1], [0, 3, 0], 1, 2],
    [[10, 1, 12], 4, [0, 1, 0], 1, 0],
    [[10, 3, 12], 4, [0, 1, 0], 1, 0],
    [[10, 11, 12], 1, [0, 0, 2 ** 53 - 1], 2, 0],
  ] as [Triple, number | Triple, Triple, number, number][])(
    "refuses an offset that the shrunk %j do not leave room for",
    async (shape, shrinkFactor, shrinkOffset, axis, most) => {
      const image = made(shape, voxel);
      const error = await failure(() => n4({ shrinkFactor, shrinkOffset }).run({ image }, ["image"], held));
      expect(error.code).toBe("BadOption");
      expect(error.detail).toEqual({ option: "shrinkOffset", axis, expected: most, got: shrinkOffset[axis] });
      expect(error.message).toBe(
        `n4: shrinkOffset: expected at most ${most} along axis ${axis}, got ${shrinkOffset[axis]}`,
      );
      const fits = shrinkOffset.map((n, a) => (a === axis ? most : n)) as Triple;
      const { fitted } = await n4({ shrinkFactor, shrinkOffset: fits, iterations: [1] }).run({ image }, [], held);
      expect(fitted.shrink.offset).toEqual(fits);
    },
  );

  it.each([
    [[20, 3, 21], { shrinkFactor: 4 }, [4, 1, 4], [5, 3, 5], "axis 1 of 3 voxels by 1, not 4"],
    [[7, 20, 1], { shrinkFactor: [4, 4, 4] }, [1, 4, 1], [7, 5, 1], "axis 0 of 7 voxels by 1, not 4"],
    [[8, 20, 1], { shrinkFactor: 4 }, [4, 4, 1], [2, 5, 1], undefined],
    [
      [40, 12, 9],
      { workingResolution: 9 },
      [9, 3, 2],
      [4, 4, 4],
      "axis 1 of 12 voxels by 3, not 9, axis 2 of 9 voxels by 2, not 9",
    ],
    [
      [40, 12, 9],
      { shrinkFactor: 9, controlPoints: 6 },
      [9, 2, 1],
      [4, 6, 9],
      "axis 1 of 12 voxels by 2, not 9, axis 2 of 9 voxels by 1, not 9",
    ],
    [
      [40, 12, 9],
      { shrinkFactor: 20, splineDistance: 40 },
      [20, 3, 2],
      [2, 4, 4],
      "axis 1 of 12 voxels by 3, not 20, axis 2 of 9 voxels by 2, not 20",
    ],
  ] as [Triple, object, Triple, Triple, string?][])(
    "shrinks %j less than %j where an axis would be left one voxel, and warns",
    async (shape, options, factor, kept, told) => {
      const warned: Warning[] = [];
      const context = { ...held, onWarning: (warning: Warning) => void warned.push(warning) };
      const bound = n4({ ...options, iterations: [1] });
      const image = made(shape, voxel);
      const { fitted, warnings } = await bound.run({ image }, ["field"], context);
      expect(fitted.shrink).toMatchObject({ factor, shape: kept });
      const expected =
        told === undefined ? [] : [{ code: "ShrunkLess", message: `n4: shrinks ${told}, which would leave too few` }];
      expect(warnings.filter(({ code }) => code === "ShrunkLess")).toEqual(expected);
      expect(warned).toEqual(warnings);
      // A call that fits tells of it, too; one that applies what was fitted does not.
      warned.length = 0;
      await bound.fit({ image }, context);
      expect(warned).toEqual(expected);
      const applied = await bound.apply({ image }, fitted, ["field"], held);
      expect(applied.warnings.map(({ code }) => code)).not.toContain("ShrunkLess");
    },
  );
});
