/** What reading and writing take as options: the one place of their defaults, for the API and the command line. */
import { z } from "zod";
import { datatypeNames } from "./nifti-types.ts";

function most(preset: number, description: string) {
  return z.int().min(0).default(preset).meta({ description });
}

/** More than a limit allows is an error, `TooLarge` or `TrailingData`, before anything is allocated for it. */
export const limitOptions = z.strictObject({
  // 8 GiB as `float32`: what 32-bit indices in peers can address.
  voxels: most(2 ** 31 - 1, "Most voxels of a file's volumes together"),
  // As many as NIfTI-1 can say.
  volumes: most(32767, "Most volumes in a file"),
  bytes: most(2 ** 33, "Most bytes of a file as it lies there, compressed or not, and of stdin"),
  // Editors and tapes pad files.
  trailing: most(
    2 ** 16,
    "Most bytes, unpacked, behind those that the header declares: so many are left with a warning",
  ),
});

export type Limits = z.output<typeof limitOptions>;

export const storageOptions = z.strictObject({
  datatype: z
    .enum([...datatypeNames, "input"])
    .default("float32")
    .meta({
      description:
        "Type of the stored numbers; input for that of the file which the volume was read from. PNG holds uint8 and uint16: without either, voxels must be whole numbers",
    }),
  level: z
    .int()
    .min(1)
    .max(9)
    .default(1)
    .meta({ description: "How hard gzip tries; above 1 it takes far longer and saves little" }),
});
