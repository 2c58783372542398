/** What a white stripe is made of, and what is said where it is nothing to rely on: on both backends. */
import { describe, expect, it } from "vitest";
import { kdeMode, type Volume, whiteStripe } from "../../dist/index.js";
import { bothBackends, like, made, random, useBackend } from "./images.ts";

/** Three tissues in noise, the brightest inside; in T2 their order is another, and so is the noise. */
function head(seed: number, tissues: readonly [number, number, number]): Volume {
  const next = random(seed);
  const shape = [41, 37, 23] as const;
  return made([...shape], (x, y, z) => {
    const r = 2 * Math.hypot(x / shape[0] - 0.5, y / shape[1] - 0.5, z / shape[2] - 0.5);
    const tissue = r < 0.75 ? tissues[0] : r < 0.8 ? tissues[1] : r < 0.9 ? tissues[2] : 0;
    return tissue === 0 ? 0 : tissue + 12 * (next() + next() + next() - 1.5);
  });
}

const t1 = head(1, [150, 100, 40]);
const t2 = head(2, [80, 110, 200]);

/** T1 with other values. */
const of = (value: (v: number) => number) => like(t1, (_x, _y, _z, i) => value(t1.data[i]!));

describe.each(bothBackends)("%s", (name) => {
  const held = useBackend(name);
  const stripe = async (options: Parameters<typeof whiteStripe>[0], inputs: { image: Volume; t2?: Volume }) =>
    whiteStripe(options).run(inputs, ["image", "stripe"], held);

  it("marks the voxels of the region between the bounds, and standardises by them", async () => {
    const { outputs, fitted } = await stripe({}, { image: t1 });
    const { stripe: found, stripeVoxels } = fitted.parts[0]!;
    const { lower, upper } = found!;
    const expected = t1.data.map((v) => (v > 0 && v > lower && v < upper ? 1 : 0));
    expect(outputs.stripe!.data).toEqual(expected);
    const inside = outputs.image!.data.filter((_, i) => expected[i] === 1);
    expect(inside.length).toBe(stripeVoxels);
    const mean = inside.reduce((sum, v) => sum + v, 0) / inside.length;
    expect(mean).toBeCloseTo(0, 6);
    expect(Math.sqrt(inside.reduce((sum, v) => sum + (v - mean) ** 2, 0) / inside.length)).toBeCloseTo(1, 6);
  });

  it("makes the hybrid stripe of what T1 and T2 have in common", async () => {
    const region = { region: "foreground", foreground: "nonzero" } as const;
    const of1 = (await stripe(region, { image: t1 })).outputs.stripe!.data;
    const of2 = (await stripe({ ...region, modality: "t2" }, { image: t2 })).outputs.stripe!.data;
    const { outputs, fitted } = await stripe(region, { image: t1, t2 });
    const both = of1.map((v, i) => v * of2[i]!);
    expect(outputs.stripe!.data).toEqual(both);
    const count = both.reduce((sum, v) => sum + v, 0);
    expect(count).toBeGreaterThan(10);
    expect(fitted.parts[0]).toMatchObject({ stripeVoxels: count });
    const mean = t1.data.reduce((sum, v, i) => sum + v * both[i]!, 0) / count;
    expect(fitted.parts[0]!.location / mean).toBeCloseTo(1, 12);
    expect(fitted.parts[0]!.t2!.mode).toBeGreaterThan(60);
    const again = await whiteStripe(region).apply({ image: t1, t2 }, fitted, ["stripe"], held);
    expect(again.outputs.stripe!.data).toEqual(both);
  });

  // The chapter's figures: 7 pixels of T1, 6 of T2, 10 of FLAIR.
  it.each([7, 6, 10, 99, 100])("says so where the stripe has %d voxels, if they are too few", async (count) => {
    const mask = like(t1, (_x, _y, _z, i) => (i < count ? 1 : 0));
    const image = like(t1, (_x, _y, _z, i) => 0.889 + 0.001 * (i % 5));
    const { warnings } = await whiteStripe({ profile: "given-mask" }).run({ image, mask }, ["image"], held);
    const message = `white-stripe: expected a stripe of at least 100 voxels, got ${count}`;
    expect(warnings).toEqual(count < 100 ? [{ code: "SmallStripe", message }] : []);
  });

  it("says so where there is no peak of the kind asked for", async () => {
    const image = like(t1, (_x, _y, _z, i) => 1 + ((i % 1000) / 1000) ** 0.125);
    const found = await kdeMode({ lastTail: 100, points: 4 }).run({ image }, ["image"], held);
    expect(found.fitted.parts[0]!.isPeak).toBe(false);
    expect(found.warnings.map(({ code }) => code)).toEqual(["NotPeak"]);
    const both = await stripe({ lastTail: 100, points: 4 }, { image });
    expect(both.warnings.map(({ code }) => code)).toEqual(["NotPeak"]);
  });

  it("says so where a T2 image is of no use", async () => {
    const mask = of((v) => (v > 120 ? 1 : 0));
    const { warnings } = await whiteStripe({ profile: "given-mask" }).run({ image: t1, t2, mask }, ["image"], held);
    expect(warnings.map(({ code }) => code)).toEqual(["T2Unused"]);
  });

  const whole = { region: "whole" } as const;
  const refused: [string, string, Parameters<typeof whiteStripe>[0], { image: Volume; t2?: Volume }][] = [
    ["one value", "ConstantImage", whole, { image: of(() => 3) }],
    [
      "a stripe of one value",
      "ConstantImage",
      { profile: "source" },
      { image: of((v) => Math.round(v / 50) * 50 + 7) },
    ],
    ["no foreground", "EmptyMask", {}, { image: of((v) => -v) }],
    ["NaN", "NotFinite", whole, { image: of((v) => (v > 100 ? Number.NaN : v)) }],
    ["NaN where nothing is cut off", "NotFinite", { ...whole, peak: "largest" }, { image: of((v) => v / v) }],
    ["NaN in T2", "NotFinite", {}, { image: t1, t2: of((v) => (v > 100 ? Number.NaN : v)) }],
    ["no width", "EmptyMask", { widthLower: 0, widthUpper: 0 }, { image: t1 }],
    ["stripes apart", "EmptyMask", { widthLower: 0.001, widthUpper: 0.001 }, { image: t1, t2: of((v) => 160 - v) }],
    ["no value above 0", "BadScale", { ...whole, density: "silverman" }, { image: of((v) => v - 1000) }],
    ["T2 of another shape", "GridMismatch", {}, { image: t1, t2: made([41, 37, 22], () => 1) }],
  ];
  it.each(refused)("refuses %s as %s", async (_, code, options, inputs) => {
    await expect(stripe(options, inputs)).rejects.toMatchObject({ code });
  });

  it("names the bounds of a stripe without voxels", async () => {
    const made = stripe({ widthLower: 0, widthUpper: 0 }, { image: t1 });
    await expect(made).rejects.toThrow(/expected voxels from \S+ to \S+, the stripe around the mode \S+, got none/);
  });

  it("names the T2 image where it is the cause", async () => {
    const holed = stripe({}, { image: t1, t2: of((v) => (v > 100 ? Number.NaN : v)) });
    await expect(holed).rejects.toThrow(/^white-stripe: t2: image: expected finite voxels/);
    const apart = { widthLower: 0.001, widthUpper: 0.001 };
    const none = stripe(apart, { image: t1, t2: of((v) => 160 - v) });
    await expect(none).rejects.toThrow(/the stripe around the mode \S+ and in that of t2, got none/);
  });

  it("divides by no mode that is 0 or negative", async () => {
    const image = of((v) => v - 1000);
    await expect(kdeMode(whole).run({ image }, ["image"], held)).rejects.toMatchObject({ code: "BadScale" });
  });
});

it("has no profile of version 3, whose bandwidth is a defect", () => {
  expect(() => kdeMode({ profile: "v3" as "v4" })).toThrow(/expected one of v4, v2/);
});
