/** Standardisation by given statistics against its formula in double precision, the order of channels included. */
import { describe, it } from "vitest";
import { standardise } from "../../dist/index.js";
import { compare, type Formula, trials } from "./pointwise.ts";

const formula: Formula = (_, options, channel, channels) => {
  const { divideBy, mean, standardDeviation } = options as Record<string, number | number[]>;
  const lists = [mean, standardDeviation].filter(Array.isArray);
  if (lists.some((list) => list.length !== channels)) return "BadOption";
  const [m, s] = [mean, standardDeviation].map((each) => (Array.isArray(each) ? each[channel]! : (each as number)));
  return (v) => (v / (divideBy as number) - m!) / s!;
};

const each = [
  {},
  { profile: "torch" },
  { profile: "tf" },
  { profile: "caffe" },
  { mean: [120, 115, 100] },
  { mean: 40.5, standardDeviation: [3, 0.25, 17], channelOrder: "reversed" },
  { profile: "tf", mean: 0.5, region: "mask", changed: "region", outsideValue: -9 },
  { mean: [7], standardDeviation: 1e-3, region: "foreground", changed: "region" },
  { mean: [1, 2, 3], channelOrder: "reversed", region: "mask", changed: "region" },
] as const;

describe.each(each)("%o", (options) => {
  const bound = standardise(options as never);
  const cut = { per: "channel", reversed: bound.options.channelOrder === "reversed" };
  it.each(trials)("$name", (trial) => compare(bound, trial, formula, {}, cut));
});
