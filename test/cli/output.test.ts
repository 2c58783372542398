/** What the command writes and prints: files that read back as what was computed, and nothing that was not asked for. */
import { readFile, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { createBackend, digest, n4, pipeline, readVolume, type Volume, version } from "../../dist/index.js";
import { head, headMask, made, type Ran, usePlace, voxnorm } from "./command.ts";

const place = usePlace();
const options = { shrinkFactor: 2, iterations: [4, 3], maskLabel: 2 };
const flags = ["--shrink-factor", "2", "--iterations", "4,3", "--mask-label", "2"];

/** As read from the files, which is what the command has. */
let inputs: { image: Volume; mask: Volume };
/** What the API makes of them. */
let computed: { image: Volume; field: Volume; digest: string };

beforeAll(async () => {
  await place.write("head.nii.gz", head());
  await place.write("mask.nii.gz", headMask());
  const read = (name: string) => readVolume(place.at(name), place);
  inputs = { image: await read("head.nii.gz"), mask: await read("mask.nii.gz") };
  const { outputs } = await n4(options).run(inputs, ["image", "field"], place);
  const image = outputs.image!;
  computed = { image, field: outputs.field!, digest: await digest(image, place.backend) };
});

const run = (...words: string[]): Promise<Ran> =>
  voxnorm(["n4", "head.nii.gz", "--mask", "mask.nii.gz", ...flags, ...words], { cwd: place.folder });

async function digestOf(name: string): Promise<string> {
  return digest(await readVolume(place.at(name), place), place.backend);
}

/** The one object on stdout: a line, and nothing before or after it. */
function parse({ stdout }: Ran) {
  expect(stdout).toMatch(/^\{.*\}\n$/);
  return JSON.parse(stdout);
}

describe("files", () => {
  it.each(["out.nii", "out.nii.gz"])("%s reads back as the API's image, on the same grid", async (name) => {
    expect((await run("-o", name)).code).toBe(0);
    expect(await digestOf(name)).toBe(computed.digest);
    const { grid } = await readVolume(place.at(name), place);
    expect(grid).toEqual(inputs.image.grid);
    const bytes = await readFile(place.at(name));
    expect(bytes.readUInt16BE(0) === 0x1f8b).toBe(name.endsWith(".gz"));
  });

  it("--field is the API's field, and image times field the input", async () => {
    expect((await run("-o", "a.nii", "--field", "f.nii.gz")).code).toBe(0);
    expect(await digestOf("f.nii.gz")).toBe(await digest(computed.field, place.backend));
    const [image, field] = await Promise.all(["a.nii", "f.nii.gz"].map((name) => readVolume(place.at(name), place)));
    expect(image!.data.every((v, i) => v === Math.fround(inputs.image.data[i]! / field!.data[i]!))).toBe(true);
  });

  it("--report is the pipeline's report with digests, and timings", async () => {
    expect((await run("-o", "b.nii", "--report", "report.json")).code).toBe(0);
    const text = await readFile(place.at("report.json"), "utf8");
    const report = JSON.parse(text);
    expect(text).toBe(`${JSON.stringify(report, null, 2)}\n`);
    const context = { ...place, inputs: { mask: inputs.mask }, digests: true };
    const { report: expected } = await pipeline([n4(options)]).run(inputs.image, context);
    const timeless = (made: typeof expected) => ({ ...made, steps: made.steps.map((s) => ({ ...s, computeMs: 0 })) });
    const { timings, stored, ...told } = report;
    const source = "head.nii.gz";
    expect(timeless(told)).toEqual({ ...timeless(expected), input: { ...expected.input, source } });
    expect(Object.keys(timings)).toEqual(["decodeMs", "computeMs", "encodeMs"]);
    expect(timings.computeMs).toBe(report.steps[0].computeMs);
    expect(stored).toMatchObject({ datatype: "float32", changed: 0, voxels: inputs.image.data.length });
    expect(report.voxnorm).toBe(version);
  });

  it("a mask by rule and a weight are used as the API uses them", async () => {
    await place.write(
      "weight.nii",
      made((x) => 1 + (x % 3)),
    );
    const weight = await readVolume(place.at("weight.nii"), place);
    const words = ["n4", "head.nii.gz", "-o", "w.nii", "--mask", "otsu", "--weight", "weight.nii", ...flags, "-q"];
    expect((await voxnorm(words, { cwd: place.folder })).code).toBe(0);
    const { outputs } = await n4(options).run({ image: inputs.image, mask: "otsu", weight }, ["image"], place);
    expect(await digestOf("w.nii")).toBe(await digest(outputs.image!, place.backend));
  });

  it("every flag reaches its option", async () => {
    const all: Record<string, [string, unknown]> = {
      maskLabel: ["nonzero", "nonzero"],
      shrinkOffset: ["1,0,0", [1, 0, 0]],
      workingResolution: ["2.5", 2.5],
      iterations: ["2", [2]],
      convergenceThreshold: ["1e-4", 1e-4],
      splineDistance: ["40", 40],
      histogramBins: ["128", 128],
      fullWidthAtHalfMaximum: ["0.2", 0.2],
      wienerNoise: ["0.02", 0.02],
      fieldMapping: ["exact", "exact"],
      outside: ["keep", "keep"],
      preserveRange: ["true", true],
    };
    // In whose place others stand; they are tested elsewhere.
    const { shrinkFactor: _, controlPoints: __, ...others } = n4.options.shape;
    expect(Object.keys(all)).toEqual(Object.keys(others));
    const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const words = Object.entries(all).flatMap(([name, [text]]) => [`--${kebab(name)}`, text]);
    const call = ["n4", "head.nii.gz", "-o", "all.nii", "--report", "all.json", "--profile", "simpleitk", ...words];
    expect((await voxnorm(call, { cwd: place.folder })).last).toBe("wrote all.nii");
    const { steps } = JSON.parse(await readFile(place.at("all.json"), "utf8"));
    const values = Object.entries(all).map(([name, [, value]]) => [name, value]);
    expect(steps[0].options).toEqual(Object.fromEntries(values));
  });
});

describe("--json", () => {
  it("is one object: how it ran, and the input's output, digest, timings and warnings", async () => {
    const ran = await run("-o", "c.nii", "--json");
    const { backend, inputs: entries, ...more } = parse(ran);
    expect(ran.code).toBe(0);
    expect(more).toEqual({});
    const { name, simd } = place.backend;
    expect(backend).toEqual({ name, simd, threads: expect.any(Number) });
    const [{ timings, stored, ...entry }] = entries;
    expect(entries).toHaveLength(1);
    expect(stored).toMatchObject({ datatype: "float32", slope: 1, intercept: 0, changed: 0 });
    expect(entry).toEqual({ input: "head.nii.gz", output: "c.nii", digest: computed.digest, warnings: [] });
    expect(Object.keys(timings)).toEqual(["decodeMs", "computeMs", "encodeMs"]);
    for (const ms of Object.values(timings)) expect(ms).toBeGreaterThan(0);
  });

  it.each([
    [["--backend", "native", "--threads", "1"], { name: "native", threads: 1 }],
    [["--backend", "native", "--threads", "2"], { name: "native", threads: 2 }],
    [["--threads", "8"], { name: "native", threads: 8 }],
    [["--backend", "wasm", "--threads", "1"], { name: "wasm", threads: 1 }],
    [["--backend", "native", "--simd", "scalar"], { name: "native", simd: "scalar" }],
  ])("gives the API's digest with %j", async (words, expected) => {
    const native = await createBackend({ backend: "native" });
    const known = native.catalog.simd[0]!;
    await native.close();
    const given = words.map((word) => (word === "scalar" ? known : word));
    const simd = "simd" in expected ? { simd: known } : {};
    const { backend, inputs: entries } = parse(await run("-o", "d.nii", "--json", ...given));
    expect(backend).toMatchObject({ ...expected, ...simd });
    expect(entries[0].digest).toBe(computed.digest);
    expect(await digestOf("d.nii")).toBe(computed.digest);
  });

  it("says what was repaired or looked odd, and stderr does, too", async () => {
    const bytes = await readFile(await place.write("nowhere.nii", head()));
    bytes.writeInt16LE(0, 252);
    bytes.writeInt16LE(0, 254);
    await writeFile(place.at("nowhere.nii"), bytes);
    const ran = await voxnorm(["n4", "nowhere.nii", "-o", "e.nii", ...flags, "--json"], { cwd: place.folder });
    const [{ warnings }] = parse(ran).inputs;
    expect(warnings.map(({ code }: { code: string }) => code)).toEqual(["NoOrientation", "ItkDiffers"]);
    // First of all, so that the last line is how it ended.
    expect(ran.stderr.split("\n")[0]).toBe(`warning: nowhere.nii: ${warnings[0].message}`);
    expect(ran.last).toBe("wrote e.nii");
  });

  it.each([
    [["n4", "no.nii", "-o", "x.nii"], "NotFound", { input: "no.nii", output: "x.nii" }],
    [["n4", "head.nii.gz", "-o", "head.nii.gz"], "UnsafeOutput", { input: "head.nii.gz", output: "head.nii.gz" }],
    [["n4", "head.nii.gz", "-o", "x.nii", "--histogram-bins", "3"], "BadOption", { input: "head.nii.gz" }],
    [["n4", "head.nii.gz", "-o", "x.nii", "--mask", "mask.nii.gz", "--mask-label", "9"], "EmptyMask", {}],
    [["n4", "head.nii.gz", "-o", "missing/x.nii"], "WriteFailed", { output: "missing/x.nii" }],
  ])("%j is one object with the error %s", async (words, code, entry) => {
    const ran = await voxnorm([...words, "--json"], { cwd: place.folder });
    const { backend, inputs: entries, ...more } = parse(ran);
    expect(more).toEqual({});
    expect(entries).toEqual([
      { input: expect.any(String), output: expect.any(String), warnings: [], ...entry, error: expect.any(Object) },
    ]);
    const { error } = entries[0];
    expect(Object.keys(error)).toEqual(["code", "message", "detail"]);
    expect(error.code).toBe(code);
    expect(ran.last).toBe(`error ${code}: ${error.message}`);
    expect(backend === null || backend.name === "native").toBe(true);
  });

  it.each([
    [["n4", "-o", "x.nii", "--json"], "MissingInput"],
    [["n4", "head.nii.gz", "-o", "x.nii", "--nonsense", "--json"], "BadOption"],
    [["n5", "--json"], "UnknownStep"],
  ])("%j is one object with the error %s and no inputs", async (words, code) => {
    const ran = await voxnorm(words);
    const { error, ...more } = parse(ran);
    expect(more).toEqual({ backend: null, inputs: [] });
    expect(error.code).toBe(code);
    expect(ran.last).toBe(`error ${code}: ${error.message}`);
    expect(ran.code).toBe(2);
  });
});

describe("the terminal", () => {
  const escapeCode = String.fromCharCode(27);

  it("gets no escape codes where it is none, with NO_COLOR or FORCE_COLOR", async () => {
    for (const env of [{}, { NO_COLOR: "1" }, { FORCE_COLOR: "1", TERM: "xterm-256color" }]) {
      for (const words of [
        ["n4", "head.nii.gz", "-o", "g.nii", ...flags, "--mask", "mask.nii.gz"],
        ["n4", "no.nii", "-o", "g.nii"],
        ["n4", "--help"],
        ["info", "head.nii.gz"],
      ]) {
        const { stdout, stderr } = await voxnorm(words, { cwd: place.folder, env });
        expect(stdout + stderr).not.toContain(escapeCode);
      }
    }
  });

  it("gets ten lines of progress at most, then the measures, how it ran, the digest and the output", async () => {
    const { stderr, stdout } = await run("-o", "h.nii");
    expect(stdout).toBe("");
    const lines = stderr.trimEnd().split("\n");
    const progress = lines.filter((line) => /^n4: \d+ %/.test(line));
    expect(progress.length).toBeGreaterThan(0);
    expect(progress.length).toBeLessThanOrEqual(10);
    const percent = progress.map((line) => Number(/\d+/.exec(line.slice(3))![0]));
    expect(percent).toEqual(percent.toSorted((a, b) => a - b));
    const count = inputs.mask.data.filter((label) => label === 2).length;
    expect(lines.slice(progress.length)).toEqual([
      `  voxels: ${count}`,
      expect.stringMatching(/^ {2}coefficientOfVariation: before 0\.\d+, after 0\.\d+$/),
      expect.stringMatching(/^ {2}entropy: before -?[\d.]+, after -?[\d.]+$/),
      expect.stringMatching(/^ {2}fieldRange: [\d.]+ to [\d.]+$/),
      "  worse: none",
      expect.stringMatching(
        /^ {2}native \(\w+, \d+ threads?\): decode [\d.]+ ms, compute [\d.]+ ms, encode [\d.]+ ms$/,
      ),
      `  digest: ${computed.digest}`,
      "wrote h.nii",
    ]);
  });

  it("gets nothing with --quiet", async () => {
    for (const quiet of ["-q", "--quiet"]) {
      expect(await run("-o", "i.nii", quiet)).toMatchObject({ code: 0, stdout: "", stderr: "" });
    }
    // Warnings and errors are no progress.
    const warned = await voxnorm(["n4", "nowhere.nii", "-o", "i.nii", ...flags, "-q"], { cwd: place.folder });
    const lines = warned.stderr.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThanOrEqual(2);
    expect(lines.filter((line) => !line.startsWith("warning: nowhere.nii: "))).toEqual([]);
    const failed = await run("-o", "missing/i.nii", "-q");
    expect(failed.stderr).toMatch(/^error WriteFailed: .*\n$/);
  });

  it("gets the whole of it for an image that has no coefficient of variation", async () => {
    await place.write(
      "balanced.nii",
      made((x) => (x % 2 === 0 ? 1 : -1)),
    );
    const words = ["n4", "balanced.nii", "-o", "j.nii", "--shrink-factor", "1", "--iterations", "0"];
    const { code, stderr, last } = await voxnorm(words, { cwd: place.folder });
    expect(stderr).toContain("coefficientOfVariation: before undefined, after undefined");
    expect([code, last]).toEqual([0, "wrote j.nii"]);
  });
});
