import { z } from "zod";
import { maskOf, reference } from "../slots.ts";
import { defineStep } from "../step.ts";
import { parts, pointwise, pointwiseDocOfWhole, pointwiseOptionsOfWhole } from "./pointwise.ts";

/** What matching takes beside the image. */
export const referenceInputs = {
  reference: reference("The image to match, on any grid"),
  referenceMask: maskOf("reference", "Voxels of the reference's region").optional(),
};

/** The paragraph that the steps of matching have in common. */
export const referenceDoc = `
**Reference.** Its numbers come from the same ${"`region`"} of it, whose mask is ${"`referenceMask`"}. It may lie on any grid, and has one
channel. Fitted values are all that is kept of it: applied to another image, they need no reference.
`;

export const histogramMatching = defineStep({
  ...pointwise,
  inputs: { ...pointwise.inputs, ...referenceInputs },
  id: "histogram-matching",
  title: "Histogram matching",
  summary: "Map landmarks of the histogram to those of a reference, and linearly in between",
  doc: `
    out = r_i + (v − m_i) · (r_{i+1} − r_i) / (m_{i+1} − m_i),   m_{i+1} the first landmark above v

The landmarks m of the image and r of the reference are: the smallest value; the threshold, which is the mean where
${"`thresholdAtMean`"} is set and else the smallest value again; the quantiles j / (matchPoints + 1), j = 1 … matchPoints, of the
voxels not below the threshold; and the largest value. Below the first landmark the first line goes on; above the last one
the result is the reference's largest value.

The quantiles are those of histograms of ${"`levels`"} equal bins between threshold and largest value, linear within a bin, as ITK's
HistogramMatchingImageFilter has them: it extends the first bin down to the smallest value after it was filled, and sums up
bins from the top for quantiles of one half and more, from the bottom for others. It rounds the edges of bins to single
precision and sums in double; ours are in double precision, so that quantiles differ by a few millionths of the range, and by up to
a bin where many voxels lie on an edge.

This is not the standardisation of Nyúl and Udupa, though ITK's documentation cites them: there, landmarks are learnt from many images.

**Profiles.** ${"`simpleitk`"} has the defaults of SimpleITK's HistogramMatchingImageFilter, ${"`ants`"} those of ANTsPy's histogram_match_image.
${referenceDoc}${pointwiseDocOfWhole}
${"`ConstantImage`"} where image or reference has one value, ${"`MissingInput`"} for a fit without a reference.
`,
  modalities: ["MR", "CR", "DX"],
  references: ["doi:10.1109/42.836373"],
  options: () =>
    z.strictObject({
      levels: z
        .int()
        .min(1)
        .max(2 ** 16)
        .default(256)
        .meta({ description: "Bins of the histograms" }),
      matchPoints: z.int().min(1).max(1000).default(1).meta({ description: "Quantiles that are matched" }),
      thresholdAtMean: z
        .boolean()
        .default(true)
        .meta({ description: "Whether quantiles are those of the voxels not below the mean" }),
      ...pointwiseOptionsOfWhole(),
    }),
  profiles: {
    simpleitk: {},
    ants: { levels: 255, matchPoints: 64, thresholdAtMean: false },
  },
  fitted: () =>
    parts({
      landmarks: z
        .array(z.strictObject({ image: z.number(), reference: z.number(), gradient: z.number() }))
        .min(4)
        .meta({ description: "In ascending order; the gradient is that of the line that begins there" }),
    }),
});
