/** `--dry-run`: all that can be said before anything is computed, and not a byte written. */
import { mkdir } from "node:fs/promises";
import { beforeAll, expect, it } from "vitest";
import { head, headMask, usePlace, voxnorm } from "./command.ts";

const place = usePlace();
/** Minutes of work: that a call ends shows that nothing is computed. */
const endless = ["--shrink-factor", "1", "--iterations", "10000,10000", "--convergence-threshold", "0"];

beforeAll(async () => {
  await place.write("a.nii.gz", head());
  await place.write("b.nii", head());
  await mkdir(place.at("masks"));
  await place.write("masks/a.nii", headMask());
  const moved = headMask();
  moved.grid.affine[2][3] += 5;
  await place.write("masks/b.nii", moved);
});

const dry = async (...words: string[]) => {
  const before = await place.list();
  const ran = await voxnorm(["n4", ...words, ...endless, "--dry-run"], { cwd: place.folder });
  expect(await place.list()).toEqual(before);
  return ran;
};

it("says what would be done with each input", async () => {
  const ran = await dry("a.nii.gz", "b.nii", "-o", "out/", "--mask", "masks/a.nii", "--report", "out/{name}.json");
  expect([ran.code, ran.stdout]).toEqual([0, ""]);
  const lines = ran.stderr.split("\n").map((line) => line.replace(/^\d of 2: /, ""));
  const facts = "(40 × 36 × 30, 1.5 × 1.5 × 2 mm, LAS), mask masks/a.nii";
  expect(lines).toContain(`dry run: a.nii.gz ${facts} → out/a.nii.gz, report out/a.json`);
  expect(lines).toContain(`dry run: b.nii ${facts} → out/b.nii, report out/b.json`);
});

it("and so does --json", async () => {
  const ran = await dry("a.nii.gz", "-o", "new.nii", "--mask", "otsu", "--field", "{name}_field.nii", "--json", "-q");
  expect([ran.code, ran.stderr]).toEqual([0, ""]);
  expect(JSON.parse(ran.stdout)).toEqual({
    dryRun: true,
    backend: expect.objectContaining({ threads: expect.any(Number) }),
    inputs: [
      {
        input: "a.nii.gz",
        output: "new.nii",
        grid: expect.objectContaining({ shape: [40, 36, 30], spacing: [1.5, 1.5, 2] }),
        inputs: { mask: "otsu" },
        outputs: { field: "a_field.nii" },
        warnings: [],
      },
    ],
  });
});

it.each([
  [["a.nii.gz", "b.nii", "-o", "out/", "--mask", "masks/{name}.nii"], "GridMismatch", 3],
  [["b.nii", "-o", "new.nii", "--mask", "masks/b.nii"], "GridMismatch", 4],
  [["no.nii", "-o", "new.nii"], "NotFound", 4],
  [["a.nii.gz", "-o", "new.nii", "--mask", "no.nii"], "NotFound", 4],
  [["a.nii.gz", "-o", "a.nii.gz"], "UnsafeOutput", 2],
  [["a.nii.gz", "-o", "new.nii", "--field", "no/f.nii"], "WriteFailed", 74],
  [["a.nii.gz", "-o", "new.nii", "--histogram-bins", "3"], "BadOption", 2],
  [["a.nii.gz", "-o", "new.nii", "--simd", "mmx"], "UnsupportedSimd", 2],
] as [string[], string, number][])("%j is %s, as it would be in earnest", async (words, code, exit) => {
  const ran = await dry(...words);
  expect([ran.code, ran.last]).toEqual([exit, expect.stringMatching(`^error ${code}: `)]);
});
