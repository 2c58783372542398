/**
 * Does the background change what is measured in an organ? A forum's question about PyRadiomics' `normalize`, answered
 * by a real head: the image as it is, and with everything outside the organ set to 0, -1000 and 5000.
 *
 *     node examples/background.mjs
 */
import { fileURLToPath } from "node:url";
import { readMask, readVolume, zscore } from "voxnorm";

const data = fileURLToPath(new URL("./data/", import.meta.url));
const [head, mask] = [await readVolume(`${data}n3_brain.nii.gz`), await readMask(`${data}n3_brain_mask.nii.gz`)];
// Its numbers go to a million, beside which no such background would show.
const original = head.data.map((v) => v / 1000);
const images = { "as it is": original };
for (const background of [0, -1000, 5000]) {
  images[`outside ${background}`] = original.map((v, i) => (mask.data[i] ? v : background));
}

const methods = {
  "not normalised": undefined,
  "statistics of the whole image": zscore({ profile: "simpleitk", scale: 100 }),
  "statistics of the mask": zscore({ profile: "simpleitk", scale: 100, region: "mask" }),
};

/** Shannon's entropy in bits of the organ's values once they are put into bins. */
function entropy(values, binOf) {
  const counts = new Map();
  for (const v of values) counts.set(binOf(v), (counts.get(binOf(v)) ?? 0) + 1);
  return [...counts.values()].reduce((sum, n) => sum - (n / values.length) * Math.log2(n / values.length), 0);
}

export const results = {};
for (const [method, bound] of Object.entries(methods)) {
  results[method] = {};
  for (const [image, voxels] of Object.entries(images)) {
    const volume = { ...head, data: voxels };
    const { outputs } = (await bound?.run({ image: volume, mask })) ?? { outputs: { image: volume } };
    const values = outputs.image.data.filter((_, i) => mask.data[i]);
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
    const [low, high] = values.reduce(([l, h], v) => [Math.min(l, v), Math.max(h, v)], [Infinity, -Infinity]);
    results[method][image] = {
      mean,
      deviation: Math.sqrt(variance),
      "entropy, bins of width 5": entropy(values, (v) => Math.floor(v / 5)),
      "entropy, 32 bins": entropy(values, (v) => Math.min(31, Math.floor((32 * (v - low)) / (high - low)))),
    };
  }
  console.log(`\n${method}, in the organ`);
  console.table(results[method]);
}
