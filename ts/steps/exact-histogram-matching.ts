import { z } from "zod";
import { defineStep } from "../step.ts";
import { referenceDoc, referenceInputs } from "./histogram-matching.ts";
import { parts, pointwise, pointwiseDocOfWhole, pointwiseOptionsOfWhole } from "./pointwise.ts";

export const exactHistogramMatching = defineStep({
  ...pointwise,
  inputs: { ...pointwise.inputs, ...referenceInputs },
  id: "exact-histogram-matching",
  title: "Exact histogram matching",
  summary: "Map each value to that of a reference which as many voxels do not exceed",
  doc: `
    out = R(F(v)),   F the share of the image's voxels that are at most v

R joins the reference's different values, each over its own share, by straight lines. So do the image's values, which only
shows where fitted values are applied to voxels of other ones; beyond the smallest and the largest the result stays.

**Profiles.** ${"`skimage`"} is scikit-image's match_histograms, which leaves ties together: results are no more than the image's values.
It is not Coltuc's exact specification, which parts ties by their neighbourhood.

A fitted value is kept for each of the image's values. Where image or reference has more than 262144 (as once corrected or
resampled), ${"`TooLarge`"} is the answer; ${"`histogram-matching`"} with many match points takes any.
${referenceDoc}${pointwiseDocOfWhole}
${"`ConstantImage`"} where image or reference has one value, ${"`MissingInput`"} for a fit without a reference.
`,
  modalities: ["MR", "CR", "DX"],
  references: ["doi:10.1109/TIP.2005.864170"],
  options: () => z.strictObject(pointwiseOptionsOfWhole()),
  profiles: { skimage: {} },
  fitted: () =>
    parts({
      values: z
        .array(z.tuple([z.number(), z.number()]))
        .min(2)
        .meta({ description: "The image's values in ascending order, and what becomes of each" }),
    }),
});
