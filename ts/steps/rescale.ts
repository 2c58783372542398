import { z } from "zod";
import { defineStep } from "../step.ts";
import { clip, interval, outputRange } from "./options.ts";
import { parts, pointwise, pointwiseDocOfGiven, pointwiseOptions } from "./pointwise.ts";

export const rescale = defineStep({
  ...pointwise,
  id: "rescale",
  title: "Linear rescaling",
  summary: "Map a given range to another",
  doc: `
    out = lower + (upper − lower) · (v − a₀) / (a₁ − a₀)

[a₀, a₁] is ${"`inputRange`"}, [lower, upper] is ${"`outputRange`"}. Values beyond go on along the line, or with ${"`clip`"} to its ends.

**Profiles.** ${"`monai`"} is ScaleIntensityRange, ${"`torchio`"} RescaleIntensity with ${"`in_min_max`"}; neither clips unless told to.
${pointwiseDocOfGiven}`,
  modalities: ["CT", "PT", "CR", "DX", "MR"],
  references: [],
  options: () =>
    z.strictObject({
      inputRange: interval().default([0, 255]).meta({ description: "What is mapped to the ends of the output range" }),
      outputRange: outputRange().default([0, 1]),
      clip: clip().default(false),
      ...pointwiseOptions(),
    }),
  profiles: {
    monai: {},
    torchio: {},
  },
  fitted: () => parts({}),
});
