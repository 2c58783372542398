/** Which voxels are used: masks and their labels, rules in their place, weights, and voxels that cannot be used. */
import { describe, expect, it } from "vitest";
import { type Backend, createBackend, digest, type Mask, n4 } from "../../dist/index.js";
import { bits, bothBackends, failure, like, made, outcome, phantom, useBackend } from "./images.ts";

const { image, mask } = phantom([35, 31, 27]);
const options = { shrinkFactor: 2, iterations: [6, 4] };

/** Two halves and something else. */
const labels = like(image, (x, _y, _z, i) => (mask.data[i] === 0 ? 0 : x < 17 ? 1 : 2));
const only = (...wanted: number[]) => like(image, (_x, _y, _z, i) => (wanted.includes(labels.data[i]!) ? 1 : 0));

describe.each(bothBackends)("%s", (name) => {
  const held = useBackend(name);

  /** The bits of the field: they differ where one voxel more or less was used. */
  async function field(inputs: object, given: Parameters<typeof n4>[0] = {}): Promise<string> {
    const { outputs } = await n4({ ...options, ...given }).run({ image, ...inputs }, ["field"], held);
    return bits(outputs.field!);
  }

  it.each([
    [1, only(1)],
    [2, only(2)],
    ["nonzero", only(1, 2)],
  ] as const)("uses the voxels of label %s", async (maskLabel, equal) => {
    expect(await field({ mask: labels }, { maskLabel })).toBe(await field({ mask: equal }));
    expect(await field({ mask: labels }, { maskLabel })).not.toBe(await field({}));
  });

  it("takes labels that are negative, fractions, and large", async () => {
    for (const maskLabel of [-3, 0.5, 2 ** 24]) {
      const odd = like(image, (_x, _y, _z, i) => (labels.data[i] === 1 ? maskLabel : 7));
      expect(await field({ mask: odd }, { maskLabel })).toBe(await field({ mask: only(1) }));
    }
  });

  it("takes bytes as it does the same numbers in single precision", async () => {
    const bytes = { ...labels, data: Uint8Array.from(labels.data) };
    for (const given of [
      { maskLabel: 1 },
      { maskLabel: 2 },
      { maskLabel: 0 },
      { maskLabel: "nonzero" },
      { shrinkFactor: 1 },
      { outside: "keep", preserveRange: true },
    ] as const) {
      const all = async (mask: Mask) => {
        const { outputs, ...found } = await n4({ ...options, ...given }).run({ image, mask }, ["image", "field"], held);
        return { ...found, image: bits(outputs.image!), field: bits(outputs.field!) };
      };
      expect(await all(bytes)).toEqual(await all(labels));
    }
    for (const maskLabel of [3, 256, -1, 0.5]) {
      const told = (mask: Mask) => failure(() => n4({ ...options, maskLabel }).run({ image, mask }, [], held));
      const { code, message, detail } = await told(bytes);
      expect({ code, message, detail }).toMatchObject({ code: "EmptyMask" });
      const { message: expected } = await told(labels);
      expect(message).toBe(expected);
    }
    expect(await digest(bytes, held.backend)).toBe(await digest(labels, held.backend));
  });

  it("takes 0 as a label", async () => {
    const outside = like(image, (_x, _y, _z, i) => (labels.data[i] === 0 ? 1 : 0));
    expect(await field({ mask: labels }, { maskLabel: 0 })).toBe(await field({ mask: outside }));
  });

  it("counts the used voxels of the shrunk grid in the fitted values, those of the full grid in the measures", async () => {
    const whole = { shrinkFactor: 1, iterations: [1] };
    const { fitted, measures } = await n4(whole).run({ image, mask: labels }, [], held);
    const count = labels.data.filter((label) => label === 1).length;
    expect(fitted.region).toEqual({ rule: "mask", threshold: null, voxels: count, nonPositive: 0 });
    const shrunk = await n4(options).run({ image, mask: labels }, [], held);
    expect(shrunk.measures.voxels).toBe(count);
    expect(measures.voxels).toBe(count);
    // Every second voxel from the offset that was found.
    const { factor, offset, shape } = shrunk.fitted.shrink;
    expect(factor).toEqual([2, 2, 2]);
    expect(shape).toEqual([17, 15, 13]);
    const kept = like(image, (...index) => {
      const [x, y, z, i] = index;
      const isKept = [x, y, z].every((n, a) => n >= offset[a]! && (n - offset[a]!) % 2 === 0);
      const isInside = [x, y, z].every((n, a) => (n - offset[a]!) / 2 < shape[a]!);
      return isKept && isInside && labels.data[i] === 1 ? 1 : 0;
    });
    expect(shrunk.fitted.region.voxels).toBe(kept.data.filter((v) => v === 1).length);
  });

  it("uses every voxel where there is no mask", async () => {
    const { fitted, measures } = await n4({ shrinkFactor: 1, iterations: [2] }).run({ image }, [], held);
    const count = image.data.length;
    expect(fitted.region).toEqual({ rule: "whole", threshold: null, voxels: count, nonPositive: 0 });
    expect(measures.voxels).toBe(count);
    expect(await field({})).toBe(await field({ mask: like(image, () => 1) }));
  });

  it("uses the voxels above the reported threshold where the mask is otsu", async () => {
    const bound = n4(options);
    const { outputs, fitted, measures } = await bound.run({ image, mask: "otsu" }, ["field"], held);
    const { rule, threshold } = fitted.region;
    expect(rule).toBe("otsu");
    const above = like(image, (_x, _y, _z, i) => (image.data[i]! > threshold! ? 1 : 0));
    expect(bits(outputs.field!)).toBe(await field({ mask: above }));
    expect(measures.voxels).toBe(above.data.filter((v) => v === 1).length);
    // Replaying uses the threshold found, on whatever image comes; a voxel of exactly this value is not above it.
    const darker = like(image, (x, _y, _z, i) => (x === 0 ? threshold! : image.data[i]! / 2));
    const replayed = await bound.apply({ image: darker, mask: "otsu" }, fitted, [], held);
    expect(replayed.measures.voxels).toBe(darker.data.filter((v) => v > threshold!).length);
  });

  it("does not use a voxel of exactly Otsu's threshold", async () => {
    const whole = n4({ shrinkFactor: 1, iterations: [1] });
    const { threshold } = (await whole.fit({ image, mask: "otsu" }, held)).region;
    const equal = like(image, (_x, _y, _z, i) => (i === 0 ? threshold! : image.data[i]!));
    const { region } = await whole.fit({ image: equal, mask: "otsu" }, held);
    expect(region.threshold).toBe(threshold);
    expect(region.voxels).toBe(equal.data.filter((v) => v > threshold!).length);
  });

  it("puts Otsu's threshold between two well parted classes", async () => {
    const parted = made([20, 20, 20], (x, y, z) => (x + y + z < 28 ? 10 : 200) + ((x * 7 + y * 3 + z) % 5));
    const { threshold } = (await n4(options).fit({ image: parted, mask: "otsu" }, held)).region;
    expect(threshold).toBeGreaterThanOrEqual(14);
    expect(threshold).toBeLessThan(200);
  });

  it("takes a weight of one everywhere for no weight", async () => {
    expect(await field({ mask, weight: like(image, () => 1) })).toBe(await field({ mask }));
  });

  it.each([0, -1, Number.NEGATIVE_INFINITY])("leaves out voxels of weight %d, as a mask does", async (nothing) => {
    const weight = like(image, (_x, _y, _z, i) => (mask.data[i] === 1 ? 1 : nothing));
    expect(await field({ weight })).toBe(await field({ mask }));
  });

  it("weighs: the fit depends on how weights compare, not on how large they are", async () => {
    const weighed = (scale: number) => like(image, (x) => scale * (1 + (x % 4)));
    expect(await field({ weight: weighed(1) })).not.toBe(await field({}));
    // A power of two changes no bit of a quotient.
    expect(await field({ weight: weighed(4) })).toBe(await field({ weight: weighed(1) }));
  });

  it("refuses a mask without the label, and names the values that it holds", async () => {
    const error = await failure(() => n4({ ...options, maskLabel: 3 }).run({ image, mask: labels }, ["image"], held));
    expect(error.code).toBe("EmptyMask");
    expect(error.message).toBe("n4: mask: expected voxels of value 3, got a mask of 0, 1, 2");
    expect(error.detail).toEqual({ rule: "mask", values: [0, 1, 2], selected: 0 });
  });

  it("refuses a mask of zeros, whatever the label", async () => {
    const zeros = like(image, () => 0);
    for (const [maskLabel, expected] of [
      [1, "voxels of value 1"],
      ["nonzero", "voxels other than 0"],
    ] as const) {
      const error = await failure(() => n4({ maskLabel }).run({ image, mask: zeros }, ["image"], held));
      expect(error.code).toBe("EmptyMask");
      expect(error.message).toBe(`n4: mask: expected ${expected}, got a mask of 0`);
    }
  });

  it("names some of the values where a mask holds many", async () => {
    const error = await failure(() => n4({ maskLabel: -1 }).run({ image, mask: image }, ["image"], held));
    expect(error.code).toBe("EmptyMask");
    expect(error.message).toMatch(/ and more$/);
  });

  it("says so where shrinking or weights leave nothing of a mask", async () => {
    const one = like(image, (x, y, z) => (x === 0 && y === 0 && z === 0 ? 1 : 0));
    const error = await failure(() => n4({ shrinkFactor: 8 }).run({ image, mask: one }, ["image"], held));
    expect(error.code).toBe("EmptyMask");
    expect(error.message).toContain("its 1 were shrunk away or weigh nothing");
    const nothing = like(image, () => 0);
    const unweighed = await failure(() => n4().run({ image, weight: nothing }, ["image"], held));
    expect(unweighed.code).toBe("EmptyMask");
  });

  it("refuses a field fitted elsewhere where the mask is empty", async () => {
    const bound = n4({ ...options, maskLabel: 2 });
    const fitted = await bound.fit({ image, mask: labels }, held);
    const error = await failure(() => bound.apply({ image, mask: only(1) }, fitted, ["image"], held));
    expect(error.code).toBe("EmptyMask");
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "refuses %d among the used voxels, and counts it; elsewhere it changes nothing",
    async (odd) => {
      const whole = { shrinkFactor: 1, iterations: [3] };
      const spoilt = (label: number) =>
        like(image, (_x, y, _z, i) => (labels.data[i] === label && y === 15 ? odd : image.data[i]!));
      const inside = labels.data.filter((label, i) => label === 1 && Math.floor(i / 35) % 31 === 15).length;
      const used = labels.data.filter((label) => label === 1).length;
      const error = await failure(() => n4(whole).run({ image: spoilt(1), mask: labels }, ["image"], held));
      expect(error.code).toBe("NotFinite");
      expect(error.message).toBe(`n4: image: expected finite voxels, got ${inside} NaN or infinite of ${used}`);
      expect(error.detail).toEqual({ count: inside, voxels: used });

      const { outputs, measures } = await n4(whole).run({ image: spoilt(2), mask: labels }, ["image", "field"], held);
      const clean = await n4(whole).run({ image, mask: labels }, ["image", "field"], held);
      expect(bits(outputs.field!)).toBe(bits(clean.outputs.field!));
      expect(measures).toEqual(clean.measures);
      const passed = outputs.image!.data.filter((value) => Object.is(value, odd)).length;
      expect(passed).toBe(labels.data.filter((label, i) => label === 2 && Math.floor(i / 35) % 31 === 15).length);
    },
  );

  it("refuses NaN anywhere where Otsu's rule looks at every voxel, and a weight that is not finite", async () => {
    const spoilt = like(image, (_x, _y, _z, i) => (i === 0 ? Number.NaN : image.data[i]!));
    const error = await failure(() => n4().run({ image: spoilt, mask: "otsu" }, ["image"], held));
    expect(error.detail).toEqual({ count: 1, voxels: image.data.length });
    const weight = like(image, (_x, _y, _z, i) => (i === 12 ? Number.NaN : 1));
    const weighed = await failure(() => n4({ shrinkFactor: 1 }).run({ image, weight }, ["image"], held));
    expect(weighed.code).toBe("NotFinite");
    expect(weighed.detail).toEqual({ count: 1, voxels: image.data.length });
  });

  it("takes a mask value of NaN for a label of its own, and for one that is not 0", async () => {
    const odd = like(image, (_x, _y, _z, i) => (labels.data[i] === 2 ? Number.NaN : labels.data[i]!));
    expect(await field({ mask: odd })).toBe(await field({ mask: only(1) }));
    expect(await field({ mask: odd }, { maskLabel: "nonzero" })).toBe(await field({ mask: only(1, 2) }));
  });

  it.each([
    ["everywhere", (): Parameters<typeof like>[1] => () => 5, {}],
    ["in the mask", (): Parameters<typeof like>[1] => (_x, _y, _z, i) => (mask.data[i] === 1 ? 5 : i), { mask }],
    ["by Otsu's rule", (): Parameters<typeof like>[1] => () => 5, { mask: "otsu" as const }],
  ])("refuses an image that is constant %s", async (_, voxels, inputs) => {
    const error = await failure(() => n4(options).run({ image: like(image, voxels()), ...inputs }, ["image"], held));
    expect(error.code).toBe("ConstantImage");
    expect(error.message).toBe("n4: image: expected voxels that differ, got one value");
  });

  it("counts voxels that have no logarithm, and uses them", async () => {
    const dark = like(image, (x, y, _z, i) => (x === 3 ? 0 : y === 4 ? -1.5 : image.data[i]!));
    const { fitted } = await n4({ shrinkFactor: 1, iterations: [2] }).run({ image: dark }, [], held);
    const [nx, ny, nz] = image.grid.shape;
    expect(fitted.region.nonPositive).toBe(ny * nz + nx * nz - nz);
    expect(fitted.region.voxels).toBe(nx * ny * nz);
    const bright = like(image, (_x, _y, _z, i) => (dark.data[i]! > 0 ? 1 : 0));
    const masked = await n4({ shrinkFactor: 1, iterations: [2] }).run({ image: dark, mask: bright }, [], held);
    expect(masked.fitted.region.nonPositive).toBe(0);
    expect(masked.fitted.region.voxels).toBe(nx * ny * nz - fitted.region.nonPositive);
  });
});

it("ends alike on both backends, in bytes or in words", async () => {
  const cases: [object, object][] = [
    [{ mask: labels }, {}],
    [{ mask: "otsu" }, {}],
    [{ mask: labels, weight: like(image, (x) => x % 3) }, { maskLabel: "nonzero" }],
    [{ mask: labels }, { maskLabel: 9 }],
    [{ mask: like(image, () => 0) }, {}],
    [{ image: like(image, () => 1) }, {}],
    [{ image: like(image, (x) => (x === 5 ? Number.NaN : x)) }, {}],
  ];
  const ends = (backend: Backend) =>
    Promise.all(
      cases.map(([inputs, given]) =>
        outcome(async () => {
          const { outputs } = await n4({ ...options, ...given }).run({ image, ...inputs }, ["image"], { backend });
          return outputs.image!;
        }),
      ),
    );
  const [native, wasm] = [await createBackend({ backend: "native" }), await createBackend({ backend: "wasm" })];
  expect(await ends(wasm)).toEqual(await ends(native));
  await Promise.all([native.close(), wasm.close()]);
});
