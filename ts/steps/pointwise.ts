/**
 * What all steps share that find a few numbers in a region and then change each voxel by its own value: the region the
 * numbers come from, the voxels that are changed, and what is told of both. Each step adds its numbers and its formula.
 */
import { z } from "zod";
import { image, mask } from "../slots.ts";
import type { StepWarning } from "../step.ts";
import { maskLabel } from "./options.ts";

/** Of methods that take the image as one. */
export const pointwiseOptionsOfWhole = () => ({
  region: z
    .enum(["whole", "foreground", "mask", "not-mask"])
    .default("whole")
    .meta({ description: "Voxels that the numbers come from" }),
  foreground: z
    .union([z.enum(["positive", "nonzero", "mean", "otsu"]), z.number()])
    .default("positive")
    .meta({
      description:
        "What region foreground means: voxels above 0, other than 0, above the mean of all, above Otsu's threshold, or above a number",
    }),
  maskLabel: maskLabel().default("nonzero"),
  changed: z
    .enum(["everywhere", "region"])
    .default("everywhere")
    .meta({ description: "Voxels that are changed: all, or those of the region" }),
  outsideValue: z
    .union([z.literal("keep"), z.number()])
    .default("keep")
    .meta({ description: "What voxels become that are not changed: what they were, or a number" }),
});

export const pointwiseOptions = () => ({
  ...pointwiseOptionsOfWhole(),
  per: z
    .enum(["volume", "channel", "slice"])
    .default("volume")
    .meta({ description: "What is taken as an image of its own, with a region and numbers of its own" }),
});

const warnings = {
  MaskUnused: {
    meaning: "A mask was given, but the region does not ask for it",
    ofCall({ region }, inputs) {
      if (inputs.mask === undefined || region === "mask" || region === "not-mask") return undefined;
      return `the mask was not used, as region is ${region}; expected mask or not-mask`;
    },
  },
  NotFiniteLeft: {
    meaning:
      "The result holds NaN or infinity, from voxels outside the region or from values that the formula has none for",
    ofMeasures({ notFinite, voxels }) {
      return notFinite === 0 ? undefined : `${notFinite} of ${voxels} changed voxels are NaN or infinite`;
    },
  },
} satisfies Record<string, StepWarning<Record<string, unknown>, { notFinite: number; voxels: number }>>;

export const pointwise = {
  inputs: {
    image: image("The image to change"),
    mask: mask("Voxels of the region").optional(),
  },
  outputs: { image: image("The changed image") },
  measures: () =>
    z.strictObject({
      voxels: z.int().min(0).meta({ description: "Voxels changed" }),
      clipped: z.strictObject({
        below: z.int().min(0).meta({ description: "Of these, how many lay below a limit and were clipped to it" }),
        above: z.int().min(0).meta({ description: "How many lay above one" }),
        fraction: z.number().min(0).max(1).meta({ description: "What part of the voxels changed these two are" }),
      }),
      range: z
        .tuple([z.number(), z.number()])
        .nullable()
        .meta({ description: "Their smallest and largest finite value; null where there is none" }),
      notFinite: z.int().min(0).meta({ description: "How many of them are NaN or infinite" }),
    }),
  warnings,
};

/** Fitted values: the numbers of each part of the image, in the order of slices and then channels. */
export function parts<S extends z.ZodRawShape>(numbers: S) {
  const part = z.strictObject({
    ...numbers,
    voxels: z.int().min(1).meta({ description: "Voxels that the numbers come from" }),
    threshold: z.number().nullable().meta({ description: "The foreground's: voxels above it belong to it" }),
  });
  return z.strictObject({ parts: z.array(part).min(1) });
}

/** The paragraphs that every step's page has in common, and what they say of what is taken as one. */
const commonDoc = (per: string) => `
**Region.** The numbers come from the voxels of ${"`region`"}: all, a foreground by the rule of ${"`foreground`"}, those whose mask value is
${"`maskLabel`"}, or those whose value is not. With ${"`changed: region`"} only these are changed and the others become ${"`outsideValue`"};
otherwise the formula changes all. ${per}

**Failures.** ${"`EmptyMask`"} where the region has no voxel, ${"`NotFinite`"} where one of them is NaN or infinite, ${"`MissingInput`"} where
the region wants a mask and there is none.
`;

export const pointwiseDoc = commonDoc(
  "`per` takes each channel, or each slice along the third axis, as an image of its own.",
);

/** Of methods whose numbers are given. */
export const pointwiseDocOfGiven = `${pointwiseDoc}
No number is found in the region, so NaN in it is no failure: it stays NaN, and is counted.
`;

/** Of methods that take the image as one. */
export const pointwiseDocOfWhole = commonDoc("All slices and channels are one image.");
