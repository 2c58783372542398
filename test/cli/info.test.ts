/** `voxnorm info`: what a file holds and what the reader decided. */
import { readFile, writeFile } from "node:fs/promises";
import { beforeAll, expect, it } from "vitest";
import { made, usePlace, voxnorm } from "./command.ts";

const place = usePlace();

beforeAll(async () => {
  await place.write(
    "a.nii.gz",
    made((x, y, z) => x - y + z, 0.25),
  );
  await place.write(
    "odd.nii",
    made((x, y, z) => (z > 0 ? x : y === 0 ? Number.NaN : Number.POSITIVE_INFINITY)),
  );
  await place.write(
    "nothing.nii",
    made(() => Number.NaN),
  );
  const bytes = await readFile(
    await place.write(
      "plain.nii",
      made((x) => x),
    ),
  );
  // No sform and no qform.
  bytes.writeInt16LE(0, 252);
  bytes.writeInt16LE(0, 254);
  await writeFile(place.at("plain.nii"), bytes);
});

const info = (...words: string[]) => voxnorm(["info", ...words], { cwd: place.folder });

it("--json is one object of all that is known", async () => {
  const { code, stdout, stderr } = await info("a.nii.gz", "--json");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^\{.*\}\n$/);
  const facts = JSON.parse(stdout);
  const affine = [
    [-1.5, 0, 0, 30],
    [0, 1.5, 0.25, -20],
    [0, 0, 2, 8.5],
  ];
  expect(facts).toMatchObject({
    shape: [40, 36, 30],
    orientation: "LAS",
    origin: [30, -20, 8.5],
    affine,
    range: { low: -35, high: 68, notFinite: 0 },
    header: { format: "nifti", version: 1, datatype: "float32", dim: [3, 40, 36, 30, 1, 1, 1, 1], sformCode: 2 },
  });
  expect(facts.spacing[0]).toBe(1.5);
  expect(facts.spacing[2]).toBeCloseTo(Math.hypot(0.25, 2), 12);
  expect(facts.decisions).toContainEqual(expect.stringContaining("The sform places the image"));
  // The axes miss right angles: the voxels of the second plane lie a quarter of a millimetre further.
  expect(facts.warnings.map(({ code }: { code: string }) => code)).toEqual(["Sheared", "ItkDiffers"]);
});

it("as text says the same to a person", async () => {
  const { code, stdout, stderr } = await info("a.nii.gz");
  expect([code, stderr]).toEqual([0, ""]);
  const lines = stdout.split("\n");
  expect(lines[0]).toBe("a.nii.gz");
  const row = (name: string) => lines.find((line) => line.trimStart().startsWith(name))?.replace(/^\s*\w+\s+/, "");
  expect(row("shape")).toBe("40 × 36 × 30");
  expect(row("spacing")).toBe("1.5 × 1.5 × 2.01556 mm");
  expect(row("orientation")).toBe("LAS (the way each axis grows)");
  expect(row("origin")).toBe("30, -20, 8.5 mm (RAS+)");
  expect(row("range")).toBe("-35 to 68");
  expect(row("datatype")).toBe('"float32"');
  expect(stdout).toContain("  · The sform places the image");
  expect(stdout).toContain("  ! Sheared: ");
});

it("counts what is not finite, and is alike on both backends", async () => {
  for (const backend of ["native", "wasm"]) {
    const { range } = JSON.parse((await info("odd.nii", "--json", "--backend", backend)).stdout);
    expect(range).toEqual({ low: 0, high: 39, notFinite: 40 * 36 });
    expect((await info("odd.nii", "--backend", backend)).stdout).toContain("0 to 39; 1440 voxels NaN or infinite");
  }
  expect(JSON.parse((await info("nothing.nii", "--json")).stdout).range).toEqual({
    low: null,
    high: null,
    notFinite: 40 * 36 * 30,
  });
  expect((await info("nothing.nii")).stdout).toContain("no finite voxel; 43200 voxels NaN or infinite");
});

it("says what the reader decided where the file says nothing", async () => {
  const facts = JSON.parse((await info("plain.nii", "--json")).stdout);
  expect(facts.warnings.map(({ code }: { code: string }) => code)).toEqual(["NoOrientation", "ItkDiffers"]);
  expect(facts.orientation).toBe("LAS");
  expect(facts.decisions.join()).toMatch(/centred at the origin/);
});

it("--json on a failure is one object with the error", async () => {
  const { code, stdout, last } = await info("no.nii", "--json");
  const { error, ...more } = JSON.parse(stdout);
  expect(more).toEqual({});
  expect(error.code).toBe("NotFound");
  expect(error.detail.path).toBe("no.nii");
  expect([code, last]).toEqual([4, `error NotFound: ${error.message}`]);
});
