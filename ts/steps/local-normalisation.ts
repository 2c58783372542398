import { z } from "zod";
import { image } from "../slots.ts";
import { defineStep } from "../step.ts";
import { perAxis } from "./options.ts";

export const localNormalisation = defineStep({
  id: "local-normalisation",
  title: "Local normalisation",
  summary: "Subtract the mean around each voxel and divide by the deviation there",
  doc: `
    out = (v − m) / max(s, floor · S)   or, with statistics: mean,   out = v − m

m and s are the mean and the population's deviation of the box around the voxel: along each axis, of the voxels whose centres lie within
half the ${"`window`"} of its own, which makes an odd number of them. At the image's borders the box is cut off there; nothing is
mirrored or filled in. S is the deviation of the whole image. Each channel is taken by itself.

Sums run along the axes in double precision, so a large window costs no more than a small one. Against sums of each box anew the results
agree to single precision.

Where s is below ${"`floor`"} · S (air, the inside of a uniform organ) the divisor is that instead, or noise would be raised to the
contrast of tissue. What is larger than the window loses its level: this compares structures, not tissues, and suits
what reads shapes rather than values.

${"`ConstantImage`"} where all voxels are equal and a deviation is asked for, ${"`NotFinite`"} where one is NaN or infinite.

**Profiles.** ${"`default`"} divides; ${"`mean`"} only subtracts, as an unsharp mask does with a box.
`,
  modalities: ["MR", "CR", "DX", "MG"],
  references: ["doi:10.1109/ICCV.2009.5459469"],
  inputs: { image: image("The image to change") },
  outputs: { image: image("The changed image") },
  options: () =>
    z.strictObject({
      window: perAxis(z.number().positive())
        .prefault(20)
        .meta({ description: "Edges of the box, one for all axes or one for each", unit: "mm" }),
      statistics: z
        .enum(["mean-and-deviation", "mean"])
        .default("mean-and-deviation")
        .meta({ description: "What is taken out: level and contrast, or the level alone" }),
      floor: z.number().positive().default(0.1).meta({
        description: "What the divisor is at least",
        unit: "standard deviations of the image",
      }),
    }),
  profiles: {
    default: {},
    mean: { statistics: "mean" },
  },
  fitted: () =>
    z.strictObject({
      channels: z
        .array(z.strictObject({ mean: z.number(), standardDeviation: z.number().min(0) }))
        .min(1)
        .meta({ description: "Of all voxels of each channel" }),
    }),
  measures: () =>
    z.strictObject({
      window: z.tuple([z.int(), z.int(), z.int()]).meta({ description: "The box along x, y, z, in voxels" }),
      range: z
        .tuple([z.number(), z.number()])
        .nullable()
        .meta({ description: "Smallest and largest result; null where there is none" }),
    }),
  warnings: {
    OneVoxel: {
      meaning: "The window holds the voxel itself alone, so that everything becomes 0",
      ofMeasures({ window }) {
        if (window.some((count) => count > 1)) return undefined;
        return "the window holds one voxel, of which the mean is its value; expected a window of at least two voxels' spacing";
      },
    },
  },
});
