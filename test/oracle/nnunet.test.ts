/** nnU-Net's schemes against their formulas in double precision. */
import { describe, it } from "vitest";
import { nnunet } from "../../dist/index.js";
import { compare, type Formula, moments, trials } from "./pointwise.ts";

const formula: Formula = (values, options, channel, channels) => {
  const names = ["scheme", "mean", "standardDeviation", "lowerBound", "upperBound"] as const;
  const given = names.map((name) => options[name]);
  if (given.some((each) => Array.isArray(each) && each.length !== channels)) return "BadOption";
  const [scheme, m, s, lower, upper] = given.map((each) => (Array.isArray(each) ? each[channel] : each));
  const least = options.leastDivisor as number;
  const [low, high] = values.reduce(([a, b], v) => [Math.min(a!, v), Math.max(b!, v)], [Infinity, -Infinity]);
  const { mean, squares } = moments(values);
  const deviation = Math.sqrt(squares / values.length);
  switch (scheme) {
    case "ZScoreNormalization":
      return (v) => (v - mean) / Math.max(deviation, least);
    case "CTNormalization":
      if ([m, s, lower, upper].includes(null)) return "BadOption";
      return (v) => (Math.min(Math.max(v, lower), upper) - m) / Math.max(s, least);
    case "RescaleTo01Normalization":
      return (v) => (v - low!) / Math.max(high! - low!, least);
    case "RGBTo01Normalization":
      return low! < 0 || high! > 255 ? "ValueOutOfRange" : (v) => v / 255;
    default:
      return (v) => v;
  }
};

const ct = { mean: 99.3, standardDeviation: 12.7, lowerBound: -3.5, upperBound: 151.25 };
const each = [
  {},
  { profile: "use-mask-for-norm" },
  { profile: "use-mask-for-norm", region: "mask" },
  { scheme: "CTNormalization", ...ct },
  { scheme: "CTNormalization", ...ct, standardDeviation: 0 },
  { scheme: "CTNormalization", ...ct, lowerBound: null },
  { scheme: "NoNormalization" },
  { scheme: "RescaleTo01Normalization" },
  { scheme: "RescaleTo01Normalization", region: "mask", changed: "region", outsideValue: "keep" },
  { scheme: "RGBTo01Normalization", region: "foreground", foreground: 0, changed: "region" },
  {
    scheme: ["CTNormalization", "ZScoreNormalization", "CTNormalization"],
    mean: [1, null, 3],
    standardDeviation: [10, null, 30],
    lowerBound: [-100, null, 0],
    upperBound: [500, null, 20.5],
  },
] as const;

describe.each(each)("%o", (options) => {
  const cut = { per: "channel", reversed: false };
  it.each(trials)("$name", (trial) => compare(nnunet(options as never), trial, formula, {}, cut));
});
