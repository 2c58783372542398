import { z } from "zod";
import { defineStep } from "../step.ts";
import { constant } from "./options.ts";
import { parts, pointwise, pointwiseDoc, pointwiseOptions } from "./pointwise.ts";

export const robust = defineStep({
  ...pointwise,
  id: "robust",
  title: "Robust scaling",
  summary: "Subtract the median and divide by the interquartile range or the median absolute deviation",
  doc: `
    out = (v − median) / divisor

The divisor is the region's ${"`spread`"}: its interquartile range (75th less 25th percentile), or the median of |v − median|. Medians
and percentiles are exact (type 7, as NumPy does by default); distances from the median are those of double precision. With
${"`normalConsistent`"} it is divided by that of a normal distribution of deviation 1 (1.349 and 0.6745), so that it estimates the
deviation; 1 / 0.6745 = 1.4826.

**Profiles.** ${"`numpy`"} is the formula; ${"`sklearn`"} RobustScaler, whose ${"`unit_variance`"} is ${"`normalConsistent`"}; ${"`scipy`"} divides by
${"`median_abs_deviation`"} with the scale ${"`normal`"}.
${pointwiseDoc}
${"`ConstantImage`"} where all voxels of the region are equal, ${"`NoSpread`"} where the spread is 0 because most of them are; unless
${"`constant`"} is ${"`centre`"}, which then divides by 1, as scikit-learn does.
`,
  modalities: ["MR", "PT", "CR", "DX"],
  references: ["doi:10.1080/00031305.1996.10473566"],
  options: () =>
    z.strictObject({
      spread: z
        .enum(["interquartile-range", "median-absolute-deviation"])
        .default("interquartile-range")
        .meta({ description: "What the voxels are divided by" }),
      normalConsistent: z
        .boolean()
        .default(false)
        .meta({ description: "Whether the spread is scaled to estimate the standard deviation of normal voxels" }),
      constant: constant().default("refuse"),
      ...pointwiseOptions(),
    }),
  profiles: {
    numpy: {},
    sklearn: { constant: "centre" },
    scipy: { spread: "median-absolute-deviation", normalConsistent: true },
  },
  fitted: () =>
    parts({
      median: z.number(),
      spread: z.number().min(0),
      divisor: z.number().positive(),
    }),
});
