import { z } from "zod";
import { defineStep } from "../step.ts";
import { parts, pointwise, pointwiseDocOfGiven, pointwiseOptions } from "./pointwise.ts";

export const clip = defineStep({
  ...pointwise,
  id: "clip",
  title: "Clipping",
  summary: "Clip to given limits",
  doc: `
    out = min(max(v, lower), upper)

[lower, upper] is ${"`limits`"}; null is no limit. Suits values that have a unit, such as CT's. The measures tell how many voxels were
clipped, and what part of those changed they are.

**Profiles.** ${"`source`"} is the recipe ${"`clip_hu`"}; ${"`soft`"}, ${"`bone`"} and ${"`lung`"} are the other strategies of the script that it comes
from.
${pointwiseDocOfGiven}`,
  modalities: ["CT", "PT", "CR", "DX", "MR"],
  references: [],
  options: () =>
    z.strictObject({
      limits: z
        .tuple([z.number().nullable(), z.number().nullable()])
        .refine(([lower, upper]) => lower === null || upper === null || lower < upper, {
          error: "expected two numbers, the lower first; null is no limit",
        })
        .default([-1000, 1000])
        .meta({ description: "Smallest and largest value; null is no limit", unit: "the voxels', in CT HU" }),
      ...pointwiseOptions(),
    }),
  profiles: {
    source: {},
    soft: { limits: [-200, 400] },
    bone: { limits: [-200, 3000] },
    lung: { limits: [-1500, 600] },
  },
  fitted: () => parts({}),
});
