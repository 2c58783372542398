import { z } from "zod";
import { defineStep } from "../step.ts";
import { ddof } from "./options.ts";
import { parts, pointwise, pointwiseDoc, pointwiseOptions } from "./pointwise.ts";

export const unitVariance = defineStep({
  ...pointwise,
  id: "unit-variance",
  title: "Unit variance",
  summary: "Divide by the standard deviation",
  doc: `
    out = v / standard deviation

The standard deviation is the region's, summed in double precision; with n voxels the variance is Σ (v − mean)² / (n − ddof).
Unlike a z-score it leaves 0 where it was.

**Profiles.** ${"`numpy`"} is the formula, and so is ${"`scipy`"}, ${"`scipy.cluster.vq.whiten`"}.
${pointwiseDoc}
${"`ConstantImage`"} where the deviation is 0. There, SciPy divides by 1 with a warning; no profile does.
`,
  modalities: ["MR", "PT", "CR", "DX"],
  references: [],
  options: () =>
    z.strictObject({
      ddof: ddof().default(0),
      ...pointwiseOptions(),
    }),
  profiles: {
    numpy: {},
    scipy: {},
  },
  fitted: () => parts({ standardDeviation: z.number().positive() }),
});
