import { z } from "zod";
import { weight } from "../slots.ts";
import { defineStep } from "../step.ts";
import { parts, pointwise, pointwiseDocOfWhole, pointwiseOptionsOfWhole } from "./pointwise.ts";

export const fcm = defineStep({
  ...pointwise,
  id: "fcm",
  title: "Tissue mean by fuzzy c-means",
  summary: "Divide by the mean of a tissue, found as one of three fuzzy classes",
  doc: `
    out = normValue · v / m,   m = Σ u v / Σ u

u is the membership of the region's voxels in the ${"`tissue`"}. Memberships u_k and centres c_k of three classes satisfy

    u_k = d_k⁻² / (d_1⁻² + d_2⁻² + d_3⁻²),   d_k = v − c_k,   c_k = Σ u_k² v / Σ u_k²

(Bezdek's fuzzy c-means with fuzziness 2). In ascending order of centres the classes are called csf, gm and wm, which holds for
T1 alone; m is a mean weighted by memberships, not the centre. For another contrast give the ${"`membership`"} that the T1 image had:
then nothing is clustered.

**Start and end.** The start is the quantiles 1/6, 1/2 and 5/6 of the region's values in a histogram of some 4096 bins, or the filled
bins nearest to them where they fall together: the same image gives the same numbers. The end is where another iteration over all voxels
moves no centre by more than ${"`tolerance`"}. On the way the histogram stands in for them; what it is wrong by is measured on
all voxels and put right, so it decides how soon the end is reached, not where it is.

**Profiles.** ${"`intensity-normalization`"} takes the voxels above 0, as that package does without a mask (with one, say
${"`region: mask`"}). It starts from random memberships and stops at changes of memberships below 0.005, its version 4 also takes a sample of
200,000 voxels; ours uses all and goes on, so numbers differ: by 2e-6 from version 2 on the cases recorded here, by up to
the 0.005 that its own end allows. From the same start, scikit-fuzzy's cmeans at changes below 1e-9 has the same means within 1e-5.
${pointwiseDocOfWhole}
${"`ConstantImage`"} where the region has one value, ${"`TooFewValues`"} where it has two, ${"`BadScale`"} where the mean is not above 0; ${"`EmptyMask`"} where
a given membership adds up to nothing in the region.
`,
  modalities: ["MR"],
  references: ["doi:10.1007/978-1-4757-0450-1", "doi:10.1117/12.2513089"],
  inputs: { ...pointwise.inputs, membership: weight("How much each voxel belongs to the tissue").optional() },
  outputs: {
    ...pointwise.outputs,
    csf: weight("Membership in the class of the lowest centre; 0 outside the region"),
    gm: weight("Membership in the middle class"),
    wm: weight("Membership in the class of the highest centre"),
  },
  options: () =>
    z.strictObject({
      tissue: z.enum(["csf", "gm", "wm"]).default("wm").meta({ description: "Tissue whose mean is set" }),
      normValue: z.number().positive().default(1).meta({ description: "What the tissue's mean becomes" }),
      tolerance: z.number().positive().max(1).default(1e-8).meta({
        description: "Most that another iteration may move a centre",
        unit: "distances between the outer centres",
      }),
      iterations: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(10_000)
        .meta({ description: "Most iterations, those of the histogram among them" }),
      ...pointwiseOptionsOfWhole(),
    }),
  profiles: {
    "intensity-normalization": { region: "foreground" },
  },
  fitted: () =>
    parts({
      mean: z.number().positive().meta({ description: "The tissue's mean" }),
      clusters: z
        .strictObject({
          centres: z.tuple([z.number(), z.number(), z.number()]).meta({ description: "Of csf, gm, wm" }),
          means: z
            .tuple([z.number(), z.number(), z.number()])
            .meta({ description: "Means weighted by the membership in each" }),
          iterations: z.int().min(1).meta({ description: "Iterations done" }),
          change: z.number().min(0).meta({ description: "How far another one over all voxels moves a centre" }),
          converged: z.boolean().meta({ description: "Whether that is within the tolerance" }),
        })
        .nullable()
        .meta({ description: "The classes; null where a membership was given" }),
    }),
  warnings: {
    ...pointwise.warnings,
    NotConverged: {
      meaning: "The iterations came to their end before the tolerance was reached",
      ofFitted({ parts }) {
        const clusters = parts[0]?.clusters;
        if (!clusters || clusters.converged) return undefined;
        return `after ${clusters.iterations} iterations another one still moves a centre by ${clusters.change} of the outer centres' distance; expected at most tolerance; allow more iterations`;
      },
    },
  },
});
