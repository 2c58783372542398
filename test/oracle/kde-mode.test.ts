/** The tissue mode against its definition in double precision. */
import { describe, it } from "vitest";
import { kdeMode } from "../../dist/index.js";
import { compare, type Formula, trials } from "./pointwise.ts";
import { modeOf } from "./tissue-mode.ts";

const formula: Formula = (values, options) => {
  const found = modeOf(values, options);
  if (typeof found === "string") return found;
  if (found.mode <= 0) return "BadScale";
  return (v) => (v / found.mode) * (options.normValue as number);
};

const each = [
  { profile: "v4" },
  { profile: "v4", region: "mask", normValue: 1000 },
  { profile: "v4", modality: "t2", region: "whole", scottVoxels: null },
  { profile: "v4", modality: "flair", region: "whole", scottVoxels: 3000 },
  { profile: "v4", modality: "pd", changed: "region", outsideValue: 0 },
  { profile: "v4", peak: "first", points: 200, firstTail: 90, lowerTail: 5 },
  { profile: "v2" },
  { profile: "v2", region: "mask", modality: "flair", largestTail: 98 },
  { profile: "v2", region: "not-mask", modality: "md" },
  { density: "histogram", points: 31, region: "mask" },
] as const;

describe.each(each)("%o", (options) => {
  it.each(trials)("$name", (trial) => compare(kdeMode(options), trial, formula));
});
