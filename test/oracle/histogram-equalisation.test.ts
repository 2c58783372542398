/** Histogram equalisation against its definition in double precision. */
import { describe, it } from "vitest";
import { histogramEqualisation } from "../../dist/index.js";
import { compare, type Formula, interpolated, shares, trials } from "./pointwise.ts";

const roundEven = (v: number) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));

const formula: Formula = (values, options) => {
  const { bins, lowest, scale, round } = options as { bins: number | "values"; [name: string]: unknown };
  const all = shares(values);
  const [low, high] = [all[0]![0], all.at(-1)![0]];
  if (low === high) return "ConstantImage";
  let levels = all;
  if (bins !== "values") {
    const counts = new Array<number>(bins).fill(0);
    for (const v of values) counts[Math.min(Math.floor((v - low) * (bins / (high - low))), bins - 1)]!++;
    let sum = 0;
    levels = counts.map((count, bin) => {
      sum += count;
      return [low + (bin + 0.5) * ((high - low) / bins), sum / values.length];
    });
  }
  const least = lowest === "zero" ? levels[0]![1] : 0;
  const held = levels.map(([level, share]): [number, number] => {
    const value = ((share - least) / (1 - least)) * (scale as number);
    return [level, round ? roundEven(value) : value];
  });
  return (v) => interpolated(held, v);
};

const each = [
  {},
  { profile: "skimage-integer" },
  { profile: "opencv" },
  { bins: 2, lowest: "zero", scale: 3 },
  { bins: 1000, region: "mask", changed: "region", outsideValue: -1 },
  { bins: "values", region: "not-mask", per: "slice" },
  { bins: 60, region: "foreground", foreground: "mean", per: "channel", round: true, scale: 100 },
] as const;

describe.each(each)("%o", (options) => {
  it.each(trials)("$name", (trial) => compare(histogramEqualisation(options), trial, formula));
});
