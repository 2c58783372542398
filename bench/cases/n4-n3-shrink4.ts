import type { Case } from "./case.ts";
import { n4Case } from "./n4.ts";

/** A small image with a strong field, in every checkout. */
export const n4N3Shrink4: Case = {
  id: "n4-n3-shrink4",
  title: "N4, n3_brain (91 × 109 × 91), shrink factor 4, 4 × 10 iterations",
  inputs: {
    image: "examples/data/n3_brain.nii.gz",
    mask: "examples/data/n3_brain_mask.nii.gz",
  },
  ...n4Case,
};
