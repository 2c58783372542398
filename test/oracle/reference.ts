/** The image that the steps of matching are tried with: on a grid of its own, with a mask of its own. */
import { gridOf, type Triple, type Volume } from "../../dist/index.js";
import { fill, identity, random } from "../api/images.ts";
import { chosen } from "./pointwise.ts";

const shape: Triple = [37, 23, 11];
const next = random(3);
const image = fill(shape, (x, y) => Math.round(x * y * 0.3 + 40 * next()) / 4 - 3);
const mask = fill(shape, (x, _, z) => ((x + 2 * z) % 7 < 5 ? 1 : 0));
const volume = (data: Float32Array): Volume => ({
  data,
  grid: gridOf(shape, identity),
  meta: { decisions: [], warnings: [] },
});

/** The inputs that a step is given, and the values of the region. */
export function reference(options: Record<string, unknown>): { inputs: Record<string, Volume>; values: number[] } {
  const isMasked = String(options.region).includes("mask");
  return {
    inputs: { reference: volume(image), ...(isMasked ? { referenceMask: volume(mask) } : {}) },
    values: chosen(image, mask, options).map((i) => image[i]!),
  };
}
