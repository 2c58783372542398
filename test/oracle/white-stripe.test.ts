/** White stripe against its definition in double precision. */
import { describe, it } from "vitest";
import { whiteStripe } from "../../dist/index.js";
import { compare, type Formula, moments, percentile, trials } from "./pointwise.ts";
import { modeOf } from "./tissue-mode.ts";

type Numbers = Record<string, number | null>;

const formula: Formula = (values, options) => {
  const found = options.bounds === "region" ? undefined : modeOf(values, options);
  if (typeof found === "string") return found;
  const inside = found === undefined ? values : stripeOf(values, found.mode, options);
  if (inside.length === 0) return "EmptyMask";
  const { mean, squares } = moments(inside);
  const { ddof, epsilon, removeOutliers, normValue, offset } = options as Numbers;
  const deviation = Math.sqrt(squares / (inside.length - ddof!));
  if (!(deviation > 0)) return "ConstantImage";
  const location = options.location === "mode" && found !== undefined ? found.mode : mean;
  const most = removeOutliers ?? Number.POSITIVE_INFINITY;
  const z = (v: number) => (v - location) / (deviation + epsilon!);
  return (v) => Math.min(Math.max(z(v), -most), most) * normValue! + offset!;
};

function stripeOf(values: readonly number[], mode: number, options: Record<string, unknown>): readonly number[] {
  const { widthLower, widthUpper, rounds, tolerance } = options as Record<string, number>;
  if (options.bounds === "quantile") {
    const below = values.filter((v) => v < mode).length / values.length;
    const low = percentile(values, 100 * Math.max(0, below - widthLower!));
    const high = percentile(values, 100 * Math.min(1, below + widthUpper!));
    return values.filter((v) => v > low && v < high);
  }
  const around = (c: number) => [c - widthLower! * c, c + widthUpper! * c] as const;
  const within = ([low, high]: readonly [number, number]) => values.filter((v) => v >= low && v <= high);
  let bounds = around(mode);
  for (let round = 0; round < rounds!; round++) {
    const inside = within(bounds);
    if (inside.length === 0) return [];
    const next = around(options.centre === "median" ? percentile(inside, 50) : moments(inside).mean);
    if (Math.abs(next[0] - bounds[0]) + Math.abs(next[1] - bounds[1]) < tolerance!) break;
    bounds = next;
  }
  return within(bounds);
}

const each = [
  { profile: "v4" },
  { profile: "v4", region: "mask", widthLower: 0.02, widthUpper: 0.2 },
  { profile: "v4", region: "whole", modality: "t2", ddof: 1, location: "mode" },
  // Whole numbers may be a mode themselves, and then are not below it.
  { profile: "v4", region: "whole", peak: "largest", points: 4, widthLower: 0.1, widthUpper: 0.3 },
  { profile: "v2" },
  { profile: "v2", region: "mask", modality: "pd", changed: "region", outsideValue: -5 },
  { profile: "source" },
  { profile: "source", region: "mask", tolerance: 0, rounds: 3 },
  { profile: "source-t2", region: "foreground" },
  { profile: "given-mask" },
  { profile: "given-mask", ddof: 1, location: "mode" },
] as const;

describe.each(each)("%o", (options) => {
  it.each(trials)("$name", (trial) => compare(whiteStripe(options), trial, formula));
});
