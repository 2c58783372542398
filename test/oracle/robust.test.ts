/** Robust scaling against its formula in double precision. */
import { describe, it } from "vitest";
import { robust } from "../../dist/index.js";
import { compare, type Formula, noSpread, type OptionsOf, percentile, trials } from "./pointwise.ts";

const formula: Formula = (values, options) => {
  const isRange = options.spread === "interquartile-range";
  const median = percentile(values, 50);
  const distances = values.map((v) => Math.abs(v - median));
  const spread = isRange ? percentile(values, 75) - percentile(values, 25) : percentile(distances, 50);
  if (spread === 0 && options.constant === "refuse") return noSpread(values);
  // The upper quartile of the standard normal distribution, from a table.
  const normal = options.normalConsistent ? 0.6744897501960817 * (isRange ? 2 : 1) : 1;
  const divisor = spread === 0 ? 1 : spread / normal;
  return (v) => (v - median) / divisor;
};

describe.each<OptionsOf<typeof robust>>([
  { profile: "numpy" },
  { profile: "sklearn", region: "mask" },
  { profile: "sklearn", normalConsistent: true, per: "channel" },
  { profile: "scipy", region: "foreground", foreground: "mean" },
  { spread: "median-absolute-deviation", region: "not-mask", changed: "region", outsideValue: -9 },
  { spread: "median-absolute-deviation", per: "slice", constant: "centre" },
])("%o", (options) => {
  it.each(trials)("$name", (trial) => compare(robust(options), trial, formula));
});
