/** Several inputs in one call: the bytes of single calls, names made from the inputs', and failures that stay alone. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { beforeAll, describe, expect, it } from "vitest";
import { atMost } from "../../dist/cli/jobs.js";
import { declaredVoxels, memoryOf, room } from "../../dist/cli/memory.js";
import { digest, readVolume, type Volume, writeVolumes } from "../../dist/index.js";
import { head, headMask, type Ran, usePlace, voxnorm } from "./command.ts";

const place = usePlace();
const names = ["a", "b", "c"];
const files = ["a.nii.gz", "b.nii", "sub/c.nii.gz"];
const flags = ["--shrink-factor", "2", "--iterations", "4,3"];
/** Digests of image and field, by a call for each input. */
const single: Record<string, { image: string; field: string }> = {};

const n4 = (...words: string[]) => voxnorm(["n4", ...words, ...flags], { cwd: place.folder });
const digestOf = async (name: string) => digest(await readVolume(place.at(name), place), place.backend);
const parse = ({ stdout }: Ran) => JSON.parse(stdout);

/** The head, told apart from others. */
function one(index: number): Volume {
  const volume = head();
  for (const [i, v] of volume.data.entries()) volume.data[i] = v + ((i * (index + 3)) % 7);
  return volume;
}

beforeAll(async () => {
  await mkdir(place.at("sub"));
  await mkdir(place.at("masks"));
  await mkdir(place.at("single"));
  for (const [i, name] of names.entries()) {
    await place.write(files[i]!, one(i));
    const mask = headMask();
    mask.data.fill(0, 0, 3000 * (i + 4));
    await place.write(`masks/${name}_mask.nii`, mask);
    const words = [files[i]!, "-o", `single/${name}.nii`, "--field", `single/${name}_field.nii`];
    await n4(...words, "--mask", `masks/${name}_mask.nii`);
    const [image, field] = await Promise.all([digestOf(`single/${name}.nii`), digestOf(`single/${name}_field.nii`)]);
    single[name] = { image, field };
  }
  expect(new Set(Object.values(single).map(({ image }) => image)).size).toBe(3);
  await writeFile(place.at("text.nii"), "this is no image\n".repeat(99));
});

