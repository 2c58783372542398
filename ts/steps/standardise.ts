import { z } from "zod";
import { defineStep } from "../step.ts";
import { perChannel } from "./options.ts";
import { parts, pointwise, pointwiseOptionsOfWhole } from "./pointwise.ts";

export const standardise = defineStep({
  ...pointwise,
  id: "standardise",
  title: "Standardisation by given statistics",
  summary: "Subtract a given mean and divide by a given standard deviation, channel by channel",
  doc: `
With a mean m and a standard deviation s for each channel, or one for all:

    out = (v / divideBy − m) / s

Nothing is measured in the image: the numbers are those of a data set, or those that a published network was trained with.
They are in the unit of v / divideBy, and in the order of the output's channels. Means alone are subtracted where s is left at 1,
such as ${"`mean: [120, 115, 100]`"} (an article's placeholder, no data set's means).

    voxnorm standardise photo.png -o photo.nii.gz --profile caffe

A picture's colours are channels. What it becomes has fractions, which NIfTI keeps (a vector for each voxel) and PNG does not.

**Profiles.** ${"`given`"} is what the options say. The others are the modes of Keras' ${"`preprocess_input`"}, for colours of 0 to 255 in
the order red, green, blue: ${"`torch`"} divides by 255 and takes ImageNet's statistics (torchvision's ${"`Normalize`"} after ${"`ToTensor`"}, too);
${"`tf`"} maps to −1 to 1, v / 127.5 − 1; ${"`caffe`"} puts blue first and subtracts ImageNet's means of blue, green and red, without a scale.
For 16 bits multiply ${"`divideBy`"} by 257. A grey image has one channel, and so wants one mean (or ${"`tf`"}).
The image's own statistics, as ${"`tf.image.per_image_standardization`"} takes them, are [zscore](zscore.md)'s profile ${"`tensorflow`"}.

**Region.** With ${"`changed: region`"} only the voxels of ${"`region`"} are changed, and the others become ${"`outsideValue`"}; the numbers do
not depend on it. Channels change places everywhere.

**Failures.** ${"`BadOption`"} where the lists have another length than the image has channels, ${"`EmptyMask`"} where the region has no
voxel. NaN and infinity stay, with a warning.
`,
  modalities: ["MR", "CT", "PT", "CR", "DX"],
  references: ["doi:10.1007/s11263-015-0816-y"],
  options: () =>
    z.strictObject({
      divideBy: z.number().positive().default(1).meta({
        description: "What voxels are divided by first, such as 255 where the mean is that of values of 0 to 1",
      }),
      mean: perChannel(z.number())
        .default(0)
        .meta({ description: "What is subtracted; one number or one per channel" }),
      standardDeviation: perChannel(z.number().positive())
        .default(1)
        .meta({ description: "What the difference is divided by; one number or one per channel" }),
      channelOrder: z
        .enum(["keep", "reversed"])
        .default("keep")
        .meta({ description: "Order of the output's channels: the image's, or the last one first" }),
      ...pointwiseOptionsOfWhole(),
    }),
  profiles: {
    given: {},
    torch: { divideBy: 255, mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225] },
    tf: { divideBy: 127.5, mean: 1 },
    caffe: { mean: [103.939, 116.779, 123.68], channelOrder: "reversed" },
  },
  fitted: () => parts({ mean: z.number(), standardDeviation: z.number().positive() }),
});
