/**
 * Images that leave a formula little to work with. What each method makes of them was computed by hand: an error of this
 * code, or these values in the order of the image's own.
 */
import { describe, expect, it } from "vitest";
import { type BoundStep, type ErrorCode, steps, type Triple, type Volume } from "../../dist/index.js";
import { bothBackends, failure, like, made, useBackend } from "./images.ts";

interface Image {
  /** How many voxels have each value, in an order without a pattern. */
  readonly counts: readonly (readonly [value: number, count: number])[];
  readonly options?: object;
}

/** Those after `constant` differ in their outcome from method to method. */
const images = {
  constant: { counts: [[5, 120]] },
  "one voxel": { counts: [[5, 1]] },
  "two values": {
    counts: [
      [-2, 60],
      [7, 60],
    ],
  },
  "mostly ties": {
    counts: [
      [0, 100],
      [3, 20],
    ],
  },
  "a negative background": {
    counts: [
      [-1000, 60],
      [40, 30],
      [80, 30],
    ],
    options: { region: "foreground" },
  },
} satisfies Record<string, Image>;

type Outcome = ErrorCode | readonly number[];

/** In the order of the images above. */
const outcomes: [step: keyof typeof steps, options: object, outcomes: Outcome[]][] = [
  ["zscore", {}, ["ConstantImage", "ConstantImage", [-1, 1], [-0.4472135955, 2.2360679775], [-53, -1, 1]]],
  [
    "zscore",
    { profile: "simpleitk" },
    [
      "ConstantImage",
      "ConstantImage",
      [-0.99582463, 0.99582463],
      [-0.44534632, 2.22673162],
      [-52.5564458, -0.99163105, 0.99163105],
    ],
  ],
  ["zscore", { constant: "centre" }, [[0], [0], [-1, 1], [-0.4472135955, 2.2360679775], [-53, -1, 1]]],
  ["zscore", { profile: "tensorflow" }, [[0], [0], [-1, 1], [-0.4472135955, 2.2360679775], [-53, -1, 1]]],
  ["minMax", {}, ["ConstantImage", "ConstantImage", [0, 1], [0, 1], [-26, 0, 1]]],
  ["percentileRange", {}, ["ConstantImage", "ConstantImage", [0, 1], [0, 1], [0, 0, 1]]],
  [
    "percentileRange",
    { percentiles: [10, 80], clip: false },
    ["ConstantImage", "ConstantImage", [0, 1], "NoSpread", [-26, 0, 1]],
  ],
  ["robust", {}, ["ConstantImage", "ConstantImage", [-0.5, 0.5], "NoSpread", [-26.5, -0.5, 0.5]]],
  ["robust", { profile: "sklearn" }, [[0], [0], [-0.5, 0.5], [0, 3], [-26.5, -0.5, 0.5]]],
  [
    "robust",
    { spread: "median-absolute-deviation" },
    ["ConstantImage", "ConstantImage", [-1, 1], "NoSpread", [-53, -1, 1]],
  ],
  ["clip", { limits: [-1, 5] }, [[5], [5], [-1, 5], [0, 3], [-1, 5, 5]]],
  ["clipPercentiles", {}, ["ConstantImage", "ConstantImage", [-2, 7], [0, 3], [40, 40, 80]]],
  ["clipPercentiles", { percentiles: [0, 80] }, ["ConstantImage", "ConstantImage", [-2, 7], "NoSpread", [40, 40, 80]]],
  ["rescale", { inputRange: [0, 10] }, [[0.5], [0.5], [-0.2, 0.7], [0, 0.3], [-100, 4, 8]]],
  ["meanSubtraction", {}, [[0], [0], [-4.5, 4.5], [-0.5, 2.5], [-1060, -20, 20]]],
  ["unitVariance", {}, ["ConstantImage", "ConstantImage", [-4 / 9, 14 / 9], [0, 2.683281573], [-50, 2, 4]]],
  ["gamma", { gamma: 2 }, ["ConstantImage", "ConstantImage", [-2, 7], [0, 3], [-27000, 40, 80]]],
  ["gamma", { gamma: 2, profile: "monai" }, [[5], [5], [-2, 7], [0, 3], [-27000, 40, 80]]],
  [
    "log",
    {},
    [[Math.log(6)], [Math.log(6)], "NotPositive", [0, Math.log(4)], [Number.NaN, Math.log(41), Math.log(81)]],
  ],
];

/** Of these the region's voxels give no number, so that nothing in them can fail. */
const ofGivenNumbers = ["clip", "rescale"];

