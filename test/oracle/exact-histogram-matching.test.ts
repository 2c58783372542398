/** Exact histogram matching against its definition in double precision. */
import { describe, it } from "vitest";
import { exactHistogramMatching } from "../../dist/index.js";
import { compare, type Formula, interpolated, shares, trials } from "./pointwise.ts";
import { reference } from "./reference.ts";

const formula: Formula = (values, options) => {
  const [own, other] = [shares(values), shares(reference(options).values)];
  if (own.length === 1) return "ConstantImage";
  const quantiles = other.map(([value, share]): [number, number] => [share, value]);
  const matched = own.map(([value, share]): [number, number] => [value, interpolated(quantiles, share)]);
  return (v) => interpolated(matched, v);
};

const each = [
  {},
  { region: "mask", changed: "region", outsideValue: -1 },
  { region: "foreground", foreground: 5 },
  { region: "not-mask" },
] as const;

describe.each(each)("%o", (options) => {
  const bound = exactHistogramMatching(options);
  it.each(trials)("$name", (trial) => compare(bound, trial, formula, reference(bound.options).inputs));
});
