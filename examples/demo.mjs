/**
 * The main job on a real image: a T1 head with a strong bias field, corrected by N4.
 * Run by `npm run demo`; writes to examples/output/.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createBackend, n4, pipeline, readVolume, version, writeVolume } from "voxnorm";

const folder = fileURLToPath(new URL("./", import.meta.url));
const [data, output] = [`${folder}data/`, `${folder}output/`];
const timings = {};
const timed = async (phase, work) => {
  const start = performance.now();
  const result = await work();
  timings[phase] = performance.now() - start;
  return result;
};

await mkdir(output, { recursive: true });
const backend = await timed("load", () => createBackend());
const [image, mask] = await timed("decode", () =>
  Promise.all(["n3_brain.nii.gz", "n3_brain_mask.nii.gz"].map((name) => readVolume(data + name, { backend }))),
);
const job = { backend, inputs: { mask }, outputs: ["field"], digests: true };
const { image: corrected, outputs, report } = await pipeline([n4()]).run(image, job);
timings.compute = report.steps[0].computeMs;
await timed("encode", () =>
  Promise.all([
    writeVolume(`${output}n3_brain_n4.nii.gz`, corrected),
    writeVolume(`${output}n3_brain_field.nii.gz`, outputs.field),
    writeFile(`${output}n3_brain_n4.json`, `${JSON.stringify(report, null, 2)}\n`),
  ]),
);

const [step] = report.steps;
const { coefficientOfVariation: cv, fieldRange, voxels } = step.measures;
const percent = (value) => `${(100 * value).toFixed(2)} %`;
const rows = [
  ["image", `examples/data/n3_brain.nii.gz, ${image.grid.shape.join(" × ")} voxels, ${voxels} in its mask`],
  ["coefficient of variation", `${percent(cv.before)} before, ${percent(cv.after)} after (in the mask)`],
  ["field", `${fieldRange.map((factor) => factor.toFixed(4)).join(" to ")}`],
  ["iterations", `${step.fitted.levels.map((level) => level.iterations).join(" + ")} on four levels`],
  ["backend", `${backend.name}, ${backend.simd}, ${backend.threads} thread${backend.threads === 1 ? "" : "s"}`],
  ...Object.entries(timings).map(([phase, ms]) => [phase, `${ms.toFixed(1)} ms`]),
  ["digest", report.output.digest],
  ["written", "examples/output/n3_brain_n4.nii.gz, n3_brain_field.nii.gz, n3_brain_n4.json"],
];
console.log(`voxnorm ${version}: N4 bias-field correction of a real T1`);
for (const [name, value] of rows) console.log(`  ${name.padEnd(25)} ${value}`);
await backend.close();
