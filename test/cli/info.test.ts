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
const only = async (...words: string[]) => JSON.parse((await info(...words, "--json")).stdout).inputs[0];

it("--json is one object of all that is known", async () => {
  const { code, stdout, stderr } = await info("a.nii.gz", "--json");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^\{.*\}\n$/);
  const { inputs, ...more } = JSON.parse(stdout);
  expect(more).toEqual({});
  const [facts] = inputs;
  const affine = [
    [-1.5, 0, 0, 30],
    [0, 1.5, 0.25, -20],
    [0, 0, 2, 8.5],
  ];
  expect(inputs).toHaveLength(1);
  expect(facts).toMatchObject({
    input: "a.nii.gz",
    shape: [40, 36, 30],
    orientation: "LAS",
    origin: [30, -20, 8.5],
    affine,
    range: { low: -35, high: 68, notFinite: 0 },
    header: { format: "nifti", version: 1, datatype: "float32", dim: [3, 40, 36, 30, 1, 1, 1, 1], sformCode: 2 },
  });
  expect(facts.spacing[0]).toBe(1.5);
  expect(facts.spacing[2]).toBeCloseTo(Math.hypot(0.25, 2), 12);
  // The third axis leans by 0.25 mm in 2.
  expect(facts.obliquity).toBeCloseTo((Math.atan(0.125) * 180) / Math.PI, 10);
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
  expect(row("orientation")).toBe("LAS (the way each axis grows), oblique by 7.13°");
  expect(row("extent")).toBe("60 × 54 × 60.4669 mm");
  expect(row("affine")).toBe("-1.5, 0, 0, 30");
  expect(row("origin")).toBe("30, -20, 8.5 mm (RAS+)");
  expect(row("range")).toBe("-35 to 68");
  expect(row("datatype")).toBe('"float32"');
  expect(stdout).toContain("  · The sform places the image");
  expect(stdout).toContain("  ! Sheared: ");
});

it("counts what is not finite, and is alike on both backends", async () => {
  for (const backend of ["native", "wasm"]) {
    const { range } = await only("odd.nii", "--backend", backend);
    expect(range).toEqual({ low: 0, high: 39, notFinite: 40 * 36 });
    expect((await info("odd.nii", "--backend", backend)).stdout).toContain("0 to 39; 1440 voxels NaN or infinite");
  }
  expect((await only("nothing.nii")).range).toEqual({
    low: null,
    high: null,
    notFinite: 40 * 36 * 30,
  });
  expect((await info("nothing.nii")).stdout).toContain("no finite voxel; 43200 voxels NaN or infinite");
});

it("says what the reader decided where the file says nothing", async () => {
  const facts = await only("plain.nii");
  expect(facts.warnings.map(({ code }: { code: string }) => code)).toEqual(["NoOrientation", "ItkDiffers"]);
  expect(facts.orientation).toBe("LAS");
  expect(facts.decisions.join()).toMatch(/centred at the origin/);
});

it("says which of two forms was taken", async () => {
  const bytes = await readFile(
    await place.write(
      "forms.nii",
      made((x) => x),
    ),
  );
  expect(bytes.readInt16LE(252)).toBe(2);
  bytes.writeInt16LE(1, 252);
  bytes.writeFloatLE(50, 268);
  await writeFile(place.at("forms.nii"), bytes);
  const { decisions, warnings } = await only("forms.nii");
  expect(decisions).toContain("The sform places the image (code 2, aligned), rather than the qform (code 1, scanner).");
  expect(warnings.map(({ code }: { code: string }) => code)).toEqual(["ItkDiffers"]);
});

it("prints the range as short as single precision allows, and as it is in --json", async () => {
  await place.write(
    "tenths.nii",
    made((x) => (x === 0 ? 0.1 : x === 1 ? 1_091_084_943_360 : 1 / 3)),
  );
  expect((await info("tenths.nii")).stdout).toMatch(/ range +0\.1 to 1091084943360\n/);
  expect((await only("tenths.nii")).range.low).toBe(Math.fround(0.1));
});

it("names the numbers of a header that JSON has not", async () => {
  const bytes = await readFile(place.at("plain.nii"));
  bytes.writeFloatLE(Number.NaN, 112);
  await writeFile(place.at("slope.nii"), bytes);
  expect((await only("slope.nii")).header.slope).toBe("NaN");
  expect((await info("slope.nii")).stdout).toMatch(/ slope +"NaN"\n/);
});

it("several files are several entries in their order, and one that fails stops no other", async () => {
  const names = ["odd.nii", "no.nii", "a.nii.gz"];
  const { code, stdout, last } = await info(...names, "--json");
  const { inputs } = JSON.parse(stdout);
  expect(inputs[0]).toEqual(await only("odd.nii"));
  expect(inputs[1]).toEqual({ input: "no.nii", error: expect.objectContaining({ code: "NotFound" }) });
  expect(inputs[2]).toEqual(await only("a.nii.gz"));
  expect([code, last]).toEqual([3, `error NotFound: ${inputs[1].error.message}`]);
  const text = await info(...names);
  expect(text.stdout).toBe((await info("odd.nii")).stdout + (await info("a.nii.gz")).stdout);
  expect([text.code, text.last]).toEqual([3, last]);
  expect((await info("no.nii", "neither.nii")).code).toBe(4);
});

it("- is stdin, gzip or not", async () => {
  for (const name of ["a.nii.gz", "odd.nii"]) {
    const stdin = await readFile(place.at(name));
    const ran = await voxnorm(["info", "-", "--json"], { stdin });
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout).inputs).toEqual([{ ...(await only(name)), input: "-" }]);
  }
  const empty = await voxnorm(["info", "-"], { stdin: new Uint8Array() });
  expect([empty.code, empty.last]).toEqual([4, "error Truncated: stdin: the file is empty"]);
});

it("--json on a failure is one object with the error", async () => {
  const { code, stdout, last } = await info("no.nii", "--json");
  const { inputs, ...more } = JSON.parse(stdout);
  expect(more).toEqual({});
  const [{ input, error }] = inputs;
  expect(input).toBe("no.nii");
  expect(error.code).toBe("NotFound");
  expect(error.detail.path).toBe("no.nii");
  expect([code, last]).toEqual([4, `error NotFound: ${error.message}`]);
});
