import { z } from "zod";
import { defineStep } from "../step.ts";
import { clip, outputRange, percentiles } from "./options.ts";
import { parts, pointwise, pointwiseDoc, pointwiseOptions } from "./pointwise.ts";

export const percentileRange = defineStep({
  ...pointwise,
  id: "percentile-range",
  title: "Percentile range",
  summary: "Map two percentiles to given values",
  doc: `
    out = lower + (upper − lower) · (v − p₀) / (p₁ − p₀)

[lower, upper] is ${"`outputRange`"}, p₀ and p₁ are the region's ${"`percentiles`"}, exact and interpolated linearly between neighbours
in order (type 7, as NumPy does by default). With ${"`clip`"} the result stays within ${"`outputRange`"}. With ${"`relative`"} p₀ and p₁ become
what lies at these percentiles of ${"`outputRange`"} instead of its ends.

**Profiles.** ${"`numpy`"} is the formula; ${"`torchio`"} RescaleIntensity with the percentiles 0.5 and 99.5 of nnU-Net's first version;
${"`monai`"} ScaleIntensityRangePercentiles, which clips only where asked to.
${pointwiseDoc}
${"`ConstantImage`"} where all voxels of the region are equal, ${"`NoSpread`"} where p₀ and p₁ are: in a region of mostly background,
say. There, TorchIO hands the image back unchanged and MONAI subtracts p₀ alone, each with a warning; no profile does.
`,
  modalities: ["MR", "CT", "PT", "CR", "DX"],
  references: ["doi:10.1080/00031305.1996.10473566"],
  options: () =>
    z.strictObject({
      percentiles: percentiles().default([1, 99]),
      outputRange: outputRange().default([0, 1]),
      clip: clip().default(true),
      relative: z
        .boolean()
        .default(false)
        .meta({ description: "Whether the percentiles become the same percentiles of the output range, not its ends" }),
      ...pointwiseOptions(),
    }),
  profiles: {
    numpy: {},
    torchio: { percentiles: [0.5, 99.5] },
    monai: { clip: false },
  },
  fitted: () => parts({ lower: z.number(), upper: z.number() }),
});
