/** The methods that are straight lines, clipped or not, against their formulas in double precision. */
import { describe, it } from "vitest";
import {
  clip,
  clipPercentiles,
  meanSubtraction,
  minMax,
  percentileRange,
  rescale,
  unitVariance,
} from "../../dist/index.js";
import { compare, type Formula, moments, noSpread, type OptionsOf, percentile, trials } from "./pointwise.ts";

type Pair = [number, number];

const clamp = (v: number, [low, high]: Pair) => Math.min(Math.max(v, low), high);

/** Takes the ends of `from` to those of `to`. */
const line =
  (from: Pair, to: Pair, isClipped: unknown) =>
  (v: number): number =>
    to[0] + ((to[1] - to[0]) * ((isClipped ? clamp(v, from) : v) - from[0])) / (from[1] - from[0]);

const range = (values: readonly number[]): Pair => [percentile(values, 0), percentile(values, 100)];

const ofRange: Formula = (values, { outputRange, clip }) => {
  const [low, high] = range(values);
  return low === high ? "ConstantImage" : line([low, high], outputRange as Pair, clip);
};

describe.each<OptionsOf<typeof minMax>>([
  { profile: "numpy", region: "foreground", changed: "region" },
  { profile: "torchio", region: "mask" },
  { profile: "tensorflow" },
  { outputRange: [-3, 250], region: "not-mask", per: "slice" },
])("min–max, %o", (options) => {
  it.each(trials)("$name", (trial) => compare(minMax(options), trial, ofRange));
});

const ofPercentiles: Formula = (values, options) => {
  const { percentiles, outputRange, clip, relative } = options;
  const [a, b] = (percentiles as Pair).map((p) => percentile(values, p)) as Pair;
  const [low, high] = outputRange as Pair;
  const at = (p: number) => low + ((high - low) * p) / 100;
  if (a === b) return noSpread(values);
  return line([a, b], relative ? ((percentiles as Pair).map(at) as Pair) : [low, high], clip);
};

describe.each<OptionsOf<typeof percentileRange>>([
  { profile: "numpy" },
  { profile: "torchio", region: "mask" },
  { profile: "monai", percentiles: [10, 90], relative: true, outputRange: [-1, 3] },
  {
    relative: true,
    percentiles: [3.3, 61],
    region: "foreground",
    foreground: "mean",
    changed: "region",
    outsideValue: 2,
  },
  { percentiles: [0, 50], per: "slice" },
])("percentile range, %o", (options) => {
  it.each(trials)("$name", (trial) => compare(percentileRange(options), trial, ofPercentiles));
});

const toPercentiles: Formula = (values, { percentiles }) => {
  const limits = (percentiles as Pair).map((p) => percentile(values, p)) as Pair;
  return limits[0] === limits[1] ? noSpread(values) : (v) => clamp(v, limits);
};

describe.each<OptionsOf<typeof clipPercentiles>>([
  { profile: "numpy" },
  { percentiles: [20, 99.9], region: "mask", changed: "region" },
  { percentiles: [25, 75], per: "channel", region: "foreground" },
])("clipping to percentiles, %o", (options) => {
  it.each(trials)("$name", (trial) => compare(clipPercentiles(options), trial, toPercentiles));
});

const toLimits: Formula = (_, { limits }) => {
  const [low, high] = limits as [number | null, number | null];
  return (v) => clamp(v, [low ?? Number.NEGATIVE_INFINITY, high ?? Number.POSITIVE_INFINITY]);
};

describe.each<OptionsOf<typeof clip>>([
  { profile: "soft" },
  { limits: [null, 31.7] },
  { limits: [-0.1, null], region: "mask", changed: "region", outsideValue: -2000 },
])("clipping, %o", (options) => {
  it.each(trials)("$name", (trial) => compare(clip(options), trial, toLimits));
});

const given: Formula = (_, { inputRange, outputRange, clip }) => line(inputRange as Pair, outputRange as Pair, clip);

describe.each<OptionsOf<typeof rescale>>([
  { profile: "monai" },
  { inputRange: [-57, 164], outputRange: [-1, 1], clip: true, region: "mask", changed: "region" },
])("rescaling, %o", (options) => {
  it.each(trials)("$name", (trial) => compare(rescale(options), trial, given));
});

const lessMean: Formula = (values) => {
  const { mean } = moments(values);
  return (v) => v - mean;
};

describe.each<OptionsOf<typeof meanSubtraction>>([
  { profile: "numpy" },
  { region: "mask", per: "slice", changed: "region", outsideValue: 0 },
])("mean subtraction, %o", (options) => {
  it.each(trials)("$name", (trial) => compare(meanSubtraction(options), trial, lessMean));
});

const overDeviation: Formula = (values, { ddof }) => {
  const variance = moments(values).squares / (values.length - (ddof as number));
  return variance > 0 ? (v) => v / Math.sqrt(variance) : "ConstantImage";
};

describe.each<OptionsOf<typeof unitVariance>>([
  { profile: "numpy" },
  { ddof: 1, region: "foreground", foreground: 5, per: "channel" },
])("unit variance, %o", (options) => {
  it.each(trials)("$name", (trial) => compare(unitVariance(options), trial, overDeviation));
});
