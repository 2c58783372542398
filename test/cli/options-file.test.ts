/** Options in a file: those of a report or of one's own, with flags before them. */
import { readFile, writeFile } from "node:fs/promises";
import { beforeAll, expect, it } from "vitest";
import { nnunetOptions } from "../../dist/index.js";
import { made, usePlace, voxnorm } from "./command.ts";

const place = usePlace();
const run = (...words: string[]) => voxnorm(words, { cwd: place.folder });
const write = (name: string, content: unknown) => writeFile(place.at(name), JSON.stringify(content));
const ran = async (name: string) => JSON.parse(await readFile(place.at(name), "utf8"));

beforeAll(async () => {
  await place.write(
    "a.nii.gz",
    made((x, y, z) => x * x - 3 * y + z),
  );
});

it("does what nnU-Net's files say", async () => {
  const properties = { mean: 12, std: 7.5, percentile_00_5: -4, percentile_99_5: 60 };
  const fingerprint = { foreground_intensity_properties_per_channel: { "0": properties } };
  const fullres = { normalization_schemes: ["CTNormalization"], use_mask_for_norm: [false] };
  const options = nnunetOptions({ configurations: { "3d_fullres": fullres } }, fingerprint, { channel: 0 });
  await write("nnunet.json", options);
  const { code } = await run("nnunet", "a.nii.gz", "-o", "b.nii.gz", "--options", "nnunet.json", "--report", "b.json");
  expect(code).toBe(0);
  const [step] = (await ran("b.json")).steps;
  expect(step.options).toMatchObject({ scheme: "CTNormalization", mean: 12, upperBound: 60 });
  expect(step.fitted.parts).toMatchObject([{ clip: [-4, 60], subtract: 12, divide: 7.5 }]);
});

it("a report's options give the same again, and flags go before them", async () => {
  const words = ["a.nii.gz", "-o", "c.nii.gz", "--report"];
  await run("zscore", ...words, "c.json", "--ddof", "1", "--scale", "10");
  const first = await ran("c.json");
  await write("zscore.json", first.steps[0].options);
  await run("zscore", ...words, "d.json", "--options", "zscore.json");
  expect((await ran("d.json")).output.digest).toBe(first.output.digest);
  await run("zscore", ...words, "e.json", "--options", "zscore.json", "--scale", "3");
  expect((await ran("e.json")).steps[0].options).toMatchObject({ ddof: 1, scale: 3 });
});

it("what is no object of options is refused", async () => {
  await writeFile(place.at("broken.json"), "{ ddof:");
  await write("list.json", [1]);
  await write("unknown.json", { sigma: 3 });
  for (const [name, message] of [
    ["broken.json", "broken.json: expected JSON"],
    ["list.json", "list.json: options: expected an object"],
    ["unknown.json", "zscore: sigma: no such option"],
  ] as const) {
    const { code, last } = await run("zscore", "a.nii.gz", "-o", "f.nii.gz", "--options", name);
    expect([code, last]).toEqual([2, expect.stringContaining(message)]);
  }
  expect((await run("zscore", "a.nii.gz", "-o", "f.nii.gz", "--options", "absent.json")).last).toContain("NotFound");
});
