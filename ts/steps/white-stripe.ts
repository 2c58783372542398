import { z } from "zod";
import { image, mask } from "../slots.ts";
import { defineStep, type StepWarning } from "../step.ts";
import { removeOutliers } from "./options.ts";
import { parts, pointwise, pointwiseDocOfWhole, pointwiseOptionsOfWhole } from "./pointwise.ts";
import { notPeak, tissueMode, tissueModeDoc } from "./tissue-mode.ts";

const width = (side: string) =>
  z
    .number()
    .min(0)
    .max(1)
    .default(0.05)
    .meta({ description: `How far the stripe reaches ${side}: a quantile, or a part of the centre's intensity` });

const stripe = () => z.strictObject({ ...tissueMode.fitted(), lower: z.number(), upper: z.number() });

const fitted = () =>
  parts({
    stripe: stripe()
      .nullable()
      .meta({ description: "The stripe's mode and bounds; null where the region is the stripe" }),
    t2: stripe().nullable().meta({ description: "Those of the T2 image; null where there is none" }),
    stripeVoxels: z.int().min(1).meta({ description: "Voxels of the stripe" }),
    location: z.number(),
    standardDeviation: z.number().positive(),
    divisor: z.number().positive(),
  });

type Fitted = z.output<ReturnType<typeof fitted>>;

/** Of so many, the deviation is known within 7 %: its standard error is 1 / √(2 (n − 1)) of it. */
const enough = 100;

const warnings = {
  SmallStripe: {
    meaning: `The stripe has fewer than ${enough} voxels, too few for a deviation that can be relied on`,
    ofFitted({ parts }) {
      const few = parts.find(({ stripeVoxels }) => stripeVoxels < enough);
      return few && `expected a stripe of at least ${enough} voxels, got ${few.stripeVoxels}`;
    },
  },
  NotPeak: {
    meaning: notPeak.meaning,
    ofFitted({ parts }) {
      return notPeak.ofFitted?.({ parts: parts.flatMap(({ stripe, t2 }) => [stripe ?? [], t2 ?? []].flat()) });
    },
  },
  T2Unused: {
    meaning: "A T2 image was given, but the region is the stripe",
    ofCall({ bounds }, { t2 }) {
      return bounds === "region" && t2 !== undefined ? "t2 was not used, as bounds is region" : undefined;
    },
  },
} satisfies Record<string, StepWarning<Fitted, never>>;

const source = {
  bounds: "intensity",
  widthLower: 0.1,
  widthUpper: 0.1,
  peak: "largest",
  density: "histogram",
  points: 256,
  lowerTail: 1,
  largestTail: 99,
  removeOutliers: 3,
  normValue: 1 / 6,
  offset: 0.5,
} as const;

export const whiteStripe = defineStep({
  ...pointwise,
  id: "white-stripe",
  title: "White stripe",
  summary: "Standardise by the voxels around the white matter's mode",
  doc: `
The image is standardised by the voxels of the stripe, which are those of the region between two bounds around the mode:

    out = normValue · clip((v − location) / divisor, ± removeOutliers) + offset
    divisor = standard deviation of the stripe + epsilon

With ${"`bounds: quantile`"} and q the fraction of the region's voxels below the mode, the bounds are the quantiles q − widthLower and
q + widthUpper (between neighbours, linearly), which do not belong to the stripe themselves. With ${"`intensity`"} they are c (1 − widthLower)
and c (1 + widthUpper), which belong to it, where c is the mode at first and then, in each round, the mean or median of the stripe before.
With ${"`region`"} the region is the stripe, as a given mask of white matter is. The output ${"`stripe`"} is 1 in the stripe and 0 elsewhere.

A stripe of fewer than ${enough} voxels is warned of: its deviation has a standard error of more than 7 %.

**Hybrid.** With a second image ${"`t2`"}, a stripe is found in its voxels of the same region by its largest peak, and the stripe is
what the two have in common.
${tissueModeDoc}
**Profiles** of the stripe. ${"`v4`"} and ${"`v2`"} agree in it: mean and deviation (n) of the stripe, ± 0.05. (Version 2 sets voxels outside the
mask to 0 first and takes them into a stripe that 0 lies in, and takes a width of 0 for 0.05; ours does neither.) Its R namesake
finds the mode by penalised splines and is no profile; its deviation is ${"`ddof: 1`"}, and its ${"`mu`"} is ${"`location: mode`"}. ${"`source`"} is the
script of the chapter on preprocessing for its T1 and FLAIR, ${"`source-t2`"} for T2. Its defects: it starts from the fullest bin of all
voxels, which is the ground of a whole image and in a brain may be grey matter; its percentiles of each modality are never
used; where no voxel is found it goes on with all, which here is an error. ${"`given-mask`"} is the same chapter's formula for a given mask.
${pointwiseDocOfWhole}
${"`EmptyMask`"} also where the stripe has no voxel, ${"`ConstantImage`"} where its deviation is 0 or the voxels without their tails are all
equal, ${"`BadScale`"} where ${"`silverman`"} finds no value above 0.
`,
  modalities: ["MR"],
  references: ["doi:10.1016/j.nicl.2014.08.008", "doi:10.1117/12.2513089"],
  inputs: {
    ...pointwise.inputs,
    t2: image("The T2-weighted image of the same head, for a stripe that both have").optional(),
  },
  outputs: { ...pointwise.outputs, stripe: mask("Voxels of the stripe").optional() },
  options: () =>
    z.strictObject({
      bounds: z
        .enum(["quantile", "intensity", "region"])
        .default("quantile")
        .meta({ description: "What bounds the stripe: quantiles, intensities, or the region alone" }),
      widthLower: width("below"),
      widthUpper: width("above"),
      centre: z
        .enum(["mean", "median"])
        .default("mean")
        .meta({ description: "What a stripe between intensities is moved to" }),
      rounds: z.int().min(0).max(1000).default(10).meta({ description: "How often it is moved at most" }),
      tolerance: z
        .number()
        .min(0)
        .default(0.01)
        .meta({ description: "It rests where its bounds would move by less in sum", unit: "intensity" }),
      location: z
        .enum(["mean", "mode"])
        .default("mean")
        .meta({ description: "What is subtracted: the stripe's mean, or the mode where there is one" }),
      ddof: z.int().min(0).max(1).default(0).meta({ description: "Delta degrees of freedom of the deviation" }),
      epsilon: z.number().min(0).default(0).meta({ description: "Added to the deviation" }),
      removeOutliers: removeOutliers(),
      normValue: z.number().positive().default(1).meta({ description: "What a deviation becomes" }),
      offset: z.number().default(0).meta({ description: "What the location becomes" }),
      ...tissueMode.options(),
      ...pointwiseOptionsOfWhole(),
    }),
  profiles: {
    ...tissueMode.profiles,
    source,
    "source-t2": { ...source, widthLower: 0.05, widthUpper: 0.05, centre: "median" },
    "given-mask": { bounds: "region", region: "mask", epsilon: 1e-6 },
  },
  fitted,
  warnings: { ...pointwise.warnings, ...warnings },
});
