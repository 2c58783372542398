/** What steps warn of: in the report, in the API and on the command line, which being quiet does not silence. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { n4, pipeline, readVolume, steps, type Volume } from "../../dist/index.js";
import { made, usePlace, voxnorm } from "./command.ts";

const place = usePlace();
const run = (...words: string[]) => voxnorm(["n4", ...words], { cwd: place.folder });
const warningsIn = (stderr: string) => stderr.split("\n").filter((line) => line.startsWith("warning: "));

beforeAll(async () => {
  await place.write(
    "thin.nii",
    made((x, y, z, i) => 90 + 20 * ((x >> 2) % 2) + y + z + ((i * 7919) % 13)),
  );
});

describe("an axis too thin for its shrink factor", () => {
  const flags = ["thin.nii", "-o", "out.nii", "--shrink-factor", "20", "--iterations", "3"];
  const message =
    "n4: shrinks axis 1 of 36 voxels by 9, not 20, axis 2 of 30 voxels by 7, not 20, which would leave too few";
  it.each([[[]], [["-q"]]])("is told on stderr, in --json and in the report %j", async (quiet) => {
    const ran = await run(...flags, ...quiet, "--json", "--report", "report.json");
    expect(ran.code).toBe(0);
    const { warnings } = JSON.parse(ran.stdout).inputs[0];
    expect(warnings[0]).toEqual({ code: "ShrunkLess", message });
    const told = warnings.map((each: { message: string }) => `warning: thin.nii: ${each.message}`);
    expect(warningsIn(ran.stderr)).toEqual(told);
    if (quiet.length > 0) expect(ran.stderr.trimEnd().split("\n")).toEqual(told);
    else expect(ran.last).toBe("wrote out.nii");
    expect(JSON.parse(await readFile(place.at("report.json"), "utf8")).warnings).toEqual(warnings);
  });
});

describe("a correction that harms", () => {
  const data = "../shared/data/mri/brainweb_sim";
  const files = [
    `${data}/sim_t1_40_n3_clean.nii.gz`,
    `${data}/sim_t1_40_n3_biased.nii.gz`,
    `${data}/sim_brainmask.nii.gz`,
  ];
  const absent = files.filter((file) => !existsSync(file));
  const reason = absent.length > 0 ? ` (skipped: ${absent.join(", ")} absent)` : "";

  it.skipIf(reason)(
    `is told of, with the numbers, where there is no field, and not where there is${reason}`,
    async () => {
      const [clean, biased, mask] = (await Promise.all(files.map((file) => readVolume(file, place)))) as [
        Volume,
        Volume,
        Volume,
      ];
      const context = { ...place, inputs: { mask } };
      const { report } = await pipeline([n4()]).run(clean, context);
      const { before, after } = report.steps[0]!.measures.entropy as { before: number; after: number };
      expect(after).toBeGreaterThan(before);
      expect(report.warnings).toEqual([
        {
          code: "MadeWorse",
          message: `n4: the correction raised entropy from ${before.toPrecision(4)} to ${after.toPrecision(4)}; by this, the image was better without it`,
        },
      ]);
      expect((await pipeline([n4()]).run(biased, context)).report.warnings).toEqual([]);
      const paths = files.map((file) => `${process.cwd()}/${file}`);
      const ran = await run(paths[0]!, "-o", "clean.nii", "--mask", paths[2]!);
      expect(warningsIn(ran.stderr)).toEqual([`warning: ${paths[0]}: ${report.warnings[0]!.message}`]);
    },
  );

  it("names every measure that it made larger", () => {
    const { ofMeasures } = n4.warnings.MadeWorse!;
    const measures = {
      coefficientOfVariation: { before: 0.25, after: 0.3 },
      entropy: { before: -0.5, after: 0.125 },
      worse: ["coefficientOfVariation", "entropy"],
    };
    expect(ofMeasures?.(measures as never)).toBe(
      "the correction raised coefficientOfVariation from 0.2500 to 0.3000 and entropy from -0.5000 to 0.1250; by this, the image was better without it",
    );
    expect(ofMeasures?.({ ...measures, worse: [] } as never)).toBeUndefined();
  });
});

it.each(Object.values(steps))("every warning of $id has a name and a meaning, and is on its page", async (step) => {
  const page = await readFile(`docs/steps/${step.id}.md`, "utf8");
  for (const [code, { meaning }] of Object.entries(step.warnings)) {
    expect(code).toMatch(/^([A-Z][a-z0-9]+)+$/);
    expect(page).toContain(`| \`${code}\` | ${meaning} |`);
  }
});