function volumeOf({ counts }: Image): Volume {
  const values = counts.flatMap(([value, count]) => Array<number>(count).fill(value));
  const shape: Triple = values.length === 1 ? [1, 1, 1] : [6, 5, 4];
  // 7 and 120 share no factor, so that each voxel is taken once.
  return made(shape, (_x, _y, _z, i) => values[(7 * i) % values.length]!);
}

const bind = (step: keyof typeof steps, options: object) => steps[step](options as never) as unknown as BoundStep;

describe.each(bothBackends)("%s", (name) => {
  const held = useBackend(name);
  const run = (bound: BoundStep, inputs: object) => bound.run(inputs as never, ["image"], held);

  describe.each(outcomes)("%s %o", (step, options, expected) => {
    it.each(Object.entries<Image>(images).map((entry, i) => [...entry, expected[i]!] as const))(
      "%s",
      async (_, image, outcome) => {
        const volume = volumeOf(image);
        const bound = bind(step, { ...image.options, ...options });
        if (typeof outcome === "string") {
          expect((await failure(() => run(bound, { image: volume }))).code).toBe(outcome);
          return;
        }
        const { outputs, measures, warnings } = await run(bound, { image: volume });
        const output = (outputs.image as Volume).data;
        const values = image.counts.map(([value]) => value);
        const lost = [...output].filter((v) => Number.isNaN(v)).length;
        for (const [i, v] of output.entries()) {
          const wanted = outcome[values.indexOf(volume.data[i]!)]!;
          if (Number.isNaN(wanted)) expect(v).toBeNaN();
          else expect(Math.abs(v - wanted)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(wanted)));
        }
        expect(measures).toMatchObject({ voxels: output.length, notFinite: lost });
        expect(warnings.map(({ code }) => code)).toEqual(lost > 0 ? ["NotFiniteLeft"] : []);
      },
    );

    const { image } = { image: volumeOf(images["two values"]) };
    const positive = { ...options, ...(step === "log" ? { offset: 3 } : {}) };

    it("refuses a mask without a voxel", async () => {
      const bound = bind(step, { ...positive, region: "mask" });
      const { code } = await failure(() => run(bound, { image, mask: like(image, () => 0) }));
      expect(code).toBe("EmptyMask");
    });

    it("names the slice that has no foreground", async () => {
      const bound = bind(step, { ...positive, region: "foreground", per: "slice" });
      const bare = like(image, (_x, _y, z, i) => (z === 2 ? -1 : (i % 5) + 1));
      const { code, message } = await failure(() => run(bound, { image: bare }));
      expect(code).toBe("EmptyMask");
      expect(message).toContain("slice 3 of 4");
    });

    it("refuses NaN where it would be used, and otherwise counts it", async () => {
      const none = like(image, () => Number.NaN);
      const bound = bind(step, options);
      if (!ofGivenNumbers.includes(step)) {
        expect((await failure(() => run(bound, { image: none }))).code).toBe("NotFinite");
        return;
      }
      const { measures, warnings } = await run(bound, { image: none });
      expect(measures).toMatchObject({ notFinite: 120, range: null });
      expect(warnings.map(({ code }) => code)).toEqual(["NotFiniteLeft"]);
    });
  });

  it("tells what part of the voxels was clipped", async () => {
    const { measures } = await run(bind("clip", { limits: [-1, 50] }), {
      image: volumeOf(images["a negative background"]),
    });
    expect(measures.clipped).toEqual({ below: 60, above: 30, fraction: 0.75 });
  });

  it("warns of voxels that a power mirrors", async () => {
    const { warnings } = await run(bind("gamma", { profile: "torchio" }), { image: volumeOf(images["two values"]) });
    expect(warnings.map(({ code }) => code)).toEqual(["Mirrored"]);
  });
});

it("refuses ranges whose ends are equal or the wrong way round", async () => {
  const wrong: [keyof typeof steps, object, string][] = [
    ["minMax", { outputRange: [1, 1] }, "min-max: outputRange: expected two numbers, the lower first, got [1,1]"],
    [
      "percentileRange",
      { percentiles: [99, 1] },
      "percentile-range: percentiles: expected two numbers, the lower first, got [99,1]",
    ],
    [
      "percentileRange",
      { percentiles: [1, 101] },
      "percentile-range: percentiles: expected 2 of number from 0 to 100, got [1,101]",
    ],
    ["clip", { limits: [5, 4] }, "clip: limits: expected two numbers, the lower first; null is no limit, got [5,4]"],
    ["gamma", { inputRange: [3, 2] }, "gamma: inputRange: expected two numbers, the lower first, got [3,2]"],
  ];
  for (const [step, options, message] of wrong) {
    const error = await failure(() => bind(step, options));
    expect(error).toMatchObject({ code: "BadOption", message });
  }
});
