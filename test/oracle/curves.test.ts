/** Powers and logarithms against their formulas in double precision. */
import { describe, it } from "vitest";
import { gamma, log } from "../../dist/index.js";
import { compare, type Formula, type OptionsOf, percentile, trials } from "./pointwise.ts";

const raised: Formula = (values, options) => {
  const { inputRange, epsilon, gamma } = options as { inputRange: unknown; epsilon: number; gamma: number };
  const range = inputRange === "region" ? [percentile(values, 0), percentile(values, 100)] : inputRange;
  const [low, high] = range as [number, number];
  const divisor = high - low + epsilon;
  if (divisor === 0) return "ConstantImage";
  return (v) => {
    const t = (v - low) / divisor;
    return low + (high - low) * Math.sign(t) * Math.abs(t) ** gamma;
  };
};

describe.each<OptionsOf<typeof gamma>>([
  { profile: "numpy", gamma: 2.2 },
  { profile: "monai", gamma: 0.45, region: "mask", changed: "region" },
  { profile: "torchio" },
  { inputRange: [-20, 900], gamma: 3, per: "slice" },
  { region: "foreground", foreground: 5, gamma: 1.7, per: "channel" },
])("gamma, %o", (options) => {
  it.each(trials)("$name", (trial) => compare(gamma(options), trial, raised));
});

const logarithm: Formula = (values, options) => {
  const { offset, scale } = options as Record<string, number>;
  return percentile(values, 0) + offset! > 0 ? (v) => scale! * Math.log(v + offset!) : "NotPositive";
};

describe.each<OptionsOf<typeof log>>([
  { profile: "numpy-log1p" },
  { profile: "numpy-log", region: "foreground", changed: "region" },
  { profile: "skimage", region: "foreground", foreground: 3, changed: "region", outsideValue: 0 },
  { offset: 30.5, scale: 100, region: "mask" },
])("logarithm, %o", (options) => {
  it.each(trials)("$name", (trial) => compare(log(options), trial, logarithm));
});
