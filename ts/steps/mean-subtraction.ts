import { z } from "zod";
import { defineStep } from "../step.ts";
import { parts, pointwise, pointwiseDoc, pointwiseOptions } from "./pointwise.ts";

export const meanSubtraction = defineStep({
  ...pointwise,
  id: "mean-subtraction",
  title: "Mean subtraction",
  summary: "Subtract the mean",
  doc: `
    out = v − mean

The mean is the region's, summed in double precision. Unlike a z-score it keeps the unit, so that differences stay what they were.

**Profiles.** ${"`numpy`"} is the formula.
${pointwiseDoc}
A region of one value becomes 0, which is no failure.
`,
  modalities: ["MR", "CT", "PT", "CR", "DX"],
  references: [],
  options: () =>
    z.strictObject({
      ...pointwiseOptions(),
    }),
  profiles: {
    numpy: {},
  },
  fitted: () => parts({ mean: z.number() }),
});
