import { z } from "zod";
import { defineStep } from "../step.ts";
import { clip, outputRange } from "./options.ts";
import { parts, pointwise, pointwiseDoc, pointwiseOptions } from "./pointwise.ts";

export const minMax = defineStep({
  ...pointwise,
  id: "min-max",
  title: "Min–max",
  summary: "Map the smallest and largest value to given ones",
  doc: `
    out = lower + (upper − lower) · (v − minimum) / (maximum − minimum)

[lower, upper] is ${"`outputRange`"}, minimum and maximum are those of the region. Voxels outside the region may lie beyond them;
they go beyond ${"`outputRange`"}, or with ${"`clip`"} to its ends.

**Profiles.** ${"`numpy`"} is the formula; ${"`monai`"} ScaleIntensity; ${"`torchio`"} RescaleIntensity with the percentiles 0 and 100, which
clips outside its mask; ${"`tensorflow`"} the per-image recipe with ${"`reduce_min`"} and ${"`reduce_max`"} over rows and columns, which is
one per channel. One outlier decides the scale of all else: ${"`percentile-range`"} is the remedy.
${pointwiseDoc}
${"`ConstantImage`"} where minimum and maximum are equal. There, NumPy and TensorFlow divide 0 by 0, MONAI multiplies the image by
${"`lower`"}, and TorchIO hands it back unchanged with a warning; no profile does.
`,
  modalities: ["MR", "CT", "PT", "CR", "DX"],
  references: [],
  options: () =>
    z.strictObject({
      outputRange: outputRange().default([0, 1]),
      clip: clip().default(false),
      ...pointwiseOptions(),
    }),
  profiles: {
    numpy: {},
    monai: {},
    torchio: { clip: true },
    tensorflow: { per: "channel" },
  },
  fitted: () => parts({ minimum: z.number(), maximum: z.number() }),
});
