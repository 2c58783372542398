import { z } from "zod";
import { defineStep } from "../step.ts";
import { interval } from "./options.ts";
import { parts, pointwise, pointwiseDoc, pointwiseOptions } from "./pointwise.ts";

export const gamma = defineStep({
  ...pointwise,
  id: "gamma",
  title: "Gamma",
  summary: "Raise to a power within a range",
  doc: `
    t = (v − lower) / (upper − lower + epsilon)
    out = lower + (upper − lower) · sign(t) · |t| ^ gamma

lower and upper are the region's smallest and largest value, or the given ${"`inputRange`"}. Voxels below lower are mirrored about it, so
that order is kept; those above upper go on along the curve. Powers below 1 brighten what is between, powers above 1 darken it.

**Profiles.** ${"`numpy`"} is the formula; ${"`monai`"} AdjustContrast without its options; ${"`torchio`"} Gamma, which raises the values as
they are; ${"`skimage`"} ${"`adjust_gamma`"} of an image in floating point, which is the same but refuses negative values.
${pointwiseDoc}
${"`ConstantImage`"} where the range and ${"`epsilon`"} are 0. With the epsilon of ${"`monai`"} a constant region stays as it is.
`,
  modalities: ["CR", "DX", "MR"],
  references: [],
  options: () =>
    z.strictObject({
      gamma: z.number().positive().default(0.8).meta({ description: "The power" }),
      inputRange: z
        .union([z.literal("region"), interval()])
        .default("region")
        .meta({ description: "What is taken for 0 and 1: the region's smallest and largest value, or two numbers" }),
      epsilon: z.number().min(0).default(0).meta({ description: "Added to the range where it divides" }),
      ...pointwiseOptions(),
    }),
  profiles: {
    numpy: {},
    monai: { epsilon: 1e-7 },
    torchio: { inputRange: [0, 1] },
    skimage: { inputRange: [0, 1] },
  },
  fitted: () =>
    parts({
      lower: z.number(),
      upper: z.number(),
      minimum: z.number().meta({ description: "The region's smallest value" }),
    }),
  warnings: {
    ...pointwise.warnings,
    Mirrored: {
      meaning: "Voxels of the region lie below the given range, where the power is mirrored",
      ofFitted({ parts }) {
        const below = parts.find(({ minimum, lower }) => minimum < lower);
        return below && `voxels down to ${below.minimum} lie below ${below.lower} and are mirrored about it`;
      },
    },
  },
});
