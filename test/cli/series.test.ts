/** Images of other sorts than three dimensions of single precision: series, planes, 8 bits, thick slices. */
import { readFile, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { digest, n4, readVolume, readVolumes, type Volume, writeVolumes } from "../../dist/index.js";
import { niftiBytes } from "../io/nifti-bytes.ts";
import { head, headMask, type Ran, usePlace, voxnorm } from "./command.ts";

const place = usePlace();
const options = { shrinkFactor: 2, iterations: [4, 3] };
const flags = ["--shrink-factor", "2", "--iterations", "4,3"];
const run = (...words: string[]) => voxnorm(["n4", ...words, ...flags], { cwd: place.folder });
const digestOf = (volume: Volume) => digest(volume, place.backend);
const digestsOf = async (name: string) =>
  Promise.all((await readVolumes(place.at(name), place)).map((each) => digestOf(each)));
const parse = ({ stdout }: Ran) => JSON.parse(stdout);

/** A head and a mask at each of three time points. */
const images = [0, 1, 2].map((time) => {
  const volume = head();
  for (const [i, v] of volume.data.entries()) volume.data[i] = v * (1 + time / 9) + ((i * (time + 3)) % 7);
  return volume;
});
const masks = [0, 1, 2].map((time) => {
  const volume = headMask();
  volume.data.fill(0, 0, 4000 * (time + 1));
  return volume;
});

/** What the API makes of each with each mask: image and field. */
async function made(mask: (index: number) => Volume): Promise<{ image: string[]; field: string[] }> {
  const all = { image: [] as string[], field: [] as string[] };
  for (const [index, image] of images.entries()) {
    const { outputs } = await n4(options).run({ image, mask: mask(index) }, ["image", "field"], place);
    all.image.push(await digestOf(outputs.image!));
    all.field.push(await digestOf(outputs.field!));
  }
  return all;
}

let one: { image: string[]; field: string[] };
let each: { image: string[]; field: string[] };

beforeAll(async () => {
  await writeVolumes(place.at("series.nii.gz"), images);
  // 2.5 s between time points.
  const bytes = await readFile(await place.write("head.nii", images[0]!));
  await writeVolumes(place.at("series.nii"), images);
  const series = await readFile(place.at("series.nii"));
  series.writeFloatLE(2.5, 92);
  series[123] = 10;
  await writeFile(place.at("series.nii"), series);
  expect(bytes.length).toBeLessThan(series.length);
  await place.write("mask.nii.gz", masks[0]!);
  await writeVolumes(place.at("masks.nii.gz"), masks);
  await writeVolumes(place.at("two.nii.gz"), masks.slice(0, 2));
  [one, each] = [await made(() => masks[0]!), await made((index) => masks[index]!)];
  expect(new Set([...one.image, ...each.image]).size).toBe(5);
});

describe("a series", () => {
  it("is corrected time point by time point, and written as one with the time between", async () => {
    const ran = await run(
      "series.nii",
      "-o",
      "a.nii.gz",
      "--mask",
      "mask.nii.gz",
      "--field",
      "f.nii",
      "--report",
      "a.json",
    );
    expect([ran.code, ran.last]).toEqual([0, "wrote a.nii.gz"]);
    expect(await digestsOf("a.nii.gz")).toEqual(one.image);
    expect(await digestsOf("f.nii")).toEqual(one.field);
    for (const name of ["a.nii.gz", "f.nii"]) {
      const [{ meta }] = (await readVolumes(place.at(name), place)) as [Volume];
      expect(meta.header).toMatchObject({ dim: [4, 40, 36, 30, 3, 1, 1, 1], units: { code: 10 } });
      expect((meta.header as { pixdim: number[] }).pixdim[4]).toBe(2.5);
    }
    const {
      voxnorm: version,
      backend,
      timings,
      stored,
      volumes,
      ...more
    } = JSON.parse(await readFile(place.at("a.json"), "utf8"));
    expect([typeof version, backend.name, stored.datatype, more]).toEqual(["string", "native", "float32", {}]);
    expect(volumes.map(({ output }: { output: { digest: string } }) => output.digest)).toEqual(one.image);
    const computed = volumes.map(({ steps }: { steps: { computeMs: number }[] }) => steps[0]!.computeMs);
    expect(timings.computeMs).toBeCloseTo(computed.reduce((sum: number, ms: number) => sum + ms));
    const { fitted } = await n4(options).run({ image: images[2]!, mask: masks[0]! }, [], place);
    expect(volumes[2].steps[0].fitted).toEqual(fitted);
    expect(ran.stderr).toContain("  volume 3 of 3\n");
    expect(ran.stderr).toContain(`  digest: ${one.image[2]}\n`);
  });

  it("takes a mask for each time point, and --json tells the digests", async () => {
    const ran = await run("series.nii.gz", "-o", "b.nii", "--mask", "masks.nii.gz", "--json");
    expect(parse(ran).inputs[0]).toMatchObject({ digests: each.image, warnings: [] });
    expect(parse(ran).inputs[0]).not.toHaveProperty("digest");
    expect(await digestsOf("b.nii")).toEqual(each.image);
  });

  it("goes through pipes", async () => {
    const stdin = await readFile(place.at("series.nii.gz"));
    const ran = await voxnorm(["n4", "-", "-o", "-", "--mask", "mask.nii.gz", ...flags], { cwd: place.folder, stdin });
    await writeFile(place.at("piped.nii"), ran.bytes);
    expect(await digestsOf("piped.nii")).toEqual(one.image);
  });

  it("beside a single image goes into a folder", async () => {
    const ran = await run("series.nii", "head.nii", "-o", "both/", "--mask", "mask.nii.gz", "--json");
    expect(parse(ran).inputs).toMatchObject([{ digests: one.image }, { digest: one.image[0] }]);
    expect(ran.stderr).toContain("wrote both/series.nii, 3 volumes\n");
  });

  it("is told of by --dry-run and info", async () => {
    const dry = await run("series.nii", "-o", "c.nii", "--mask", "masks.nii.gz", "--dry-run", "--json");
    expect(parse(dry).inputs[0].volumes).toBe(3);
    expect(dry.stderr).toContain("series.nii (40 × 36 × 30 × 3, 1.5 × 1.5 × 2 mm, LAS)");
    const info = await voxnorm(["info", "series.nii", "--json"], { cwd: place.folder });
    const [facts] = parse(info).inputs;
    const all = images.flatMap(({ data }) => [...data]);
    expect(facts).toMatchObject({ shape: [40, 36, 30], volumes: 3 });
    expect(facts.range).toEqual({
      low: all.reduce((a, b) => Math.min(a, b)),
      high: all.reduce((a, b) => Math.max(a, b)),
      notFinite: 0,
    });
    expect(facts.decisions.join()).not.toContain("This is volume");
  });

  it.each([
    ["series.nii", "two.nii.gz", "one volume or 3, as the image has, got 2"],
    ["head.nii", "masks.nii.gz", "one volume, as the image has, got 3"],
  ])("%s with a mask of another number, %s, is refused", async (image, mask, message) => {
    for (const more of [[], ["--dry-run"]]) {
      const ran = await run(image, "-o", "d.nii", "--mask", mask, ...more);
      expect([ran.code, ran.last]).toEqual([4, `error GridMismatch: series: mask: expected ${message}`]);
    }
  });

  it("that fails says at which volume, and nothing is written", async () => {
    const constant = { ...images[1]!, data: images[1]!.data.map(() => 5) };
    await writeVolumes(place.at("bad.nii"), [images[0]!, constant, images[2]!]);
    const ran = await run("bad.nii", "-o", "e.nii", "--mask", "mask.nii.gz");
    expect([ran.code, ran.last]).toEqual([4, expect.stringMatching(/^error ConstantImage: volume 2 of 3: n4: image/)]);
    expect(await place.list()).not.toContain("e.nii");
  });
});

it("a slice of 8 bits in two dimensions gives what the API gives, in three", async () => {
  // Compared with SimpleITK in test/cases/n4/slice.json.
  await writeFile(place.at("slice.nii.gz"), await readFile("test/cases/n4/slice.nii.gz"));
  const ran = await run("slice.nii.gz", "-o", "slice.nii", "--mask", "otsu", "--json");
  const image = await readVolume(place.at("slice.nii.gz"), place);
  expect(image.meta.header).toMatchObject({ dim: [2, 91, 109, 1, 1, 1, 1, 1], datatype: "uint8" });
  const { outputs, warnings } = await n4(options).run({ image, mask: "otsu" }, ["image"], place);
  expect(parse(ran).inputs[0]).toMatchObject({ digest: await digestOf(outputs.image!), warnings });
  expect(await digestsOf("slice.nii")).toEqual([await digestOf(outputs.image!)]);
});

it.each([
  ["thick slices", [24, 20, 9], [0.8, 0.9, 6]],
  ["a line of slices", [20, 1, 16], [1, 1, 1]],
] as const)("%s of 8 bits are corrected as the API does, with its warnings", async (_, shape, spacing) => {
  const [nx, ny, nz] = shape;
  const voxels = Uint8Array.from({ length: nx * ny * nz }, (_, i) => 60 + ((i * 37) % 41) + 3 * (i % nx));
  const bytes = niftiBytes({
    dim: [3, ...shape, 1, 1, 1, 1],
    pixdim: [1, ...spacing, 1, 1, 1, 1],
    sform: { code: 1, numbers: [spacing[0], 0, 0, 0, 0, spacing[1], 0, 0, 0, 0, spacing[2], 0] },
    voxels,
  });
  await writeFile(place.at("thick.nii"), bytes);
  const ran = await voxnorm(
    ["n4", "thick.nii", "-o", "thin.nii", "--iterations", "3,2", "--shrink-factor", "5", "--json"],
    {
      cwd: place.folder,
    },
  );
  const image = await readVolume(place.at("thick.nii"), place);
  const { outputs, warnings } = await n4({ iterations: [3, 2], shrinkFactor: 5 }).run({ image }, ["image"], place);
  expect(parse(ran).inputs[0]).toMatchObject({ digest: await digestOf(outputs.image!), warnings });
  expect(warnings.some(({ code }) => code === "ShrunkLess")).toBe(nz === 9);
});
