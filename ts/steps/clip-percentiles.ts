import { z } from "zod";
import { defineStep } from "../step.ts";
import { percentiles } from "./options.ts";
import { parts, pointwise, pointwiseDoc, pointwiseOptions } from "./pointwise.ts";

export const clipPercentiles = defineStep({
  ...pointwise,
  id: "clip-percentiles",
  title: "Clipping to percentiles",
  summary: "Clip to two percentiles",
  doc: `
    out = min(max(v, p₀), p₁)

p₀ and p₁ are the region's ${"`percentiles`"}, exact and interpolated linearly between neighbours in order (type 7, as NumPy does by
default).

**Profiles.** ${"`numpy`"} is the formula, and so is ${"`monai`"}, ClipIntensityPercentiles without a sharpness factor.
${pointwiseDoc}
${"`ConstantImage`"} where all voxels of the region are equal, ${"`NoSpread`"} where p₀ and p₁ are, so that the result would be constant.
`,
  modalities: ["MR", "CT", "PT", "CR", "DX"],
  references: ["doi:10.1080/00031305.1996.10473566"],
  options: () =>
    z.strictObject({
      percentiles: percentiles().default([1, 99]),
      ...pointwiseOptions(),
    }),
  profiles: {
    numpy: {},
    monai: {},
  },
  fitted: () => parts({ lower: z.number(), upper: z.number() }),
});
