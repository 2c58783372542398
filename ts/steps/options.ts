/** Option schemas that steps share: each meaning is written once. */
import { z } from "zod";

/** Whole numbers along x, y, z. */
export function triple(least: number) {
  const each = z.int().min(least);
  return z.tuple([each, each, each]);
}

/** One number for all three axes, or one per axis; parsed to one per axis. */
export function perAxis(each: z.ZodType<number, number>) {
  return z
    .union([each, z.tuple([each, each, each])])
    .transform((value): [number, number, number] => (typeof value === "number" ? [value, value, value] : value));
}

/** Which value of a mask selects a voxel. */
export function maskLabel() {
  return z
    .union([
      z.literal("nonzero"),
      z
        .number()
        .min(-(2 ** 24))
        .max(2 ** 24),
    ])
    .meta({ description: "Mask value that selects a voxel, or nonzero for any but 0" });
}

/** Two numbers, the lower first. */
export function interval(least?: number, most?: number) {
  const from = least === undefined ? z.number() : z.number().min(least);
  const each = most === undefined ? from : from.max(most);
  return z
    .tuple([each, each])
    .refine(([lower, upper]) => lower < upper, { error: "expected two numbers, the lower first" });
}

/** What the ends of a range become. */
export function outputRange() {
  return interval().meta({ description: "What the ends become" });
}

/** Between which percentiles of the region something happens. */
export function percentiles() {
  return interval(0, 100).meta({ description: "Lower and upper percentile of the region", unit: "percent" });
}

/** Whether a range is kept to. */
export function clip() {
  return z.boolean().meta({ description: "Whether voxels beyond the ends are clipped to them, or mapped on" });
}

/** What is taken from the voxels in a variance. */
export function ddof() {
  return z.int().min(0).max(1).meta({ description: "Delta degrees of freedom of the deviation" });
}

/** How far results lie from the centre at most. */
export function removeOutliers() {
  return z
    .number()
    .positive()
    .nullable()
    .default(null)
    .meta({ description: "Clip to this many deviations on either side", unit: "standard deviations" });
}

/** What becomes of a region whose spread is 0, where a method divides by it. */
export function constant() {
  return z.enum(["refuse", "centre"]).meta({
    description: "What becomes of a region without spread: an error, or what it is centred at is subtracted alone",
  });
}

/** One value for all channels, or a list of one for each. */
export function perChannel<T extends z.ZodType>(each: T) {
  return z.union([each, z.array(each).min(1).max(65_535)]);
}
