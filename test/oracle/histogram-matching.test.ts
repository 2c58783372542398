/** Histogram matching against its definition in double precision. */
import { describe, it } from "vitest";
import { histogramMatching } from "../../dist/index.js";
import { compare, type Formula, moments, trials } from "./pointwise.ts";
import { reference } from "./reference.ts";

/** The landmarks of values, or nothing where all are equal. */
function landmarks(values: readonly number[], options: Record<string, unknown>): number[] | undefined {
  const { levels, matchPoints, thresholdAtMean } = options as Record<string, number>;
  const low = values.reduce((least, v) => Math.min(least, v), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, v) => Math.max(most, v), Number.NEGATIVE_INFINITY);
  const threshold = thresholdAtMean ? Math.fround(moments(values).mean) : low;
  if (threshold >= high) return undefined;
  const counts = new Array<number>(levels!).fill(0);
  const used = values.filter((v) => v >= threshold);
  for (const v of used) {
    counts[Math.min(Math.floor((v - threshold) * (levels! / (high - threshold))), levels! - 1)]!++;
  }
  const edge = (bin: number) =>
    bin === 0 ? low : bin === levels ? high : threshold + bin * ((high - threshold) / levels!);
  const quantile = (p: number) => {
    const bins = [...counts.keys()];
    const share = (from: number, to: number) => counts.slice(from, to).reduce((sum, n) => sum + n, 0) / used.length;
    if (p < 0.5) {
      const bin = bins.find((bin) => share(0, bin + 1) >= p) ?? levels! - 1;
      return edge(bin) + ((p - share(0, bin)) / share(bin, bin + 1)) * (edge(bin + 1) - edge(bin));
    }
    const bin = bins.reverse().find((bin) => 1 - share(bin, levels!) <= p) ?? 0;
    return edge(bin + 1) - ((1 - share(bin + 1, levels!) - p) / share(bin, bin + 1)) * (edge(bin + 1) - edge(bin));
  };
  const inner = Array.from({ length: matchPoints! }, (_, i) => quantile((i + 1) * (1 / (matchPoints! + 1))));
  return [low, threshold, ...inner, high];
}

const formula: Formula = (values, options) => {
  const from = landmarks(values, options);
  const to = landmarks(reference(options).values, options)!;
  if (from === undefined) return "ConstantImage";
  const slope = (i: number) => (from[i + 1] === from[i] ? 0 : (to[i + 1]! - to[i]!) / (from[i + 1]! - from[i]!));
  return (v) => {
    // As ITK looks for it: they need not ascend, as a quantile in the first bin may lie below the threshold.
    const next = from.findIndex((landmark) => v < landmark);
    if (next === -1) return to.at(-1)!;
    const line = Math.max(next - 1, 0);
    return to[line]! + (v - from[line]!) * slope(line);
  };
};

const each = [
  {},
  { profile: "ants" },
  { levels: 1, matchPoints: 2 },
  { levels: 1024, matchPoints: 15, thresholdAtMean: false },
  { levels: 40, matchPoints: 7, region: "mask", changed: "region", outsideValue: -1 },
  { levels: 300, matchPoints: 30, region: "foreground", foreground: 5 },
  { levels: 64, matchPoints: 3, region: "not-mask" },
] as const;

describe.each(each)("%o", (options) => {
  const bound = histogramMatching(options);
  it.each(trials)("$name", (trial) => compare(bound, trial, formula, reference(bound.options).inputs));
});
