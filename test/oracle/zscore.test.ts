/** The z-score against its formula in double precision. */
import { describe, it } from "vitest";
import { zscore } from "../../dist/index.js";
import { compare, type Formula, moments, trials } from "./pointwise.ts";

const formula: Formula = (values, options) => {
  const { mean, squares } = moments(values);
  const { ddof, epsilon, leastDivisor, removeOutliers, scale } = options as Record<string, number | null>;
  const least = options.leastDivisor === "inverse-root-count" ? 1 / Math.sqrt(values.length) : leastDivisor!;
  const deviation = values.length > ddof! ? Math.sqrt(squares / (values.length - ddof!)) : 0;
  let divisor = Math.max(deviation + epsilon!, least);
  if (divisor === 0) {
    if (options.constant === "refuse") return "ConstantImage";
    divisor = 1;
  }
  const most = removeOutliers ?? Number.POSITIVE_INFINITY;
  return (v) => Math.min(Math.max((v - mean) / divisor, -most), most) * scale!;
};

const each = [
  { profile: "numpy" },
  { profile: "simpleitk", removeOutliers: 1.5, scale: 100 },
  { profile: "torchio", region: "mask" },
  { profile: "monai", region: "foreground", foreground: "nonzero", changed: "region" },
  { profile: "intensity-normalization" },
  { profile: "nnunet", region: "mask", changed: "region", outsideValue: 0 },
  { profile: "tensorflow", per: "slice" },
  { epsilon: 1e-6, region: "not-mask", changed: "region", outsideValue: -9 },
  { region: "foreground", foreground: "mean", per: "channel" },
  { region: "foreground", foreground: 5, constant: "centre" },
] as const;

describe.each(each)("%o", (options) => {
  it.each(trials)("$name", (trial) => compare(zscore(options), trial, formula));
});
