/** Otsu's threshold against ITK: the masks stored with the golden fields are SimpleITK's OtsuThreshold(image, 0, 1, 200). */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { createBackend, n4, readVolume } from "../../dist/index.js";

const data = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const pairs = [
  ["mri/niivue_otsu_t1.nii.gz", "golden/n4/niivue_otsu_t1_mask.nii.gz"],
  ["mri/chris_PD.nii.gz", "golden/n4/chris_PD_mask.nii.gz"],
] as const;
const present = pairs.every((pair) => pair.every((file) => existsSync(data + file)));

it.skipIf(!present)(
  `selects the voxels that SimpleITK 2.5.7 selects${present ? "" : " (skipped: shared data absent)"}`,
  async () => {
    const backend = await createBackend();
    for (const [file, stored] of pairs) {
      const image = await readVolume(data + file, { backend });
      const mask = await readVolume(data + stored, { backend });
      const { region } = await n4({ iterations: [0] }).fit({ image, mask: "otsu" }, { backend });
      const threshold = region.threshold!;
      expect(image.data.filter((voxel, i) => voxel > threshold !== (mask.data[i] === 1)).length).toBe(0);
    }
    await backend.close();
  },
);
