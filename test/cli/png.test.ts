/** Pictures on the command line: named by `.png`, found by content. */
import { copyFile, readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { declaredVoxels } from "../../dist/cli/memory.js";
import { readVolume, readVolumes } from "../../dist/index.js";
import { usePlace, voxnorm } from "./command.ts";

const place = usePlace();
const run = (...words: string[]) => voxnorm(words, { cwd: place.folder });

beforeAll(async () => {
  const cases = fileURLToPath(new URL("../cases/", import.meta.url));
  for (const name of ["colour", "colour-mask"]) await copyFile(`${cases}${name}.png`, place.at(`${name}.png`));
  await copyFile(place.at("colour-mask.png"), place.at("misnamed.nii"));
});

it("info shows what a picture holds", async () => {
  const { code, stdout } = await run("info", "colour.png", "misnamed.nii", "--json");
  expect(code).toBe(0);
  const facts = { shape: [97, 71, 1], spacing: [1, 1, 1], orientation: "LPS", volumes: 1 };
  expect(JSON.parse(stdout).inputs).toMatchObject([
    { ...facts, channels: 3, header: { format: "png", datatype: "uint8", colourType: "colour" } },
    { ...facts, channels: 1, range: { low: 0, high: 1 } },
  ]);
  expect((await run("info", "colour.png")).stdout).toMatch(/channels +3\n/);
});

it("memory is reckoned by a picture's header", async () => {
  expect(await declaredVoxels(place.at("colour.png"))).toBe(97 * 71 * 3);
});

it("a float result goes to NIfTI as a vector, to PNG only as the type asked for", async () => {
  const words = ["standardise", "colour.png", "--profile", "torch", "--mask", "colour-mask.png", "--region", "mask"];
  const { code } = await run(...words, "-o", "out.nii.gz");
  expect(code).toBe(0);
  const volumes = await readVolumes(place.at("out.nii.gz"), { backend: place.backend });
  expect(volumes.map(({ grid }) => grid.shape)).toEqual([1, 2, 3].map(() => [97, 71, 1]));

  const refused = await run(...words, "-o", "out.png");
  expect([refused.code, refused.last]).toEqual([4, expect.stringContaining("ValueOutOfRange")]);
  expect(refused.stderr).toContain("uint8 or uint16");
  expect(await readdir(place.folder)).not.toContain("out.png");

  const stored = await run(...words, "-o", "out.png", "--datatype", "uint8", "--report", "out.json");
  expect([stored.code, stored.stderr]).toEqual([0, expect.stringContaining("stored: uint8, scaled by")]);
  const { slope, intercept, largestError } = JSON.parse(await readFile(place.at("out.json"), "utf8")).stored;
  const picture = await readVolume(place.at("out.png"), { backend: place.backend });
  const values = volumes.flatMap(({ data }) => [...data]);
  const off = values.map((v, i) => Math.abs(picture.data[i]! * slope + intercept - v));
  expect(Math.max(...off)).toBeLessThanOrEqual(largestError + 1e-6);
});

it("an output folder keeps the ending, and whole numbers need no type", async () => {
  const { code } = await run("standardise", "colour.png", "--mean", "-1", "--channel-order", "reversed", "-o", "made/");
  expect(code).toBe(0);
  const [before, after] = await Promise.all(
    ["colour.png", "made/colour.png"].map((name) => readVolume(place.at(name), { backend: place.backend })),
  );
  const size = 97 * 71;
  const order = [2, 1, 0].flatMap((channel) => [...before!.data.subarray(channel * size, (channel + 1) * size)]);
  expect([...after!.data]).toEqual(order.map((v) => v + 1));
});
