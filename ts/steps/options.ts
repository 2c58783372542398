/** Option schemas that steps share: each meaning is written once. */
import { z } from "zod";

/** Whole numbers along x, y, z. */
export function triple(least: number, most = Number.MAX_SAFE_INTEGER) {
  const each = z.int().min(least).max(most);
  return z.tuple([each, each, each]);
}

/** One whole number for all three axes, or one per axis; parsed to one per axis. */
export function perAxis(least: number, most?: number) {
  const all = triple(least, most);
  return z
    .union([all.def.items[0], all])
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

/** One value for all channels, or a list of one for each. */
export function perChannel<T extends z.ZodType>(each: T) {
  return z.union([each, z.array(each).min(1).max(65_535)]);
}
