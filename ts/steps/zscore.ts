import { z } from "zod";
import { defineStep } from "../step.ts";
import { constant, ddof, removeOutliers } from "./options.ts";
import { parts, pointwise, pointwiseDoc, pointwiseOptions } from "./pointwise.ts";

export const zscore = defineStep({
  ...pointwise,
  id: "zscore",
  title: "Z-score",
  summary: "Subtract the mean and divide by the standard deviation",
  doc: `
    out = scale · clip((v − mean) / divisor, ± removeOutliers)
    divisor = max(standard deviation + epsilon, leastDivisor)

Mean and standard deviation are those of the region, summed in double precision; with n voxels the variance is
Σ (v − mean)² / (n − ddof).

**Profiles.** They differ in what their namesakes differ in: ${"`ddof`"}, what guards the division, and the voxels used.
${"`simpleitk`"} is PyRadiomics' ${"`normalize`"} (all voxels, whatever the mask) with ${"`removeOutliers`"} and ${"`scale`"} as its ${"`normalizeScale`"};
${"`torchio`"} is ZNormalization; ${"`monai`"} NormalizeIntensity, whose ${"`nonzero`"} is ${"`region: foreground, foreground: nonzero, changed: region`"};
${"`intensity-normalization`"} its z-score without a mask (with one, say ${"`region: mask`"}); ${"`nnunet`"} its scheme for MR without a
mask (with one, say ${"`region: mask, changed: region`"}); ${"`tensorflow`"} is ${"`tf.image.per_image_standardization`"}.
${pointwiseDoc}
${"`ConstantImage`"} where the divisor is 0, unless ${"`constant`"} is ${"`centre`"}, which then divides by 1.
`,
  modalities: ["MR", "PT", "CR", "DX"],
  references: ["doi:10.1117/12.2513089", "doi:10.1158/0008-5472.CAN-17-0339"],
  options: () =>
    z.strictObject({
      ddof: ddof().default(0),
      epsilon: z.number().min(0).default(0).meta({ description: "Added to the deviation" }),
      leastDivisor: z
        .union([z.number().min(0), z.literal("inverse-root-count")])
        .default(0)
        .meta({ description: "What the divisor is at least: a number, or 1 / √n" }),
      constant: constant().default("refuse"),
      removeOutliers: removeOutliers(),
      scale: z.number().positive().default(1).meta({ description: "Standard deviation of the output" }),
      ...pointwiseOptions(),
    }),
  profiles: {
    numpy: {},
    simpleitk: { ddof: 1 },
    torchio: { ddof: 1 },
    monai: { constant: "centre" },
    "intensity-normalization": { region: "foreground" },
    nnunet: { leastDivisor: 1e-8 },
    tensorflow: { leastDivisor: "inverse-root-count" },
  },
  fitted: () =>
    parts({
      mean: z.number(),
      standardDeviation: z.number(),
      divisor: z.number().positive(),
    }),
});
