import { z } from "zod";
import { defineStep } from "../step.ts";
import { parts, pointwise, pointwiseDoc, pointwiseOptions } from "./pointwise.ts";

export const histogramEqualisation = defineStep({
  ...pointwise,
  id: "histogram-equalisation",
  title: "Histogram equalisation",
  summary: "Replace each value by the share of voxels that do not exceed it",
  doc: `
    out = scale · (F(v) − f) / (1 − f)

F is the share of the region's voxels up to the end of v's bin, held at the middle of each of the ${"`bins`"} equal bins between the
smallest and the largest value, and linear in between; with ${"`bins: values`"} it is the share of the voxels that are at most v, held at
each value that occurs. f is 0, or with ${"`lowest: zero`"} the share of the lowest level, which then becomes 0. ${"`round`"} rounds what is
held at the levels to whole numbers, halves to even.

**Profiles.** ${"`skimage`"} is scikit-image's equalize_hist of floating point images, with its ${"`mask`"} as ${"`region: mask`"}; ${"`skimage-integer`"} that of
integers, for which it passes ${"`nbins`"} over; ${"`opencv`"} is equalizeHist of 8-bit images. Bins' edges are in double precision, numpy's
for images in single precision are rounded to that: a few voxels may count for the next bin.

This is the whole image's histogram: contrast in one place depends on all others. Equal steps between levels are given up,
and with them the units of CT.
${pointwiseDoc}
${"`ConstantImage`"} where the region has one value; ${"`TooLarge`"} where ${"`bins: values`"} finds more than 262144.
`,
  modalities: ["MR", "CR", "DX"],
  references: ["doi:10.1016/S0734-189X(87)80186-X"],
  options: () =>
    z.strictObject({
      bins: z
        .union([
          z
            .int()
            .min(2)
            .max(2 ** 16),
          z.literal("values"),
        ])
        .default(256)
        .meta({ description: "Bins of the histogram, or each value that occurs as one of its own" }),
      lowest: z
        .enum(["share", "zero"])
        .default("share")
        .meta({ description: "What the lowest level becomes: its share of the voxels, or 0" }),
      scale: z.number().positive().default(1).meta({ description: "What the highest level becomes" }),
      round: z.boolean().default(false).meta({ description: "Whether levels become whole numbers" }),
      ...pointwiseOptions(),
    }),
  profiles: {
    skimage: {},
    "skimage-integer": { bins: "values" },
    opencv: { bins: "values", lowest: "zero", scale: 255, round: true },
  },
  fitted: () =>
    parts({
      levels: z
        .array(z.tuple([z.number(), z.number()]))
        .min(2)
        .meta({ description: "The levels in ascending order, and what becomes of each" }),
    }),
});
