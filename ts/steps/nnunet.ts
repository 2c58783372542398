import { z } from "zod";
import { defineStep } from "../step.ts";
import { perChannel } from "./options.ts";
import { parts, pointwise, pointwiseOptionsOfWhole } from "./pointwise.ts";

/** As plans name them. */
export const nnunetSchemes = [
  "ZScoreNormalization",
  "CTNormalization",
  "NoNormalization",
  "RescaleTo01Normalization",
  "RGBTo01Normalization",
] as const;

const given = (description: string) =>
  perChannel(z.number().nullable())
    .default(null)
    .meta({ description: `For CTNormalization: ${description}` });

export const nnunet = defineStep({
  ...pointwise,
  id: "nnunet",
  title: "nnU-Net's normalisation",
  summary: "Normalise a channel as nnU-Net's plans say",
  doc: `
The schemes of nnU-Net v2, by the names that its plans have; max( , ε) with ε = ${"`leastDivisor`"}:

    ZScoreNormalization        (v − mean) / max(deviation, ε)         of the region; deviation with n
    CTNormalization            (clip(v, lower, upper) − m) / max(s, ε)  given m, s and bounds
    NoNormalization            v
    RescaleTo01Normalization   (v − min) / max(max − min, ε)          of the region
    RGBTo01Normalization       v / 255                                of values from 0 to 255

m, s and the bounds are the mean, the standard deviation and the percentiles 0.5 and 99.5 of the training set's foreground.

**From nnU-Net's own files.** ${"`nnunetOptions`"} reads them for a configuration and a channel:

    const plans = JSON.parse(await readFile("nnUNetPlans.json", "utf8"));
    const fingerprint = JSON.parse(await readFile("dataset_fingerprint.json", "utf8"));
    const step = nnunet(nnunetOptions(plans, fingerprint, { configuration: "3d_fullres", channel: 0 }));

For the command, write what it gives to a file and name that with ${"`--options`"}. Each file ${"`_0000`"}, ${"`_0001`"} is a channel of nnU-Net's; of a
colour picture, whose channels are in one file, leave ${"`channel`"} out.

**Mask rule.** Where a plan says ${"`use_mask_for_norm`"}, nnU-Net takes the z-score within the region that is not 0 in some channel, its holes
filled, and leaves the zeros outside as they are: the profile ${"`use-mask-for-norm`"}, over the channel's own voxels other than 0. Holes are not
filled, and other channels not seen; give the mask for that (${"`region: mask`"}). The other schemes ignore the mask. nnU-Net
crops to that region's box first: without ${"`use_mask_for_norm`"}, statistics of an image with a margin of zeros differ by that margin.

**Region.** Mean, deviation, smallest and largest value are those of ${"`region`"} in each channel. With ${"`changed: region`"} only its voxels
are changed and the others become ${"`outsideValue`"}; otherwise all are changed.

**Failures.** ${"`EmptyMask`"} where the region has no voxel, ${"`NotFinite`"} where one that is measured is NaN or infinite, ${"`MissingInput`"} where
the region wants a mask and there is none. ${"`BadOption`"} where CTNormalization lacks a number, ${"`ValueOutOfRange`"} where RGBTo01Normalization finds values beyond 0 to 255. A constant image
becomes 0 by ZScoreNormalization and RescaleTo01Normalization, as in nnU-Net.

**Where it differs.** Means and deviations are summed in double precision; nnU-Net's are single. The ε of an earlier
version was added to the deviation, and half precision has 1e-4.
`,
  modalities: ["MR", "CT", "PT", "CR", "DX"],
  references: ["doi:10.1038/s41592-020-01008-z"],
  options: () =>
    z.strictObject({
      scheme: perChannel(z.enum(nnunetSchemes))
        .default("ZScoreNormalization")
        .meta({ description: "What is done; one scheme or one per channel" }),
      mean: given("the foreground's mean; one number or one per channel"),
      standardDeviation: given("its standard deviation"),
      lowerBound: given("its percentile 0.5"),
      upperBound: given("its percentile 99.5"),
      leastDivisor: z.number().positive().default(1e-8).meta({ description: "What divisors are at least" }),
      ...pointwiseOptionsOfWhole(),
    }),
  profiles: {
    nnunetv2: {},
    "use-mask-for-norm": { region: "foreground", foreground: "nonzero", changed: "region", outsideValue: 0 },
  },
  fitted: () =>
    parts({
      clip: z.tuple([z.number(), z.number()]).nullable().meta({ description: "Values beyond are clipped first" }),
      subtract: z.number(),
      divide: z.number().positive(),
    }),
});