describe("into a folder", () => {
  it.each([1, 2, 8])(
    "%i at once, each by its own names: the digests of single calls, in the inputs' order",
    async (jobs) => {
      const folder = `out${jobs}`;
      const before = await place.list();
      const patterns = ["--mask", "masks/{name}_mask.nii", "--field", `${folder}/{name}_field.nii.gz`];
      const words = [...files, "-o", `${folder}/`, ...patterns, "--report", `${folder}/{name}.json`, "--json"];
      const ran = await n4(...words, "--jobs", String(jobs));
      expect(ran.code).toBe(0);
      const { inputs } = parse(ran);
      expect(inputs.map(({ input }: { input: string }) => input)).toEqual(files);
      const outputs = ["a.nii.gz", "b.nii", "c.nii.gz"].map((name) => `${folder}/${name}`);
      for (const [i, name] of names.entries()) {
        expect(inputs[i]).toMatchObject({ output: outputs[i], digest: single[name]!.image, warnings: [] });
        expect(await digestOf(outputs[i]!)).toBe(single[name]!.image);
        expect(await digestOf(`${folder}/${name}_field.nii.gz`)).toBe(single[name]!.field);
        const report = JSON.parse(await readFile(place.at(folder, `${name}.json`), "utf8"));
        expect(report).toMatchObject({ input: { source: files[i] }, output: { digest: single[name]!.image } });
      }
      const others = names.flatMap((name) => [`${folder}/${name}_field.nii.gz`, `${folder}/${name}.json`]);
      expect(await place.list()).toEqual([...before, folder, ...outputs, ...others].sort());
      const lines = ran.stderr.trimEnd().split("\n");
      const wrote = lines.filter((line) => line.includes("wrote "));
      expect(wrote.map((line) => line.slice(0, 7))).toEqual(["1 of 3:", "2 of 3:", "3 of 3:"]);
      expect(wrote.map((line) => line.replace(/^\d of 3: /, "")).sort()).toEqual(
        names.map((name, i) => `wrote ${outputs[i]}, digest ${single[name]!.image}`),
      );
      expect(ran.last).toBe(wrote[2]);
      expect(lines.filter((line) => / done: \d+ %$/.test(line)).length).toBeLessThanOrEqual(10);
    },
  );

  it("that exists, with a mask for all, told of once", async () => {
    const bytes = await readFile(place.at("masks/a_mask.nii"));
    // No sform and no qform.
    bytes.writeInt32LE(0, 252);
    await writeFile(place.at("mask.nii"), bytes);
    await mkdir(place.at("there"));
    const { grid } = await readVolume(place.at("mask.nii"), place);
    for (const name of ["x", "y"]) await place.write(`${name}.nii`, { ...one(0), grid });
    const ran = await n4("x.nii", "y.nii", "-o", "there", "--mask", "mask.nii", "--json");
    expect(ran.code).toBe(0);
    const { inputs } = parse(ran);
    expect(inputs[0].digest).toBe(inputs[1].digest);
    for (const { warnings } of inputs) {
      expect(warnings.map(({ code }: { code: string }) => code)).toEqual(["NoOrientation", "ItkDiffers"]);
    }
    // Two warnings, once each, although two images use the mask.
    expect(ran.stderr.match(/warning: mask.nii/g)).toHaveLength(2);
  });

  it("holds for a single input, too, and so does {name}", async () => {
    expect((await n4("a.nii.gz", "-o", "alone/", "--field", "{name}_f.nii")).last).toBe("wrote alone/a.nii.gz");
    expect((await n4("a.nii.gz", "-o", "{name}_n4.nii", "--mask", "otsu")).last).toBe("wrote a_n4.nii");
    expect((await n4("a.nii.gz", "b.nii", "-o", "{name}_n4.nii", "-q")).code).toBe(0);
    expect(await place.list()).toEqual(expect.arrayContaining(["a_f.nii", "a_n4.nii", "b_n4.nii"]));
  });

  it("gives what is called otherwise an ending", async () => {
    await writeFile(place.at("scan.dat"), await readFile(place.at("b.nii")));
    expect((await n4("scan.dat", "-o", "sub/")).last).toBe("wrote sub/scan.dat.nii.gz");
  });
});

