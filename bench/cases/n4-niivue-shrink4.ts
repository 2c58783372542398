import type { Case } from "./case.ts";
import { n4Case } from "./n4.ts";

/** The usual job: a whole T1 head of clinical size. Its data are not part of the repository. */
export const n4NiivueShrink4: Case = {
  id: "n4-niivue-shrink4",
  title: "N4, niivue_otsu_t1 (176 × 238 × 169), shrink factor 4, 4 × 10 iterations",
  inputs: {
    image: "../shared/data/mri/niivue_otsu_t1.nii.gz",
    mask: "../shared/data/golden/n4/niivue_otsu_t1_mask.nii.gz",
  },
  ...n4Case,
};
