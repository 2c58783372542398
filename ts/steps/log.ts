import { z } from "zod";
import { defineStep } from "../step.ts";
import { parts, pointwise, pointwiseDoc, pointwiseOptions } from "./pointwise.ts";

export const log = defineStep({
  ...pointwise,
  id: "log",
  title: "Logarithm",
  summary: "Take the logarithm",
  doc: `
    out = scale · ln(v + offset)

The sum is rounded in double precision. Makes factors into differences.

**Profiles.** ${"`numpy-log1p`"} is ${"`numpy.log1p`"}, for images whose background is 0; ${"`numpy-log`"} is ${"`numpy.log`"}; ${"`skimage`"} is ${"`adjust_log`"}
of an image in floating point, whose logarithm is to the base 2.
${pointwiseDoc}
${"`NotPositive`"} where v + offset is 0 or less in the region. Outside it such a voxel becomes −∞ or NaN, and is counted.
`,
  modalities: ["MR", "PT", "CR", "DX"],
  references: [],
  options: () =>
    z.strictObject({
      offset: z.number().default(1).meta({ description: "Added before", unit: "the voxels'" }),
      scale: z.number().positive().default(1).meta({ description: "What the natural logarithm is multiplied by" }),
      ...pointwiseOptions(),
    }),
  profiles: {
    "numpy-log1p": {},
    "numpy-log": { offset: 0 },
    skimage: { scale: 1 / Math.LN2 },
  },
  fitted: () => parts({ minimum: z.number() }),
});