describe("failures", () => {
  it("3 where some failed: the others are written, each failure says of what", async () => {
    await mkdir(place.at("some"));
    const ran = await n4("text.nii", "a.nii.gz", "no.nii", "b.nii", "-o", "some/", "--json");
    expect(ran.code).toBe(3);
    const { inputs } = parse(ran);
    expect(inputs.map(({ error }: { error?: { code: string } }) => error?.code)).toEqual([
      "UnknownFormat",
      undefined,
      "NotFound",
      undefined,
    ]);
    const lines = ran.stderr.trimEnd().split("\n");
    expect(lines.slice(-2)).toEqual([
      `error UnknownFormat: ${inputs[0].error.message}`,
      `error NotFound: ${inputs[2].error.message}`,
    ]);
    expect(lines).toContainEqual(expect.stringMatching(/^\d of 4: text\.nii failed$/));
    expect((await place.list()).filter((name) => name.startsWith("some/"))).toEqual(["some/a.nii.gz", "some/b.nii"]);
  });

  it("4 where all failed, and the folder is not even made", async () => {
    const before = await place.list();
    const ran = await n4("a.nii.gz", "b.nii", "-o", "none/", "--mask", "masks/{name}_mask.nii", "--mask-label", "9");
    expect([ran.code, ran.last]).toEqual([4, expect.stringMatching(/^error EmptyMask: b\.nii: n4: /)]);
    expect(await place.list()).toEqual(before);
  });

  it("of several kinds, the last line is the one that decides the exit code", async () => {
    const ran = await n4("a.nii.gz", "no.nii", "-o", "none/", "--shrink-offset", "50", "--json");
    expect(parse(ran).inputs.map(({ error }: { error: { code: string } }) => error.code)).toEqual([
      "BadOption",
      "NotFound",
    ]);
    expect([ran.code, ran.last]).toEqual([2, expect.stringMatching(/^error BadOption: a\.nii\.gz: n4: shrinkOffset/)]);
  });

  it("one cause is told once, though it hits all", async () => {
    const ran = await n4("a.nii.gz", "b.nii", "-o", "none/", "--mask", "no.nii", "--json");
    expect(ran.code).toBe(4);
    expect(ran.stderr.match(/error NotFound/g)).toHaveLength(1);
    expect(parse(ran).inputs.map(({ error }: { error: { code: string } }) => error.code)).toEqual(
      Array(2).fill("NotFound"),
    );
  });

  it.each([
    [["a.nii.gz", "other/a.nii.gz", "-o", "new/"], "UnsafeOutput", 2, /got an output of a\.nii\.gz$/],
    [["a.nii.gz", "b.nii", "-o", "."], "UnsafeOutput", 2, /got the input a\.nii\.gz$/],
    [["a.nii.gz", "b.nii", "-o", "sub/../"], "UnsafeOutput", 2, /got the input a\.nii\.gz$/],
    [["a.nii.gz", "b.nii", "-o", "new/", "--field", "new/{name}.nii"], "UnsafeOutput", 2, /got an output of b\.nii$/],
    [["a.nii.gz", "b.nii", "-o", "no/new/"], "WriteFailed", 74, /the folder does not exist$/],
    [["a.nii.gz", "b.nii", "-o", "new/", "--field", "no/{name}.nii"], "WriteFailed", 74, /the folder does not exist$/],
    [["a.nii.gz", "b.nii", "-o", "new"], "BadOption", 2, /a trailing \//],
  ] as [string[], string, number, RegExp][])("%j is %s before anything runs", async (words, code, exit, message) => {
    const before = await place.list();
    const ran = await n4(...words, "--json");
    expect([ran.code, ran.last]).toEqual([exit, expect.stringMatching(message)]);
    expect(ran.stderr.trimEnd()).toBe(ran.last);
    const entries: { error: { code: string } }[] = parse(ran).inputs;
    expect(entries.map(({ error }) => error.code)).toEqual([code, code]);
    expect(await place.list()).toEqual(before);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s stops all: %i, and nothing half-written", async (signal, exit) => {
    const before = await place.list();
    const endless = ["--shrink-factor", "1", "--iterations", "10000,10000", "--convergence-threshold", "0"];
    const words = ["n4", ...files, "-o", "stopped/", "--field", "{name}_stopped.nii", ...endless, "--json"];
    const ran = await voxnorm(words, { cwd: place.folder, signal });
    expect([ran.code, ran.last]).toEqual([exit, "error Cancelled: interrupted; 0 of 3 inputs were done"]);
    expect(ran.stderr.match(/^error/gm)).toHaveLength(1);
    const entries: { error: { code: string } }[] = parse(ran).inputs;
    expect(entries.map(({ error }) => error.code)).toEqual(Array(3).fill("Cancelled"));
    expect(await place.list()).toEqual(before);
  });
});

describe("the memory of a job", () => {
  it("is 8 bytes a voxel for each of its files, as the header declares", async () => {
    const voxels = 40 * 36 * 30;
    for (const input of [...files, "masks/a_mask.nii"]) {
      const job = { input: place.at(input), output: "o.nii", inputs: {}, outputs: {} };
      expect(await memoryOf(job)).toBe(2 * 8 * voxels);
      expect(await memoryOf({ ...job, inputs: { mask: "m.nii" }, outputs: { field: "f.nii" } })).toBe(4 * 8 * voxels);
    }
    await writeVolumes(place.at("five.nii.gz"), Array(5).fill(one(0)));
    expect(await declaredVoxels(place.at("five.nii.gz"))).toBe(5 * voxels);
    // Of a header alone, since no more is read than that.
    const header = (await readFile(place.at("b.nii"))).subarray(0, 352);
    header.writeInt16LE(30_000, 42);
    await writeFile(place.at("large.nii"), header);
    expect(await declaredVoxels(place.at("large.nii"))).toBe(30_000 * 36 * 30);
    for (const path of [place.at("text.nii"), place.at("no.nii"), place.folder, "-"]) {
      expect(await declaredVoxels(path)).toBeUndefined();
    }
  });

  it("bounds the jobs at once to what is free, or to --memory, and changes no byte", async () => {
    expect(room(undefined).budget).toBeLessThanOrEqual(totalmem() / 2);
    expect(room(250).budget).toBe(250e6);
    const words = [...files, "-o", "tight/", "--mask", "masks/{name}_mask.nii", "--jobs", "3", "--json"];
    // 40 × 36 × 30 voxels in three files take 1.04 MB: two fit in 3 MB at once, one in 1 MB.
    for (const megabytes of ["1", "3"]) {
      const ran = await n4(...words, "--memory", megabytes);
      expect(parse(ran).inputs.map(({ digest }: { digest: string }) => digest)).toEqual(
        names.map((name) => single[name]!.image),
      );
    }
    const wrong = await n4(...words, "--memory", "0");
    expect([wrong.code, wrong.last]).toEqual([2, expect.stringContaining("--memory")]);
  });
});

describe("atMost", () => {
  it.each([
    [1, 7, 1],
    [3, 7, 3],
    [9, 4, 4],
    [2, 0, 0],
  ])("%i at once of %i: %i are seen in work, each once and in order", async (atOnce, count, most) => {
    let [now, seen] = [0, 0];
    const begun: number[] = [];
    await atMost(atOnce, [...Array(count).keys()], async (item, index) => {
      expect(item).toBe(index);
      begun.push(index);
      seen = Math.max(seen, ++now);
      await new Promise((resolve) => setTimeout(resolve, 5 * ((index * 7) % 4)));
      now--;
    });
    expect(seen).toBe(most);
    expect(begun).toEqual([...Array(count).keys()]);
  });

  it.each([
    [100, [40, 40, 40, 40, 40], 80, 2],
    [100, [60, 50, 60, 50], 60, 1],
    [100, [10, 90, 10, 90, 10], 100, 2],
    [100, [10, 10, 10, 10, 10], 40, 4],
    [100, [300, 10, Number.POSITIVE_INFINITY, 10], Number.POSITIVE_INFINITY, 1],
  ])(
    "within %i, of costs %j: %d at once, %i jobs, in order, and one too large alone",
    async (budget, costs, most, atOnce) => {
      let [used, now, seen, together] = [new Set<number>(), 0, 0, 0];
      const begun: number[] = [];
      const work = async (_: number, index: number) => {
        begun.push(index);
        used.add(index);
        const sum = [...used].reduce((total, each) => total + costs[each]!, 0);
        if (used.size > 1) expect(sum).toBeLessThanOrEqual(budget);
        [seen, together] = [Math.max(seen, sum), Math.max(together, ++now)];
        await new Promise((resolve) => setTimeout(resolve, 5 + 5 * (index % 2)));
        used = new Set([...used].filter((each) => each !== index));
        now--;
      };
      await atMost(4, costs, work, { budget, cost: async (each) => each });
      expect([seen, together]).toEqual([most, atOnce]);
      expect(begun).toEqual([...costs.keys()]);
    },
  );
});
