/** The heads. Those of `../shared` are not part of the repository; a case without its data says so. */

export interface Head {
  readonly id: string;
  /** Name and voxels. */
  readonly title: string;
  readonly image: string;
  /** A file, or the rule `otsu`. */
  readonly mask: string;
}

const mri = "../shared/data/mri";

/** The usual job: a whole T1 head of clinical size, with its stored mask. */
export const niivue: Head = {
  id: "niivue",
  title: "niivue_otsu_t1 (176 × 238 × 169)",
  image: `${mri}/niivue_otsu_t1.nii.gz`,
  mask: "../shared/data/golden/n4/niivue_otsu_t1_mask.nii.gz",
};

export const chris: Head = {
  id: "chris",
  title: "chris_t1 (188 × 256 × 190)",
  image: `${mri}/chris_t1.nii.gz`,
  mask: "otsu",
};

/** A small image with a strong field, in every checkout. */
export const n3: Head = {
  id: "n3",
  title: "n3_brain (91 × 109 × 91)",
  image: "examples/data/n3_brain.nii.gz",
  mask: "examples/data/n3_brain_mask.nii.gz",
};

/** Simulated: its field is known. */
export const brainweb: Head = {
  id: "brainweb",
  title: "brainweb_sim (90 × 108 × 90, field of 40 %)",
  image: `${mri}/brainweb_sim/sim_t1_40_n3_biased.nii.gz`,
  mask: `${mri}/brainweb_sim/sim_brainmask.nii.gz`,
};
