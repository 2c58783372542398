/** brainweb_sim's head under fields of one shape and several strengths. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { randomLcg, randomNormal } from "d3-random";
import { type Backend, readVolume, type Volume, writeVolume } from "../../dist/index.js";
import { root, scratch } from "../files.ts";
import { missing } from "../volumes.ts";
import { type Truth, tissues } from "./figures.ts";

const folder = "../shared/data/mri/brainweb_sim";
const files = {
  image: `${folder}/sim_t1_40_n3_biased.nii.gz`,
  clean: `${folder}/sim_t1_40_n3_clean.nii.gz`,
  field: `${folder}/sim_t1_40_n3_field.nii.gz`,
  mask: `${folder}/sim_brainmask.nii.gz`,
  csf: `${folder}/sim_csf_eighths.nii.gz`,
  gm: `${folder}/sim_gm_eighths.nii.gz`,
  wm: `${folder}/sim_wm_eighths.nii.gz`,
};
/** Of the stored image, in %: its own field goes from 0.8 to 1.2 over the brain. */
export const storedStrength = 40;
/** The stored image's: 3 % of white matter's signal, which is 1000. */
const noise = 30;

export const absent = () => missing(files);

export interface SimulatedHead {
  readonly strength: number;
  readonly image: Volume;
  readonly mask: Volume;
  readonly truth: Truth;
  /** Where the peers read it. */
  readonly paths: { readonly image: string; readonly mask: string };
}

/** The stored image at its own strength; others from the clean image by the same rule, with noise of their own. */
export async function simulatedHeads(strengths: readonly number[], backend: Backend): Promise<SimulatedHead[]> {
  const read = (name: keyof typeof files) => readVolume(join(root, files[name]), { backend });
  const [stored, clean, storedField, mask] = await Promise.all(
    (["image", "clean", "field", "mask"] as const).map(read),
  );
  const fractions = await Promise.all(tissues.map(read));
  const inside = (volume: Volume, least: number) => [...volume.data.keys()].filter((i) => volume.data[i]! > least);
  const [csf, gm, wm] = fractions.map((fraction) => inside(fraction, 0.9 * 8));
  const brain = inside(mask!, 0);
  mkdirSync(scratch, { recursive: true });

  return Promise.all(
    strengths.map(async (strength) => {
      const field = storedField!.data.map((f) => Math.max(1 + (strength / storedStrength) * (f - 1), 0.2));
      const isStored = strength === storedStrength;
      const image = isStored ? stored! : { ...clean!, data: withNoise(clean!.data, field, strength) };
      const path = isStored ? join(root, files.image) : join(scratch, `brainweb-${strength}.nii.gz`);
      if (!isStored) await writeVolume(path, image, { datatype: "int16", backend });
      const truth = { image: image.data, field, brain, tissues: { csf: csf!, gm: gm!, wm: wm! } };
      return { strength, image, mask: mask!, truth, paths: { image: path, mask: join(root, files.mask) } };
    }),
  );
}

/** Rician: the magnitude of the signal with normal noise in both of its parts; in whole numbers, as stored. */
function withNoise(clean: Float32Array, field: Float32Array, seed: number): Float32Array {
  const normal = randomNormal.source(randomLcg(seed))(0, noise);
  return clean.map((signal, i) => Math.round(Math.hypot(signal * field[i]! + normal(), normal())));
}
