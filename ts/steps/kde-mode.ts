import { z } from "zod";
import { defineStep } from "../step.ts";
import { parts, pointwise, pointwiseDocOfWhole, pointwiseOptionsOfWhole } from "./pointwise.ts";
import { notPeak, tissueMode, tissueModeDoc } from "./tissue-mode.ts";

export const kdeMode = defineStep({
  ...pointwise,
  id: "kde-mode",
  title: "Tissue mode",
  summary: "Scale so that the mode of a tissue, a peak of the kernel density, becomes a given value",
  doc: `
The image is divided by the tissue's mode:

    out = normValue · v / mode
${tissueModeDoc}${pointwiseDocOfWhole}
${"`ConstantImage`"} where the voxels without their tails are all equal, ${"`BadScale`"} where the mode is not above 0.
`,
  modalities: ["MR"],
  references: ["doi:10.1117/12.2513089", "doi:10.2307/2347084"],
  options: () =>
    z.strictObject({
      normValue: z.number().positive().default(1).meta({ description: "What the mode becomes" }),
      ...tissueMode.options(),
      ...pointwiseOptionsOfWhole(),
    }),
  profiles: tissueMode.profiles,
  fitted: () => parts(tissueMode.fitted()),
  warnings: { ...pointwise.warnings, NotPeak: notPeak },
});
