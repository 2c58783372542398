/** How the command ends: the code, the last line, and what it leaves behind, which on a failure is nothing. */
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { type ErrorCode, errorCodes, readVolume } from "../../dist/index.js";
import { head, headMask, made, type Ran, usePlace, voxnorm } from "./command.ts";

const place = usePlace();
const small = ["--shrink-factor", "2", "--iterations", "4,3"];
/** Minutes of work, for what is to be interrupted. */
const endless = ["--shrink-factor", "1", "--iterations", "10000,10000", "--convergence-threshold", "0"];

beforeAll(async () => {
  await place.write("head.nii.gz", head());
  await place.write("mask.nii.gz", headMask());
});

/** A failure's code is that of its kind, its last line says which, and no file has come or gone. */
async function fails(words: readonly string[], code: ErrorCode, exit: number, how = {}): Promise<Ran> {
  const before = await place.list();
  const ran = await voxnorm(words, { cwd: place.folder, ...how });
  expect(ran.last).toMatch(new RegExp(`^error ${code}: `));
  expect(ran.code).toBe(exit);
  expect(ran.stdout).toBe("");
  expect(await place.list()).toEqual(before);
  return ran;
}

describe("0, all done", () => {
  it("with the outputs and nothing besides", async () => {
    const before = await place.list();
    const words = ["n4", "head.nii.gz", "-o", "out.nii.gz", "--field", "field.nii", "--report", "report.json"];
    const ran = await voxnorm([...words, ...small], { cwd: place.folder });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toBe("");
    expect(ran.last).toBe("wrote out.nii.gz");
    expect(await place.list()).toEqual([...before, "field.nii", "out.nii.gz", "report.json"].sort());
  });

  it("with an output that was there before and is replaced", async () => {
    const path = await place.write("old.nii", headMask());
    const ran = await voxnorm(["n4", "head.nii.gz", "-o", "old.nii", ...small], { cwd: place.folder });
    expect(ran.code).toBe(0);
    const { data } = await readVolume(path, place);
    expect(Math.max(...data)).toBeGreaterThan(50);
  });

  it("for help and version", async () => {
    for (const words of [["--help"], ["-h"], ["help"], ["n4", "--help"], ["help", "n4"], ["info", "-h"], ["-V"]]) {
      const ran = await voxnorm(words);
      expect([words, ran.code, ran.stderr]).toEqual([words, 0, ""]);
      expect(ran.stdout).not.toBe("");
    }
  });
});

it.each(["--help", "n4 --help", "info head.nii.gz"])("ends as usual where nobody reads on: %s", async (words) => {
  expect(await voxnorm(words.split(" "), { cwd: place.folder, isUnread: true })).toMatchObject({ code: 0, stderr: "" });
});

describe("2, a wrong call", () => {
  const call = (...words: string[]) => ["n4", "head.nii.gz", "-o", "new.nii.gz", ...words];
  it.each([
    [[], "BadOption", /expected a command/],
    [["n5", "head.nii.gz"], "UnknownStep", /n5/],
    [["n4"], "BadOption", /--output/],
    [["n4", "-o", "new.nii"], "MissingInput", /input/],
    [["info"], "MissingInput", /file/],
    [
      ["histogram-matching", "head.nii.gz", "-o", "new.nii"],
      "MissingInput",
      /histogram-matching: reference: expected a volume, got none; name its file with --reference$/,
    ],
    [["n4", "head.nii.gz"], "BadOption", /--output/],
    [
      ["n4", "head.nii.gz", "more.nii", "-o", "new.nii"],
      "BadOption",
      /--output: expected a folder.* or .*\{name\}.*got new.nii$/,
    ],
    [["--shrink-factor", "2"], "BadOption", /--shrink-factor/],
    [call("--shrink-facto", "2"), "BadOption", /--shrink-facto.*--shrink-factor/],
    [call("--shrink-factor"), "BadOption", /argument missing/],
    [call("--shrink-factor", "0"), "BadOption", /n4: shrinkFactor: expected integer from 1 to 64.*got 0$/],
    [call("--shrink-factor", "2,2"), "BadOption", /got \[2,2\]$/],
    [call("--iterations", ""), "BadOption", /n4: iterations: expected 1 to 8 .*got \[""\]$/],
    [call("--wiener-noise", "NaN"), "BadOption", /n4: wienerNoise: .*got "NaN"$/],
    [call("--shrink-offset", "50"), "BadOption", /n4: shrinkOffset: expected at most/],
    [call("--mask-label", "one"), "BadOption", /n4: maskLabel: /],
    [call("--profile", "itk"), "BadOption", /simpleitk/],
    [call("--backend", "gpu"), "BadOption", /auto, native, wasm/],
    [call("--threads", "0"), "BadOption", /at least 1/],
    [call("--threads", "two"), "BadOption", /at least 1/],
    [call("--threads", "5000"), "BadOption", /threads: expected a whole number from 1 to 1024/],
    [call("--simd", "mmx"), "UnsupportedSimd", /expected one of .*got "mmx"/],
    [["n4", "head.nii.gz", "-o", "new.jpg"], "BadOption", /\.nii or \.nii\.gz/],
    [call("--field", "field.mha"), "BadOption", /--field: expected .*\.nii or \.nii\.gz.*got field.mha$/],
    [call("--jobs", "0"), "BadOption", /at least 1/],
    [call("--gzip"), "BadOption", /--gzip: expected - as an output/],
    [["n4", "head.nii.gz", "-o", "-", "--field", "-"], "BadOption", /stdout for one output at most, got it for 2$/],
    [["n4", "-", "-o", "new.nii", "--mask", "-"], "BadOption", /stdin for one input at most, got it for 2$/],
    [["n4", "-", "-", "-o", "sub/"], "BadOption", /stdin for one input at most, got it for 2$/],
    [["n4", "head.nii.gz", "mask.nii.gz", "-o", "-"], "BadOption", /--output: expected a folder/],
    [["n4", "head.nii.gz", "mask.nii.gz", "-o", "new/", "--field", "f.nii"], "BadOption", /--field: .*\{name\}/],
    [["n4", "head.nii.gz", "mask.nii.gz", "-o", "new/", "--report", "r.json"], "BadOption", /--report: .*\{name\}/],
    [["info", "-", "-"], "BadOption", /stdin for one input at most, got it for 2$/],
    [["info", "head.nii.gz", "--unknown"], "BadOption", /--unknown/],
  ] as [string[], ErrorCode, RegExp][])("%j", async (words, code, message) => {
    const ran = await fails(words, code, 2);
    expect(ran.last).toMatch(message);
  });

  it("where the environment names no backend", async () => {
    const ran = await fails(call(), "BadOption", 2, { env: { VOXNORM_BACKEND: "gpu" } });
    expect(ran.last).toContain("VOXNORM_BACKEND");
  });

  describe("whose outputs would overwrite something", () => {
    beforeAll(async () => {
      await mkdir(place.at("sub"));
      await symlink(place.at("sub"), place.at("other-name"));
      await symlink(place.at("head.nii.gz"), place.at("linked.nii.gz"));
      await symlink(place.at("nowhere.nii"), place.at("dangling.nii"));
    });

    it.each([
      [["-o", "head.nii.gz"], "the image"],
      [["-o", "./sub/../head.nii.gz"], "the image by another name"],
      [["-o", "mask.nii.gz"], "the mask"],
      [["-o", "linked.nii.gz"], "the image through a link"],
      [["-o", "dangling.nii"], "a link that leads nowhere"],
      [["-o", "new.nii", "--field", "new.nii"], "another output"],
      [["-o", "sub/new.nii", "--field", "other-name/new.nii"], "another output by another name"],
      [["-o", "new.nii", "--report", "head.nii.gz"], "the image by the report"],
      [["-o", "new.nii", "--report", "new.nii"], "another output by the report"],
      [["-o", "new.nii", "--field", "linked.nii.gz"], "the image by the field through a link"],
      [["-o", "."], "the image in its own folder"],
    ])("%j: %s", async (outputs) => {
      await fails(["n4", "head.nii.gz", "--mask", "mask.nii.gz", ...outputs, ...small], "UnsafeOutput", 2);
    });
  });
});

describe("4, no input usable", () => {
  beforeAll(async () => {
    await writeFile(place.at("text.nii"), "this is no image, and yet it is long enough to be looked at\n".repeat(20));
    await writeFile(place.at("empty.nii"), "");
    await place.write(
      "zero.nii",
      made(() => 0),
    );
    await place.write(
      "flat.nii",
      made(() => 7),
    );
    await place.write(
      "odd.nii",
      made((x, y) => (x === y ? Number.NaN : x)),
    );
    const moved = headMask();
    moved.grid.affine[2][3] += 5;
    await place.write("moved.nii", moved);
    const { data } = head();
    await writeFile(place.at("short.nii"), Buffer.from(data.buffer).subarray(0, 100));
  });

  it.each([
    [["nowhere.nii"], "NotFound"],
    [["head.nii.gz/inside.nii"], "NotFound"],
    [["head.nii.gz", "--mask", "nowhere.nii"], "NotFound"],
    [["."], "ReadFailed"],
    [["text.nii"], "UnknownFormat"],
    [["empty.nii"], "Truncated"],
    [["head.nii.gz", "--mask", "zero.nii"], "EmptyMask"],
    [["head.nii.gz", "--mask", "mask.nii.gz", "--mask-label", "3"], "EmptyMask"],
    [["head.nii.gz", "--mask", "moved.nii"], "GridMismatch"],
    [["flat.nii"], "ConstantImage"],
    [["odd.nii", "--shrink-factor", "1"], "NotFinite"],
  ] as [string[], ErrorCode][])("%j is %s", async (words, code) => {
    expect(errorCodes[code].kind).toBe("input");
    const ran = await fails(["n4", ...words, "-o", "new.nii"], code, 4);
    expect(ran.last).toMatch(/: .*(expected|there is no such file|may not be read|is empty)/);
  });

  it.each([
    [["nowhere.nii"], "NotFound"],
    [["text.nii"], "UnknownFormat"],
  ] as [string[], ErrorCode][])("info %j is %s", async (words, code) => {
    await fails(["info", ...words], code, 4);
  });
});

it("5, a limit: more voxels than can be counted", async () => {
  const header = new DataView(new ArrayBuffer(352));
  header.setInt32(0, 348, true);
  [7, 32767, 32767, 32767, 32767, 1, 1, 1].forEach((n, i) => {
    header.setInt16(40 + 2 * i, n, true);
  });
  header.setInt16(70, 16, true);
  header.setInt16(72, 32, true);
  header.setFloat32(108, 352, true);
  new Uint8Array(header.buffer).set(new TextEncoder().encode("n+1"), 344);
  await writeFile(place.at("huge.nii"), new Uint8Array(header.buffer));
  await fails(["n4", "huge.nii", "-o", "new.nii"], "TooLarge", 5);
  await fails(["info", "huge.nii"], "TooLarge", 5);
});

describe("74, the disk", () => {
  it.each([
    [["-o", "missing/new.nii"], /the folder does not exist$/],
    [["-o", "new.nii", "--field", "missing/field.nii"], /missing\/field.nii: .*the folder does not exist$/],
    [["-o", "new.nii", "--report", "missing/report.json"], /missing\/report.json: .*the folder does not exist$/],
    // A file in the folder's place: this holds for root, too, who may write everywhere.
    [["-o", "head.nii.gz/new.nii"], /ENOTDIR/],
    [["-o", "new.nii", "--field", "mask.nii.gz/field.nii"], /ENOTDIR/],
  ] as [string[], RegExp][])("%j, before anything is computed", async (outputs, message) => {
    const ran = await fails(["n4", "head.nii.gz", ...outputs, ...endless], "WriteFailed", 74);
    expect(ran.last).toMatch(message);
    expect(ran.stderr.trimEnd().split("\n").length).toBe(1);
  });
});

describe("interrupted", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s: %i, and nothing was written", async (signal, exit) => {
    await fails(["n4", "head.nii.gz", "-o", "new.nii", "--field", "field.nii", ...endless], "Cancelled", exit, {
      signal,
    });
    const wasm = ["n4", "head.nii.gz", "-o", "new.nii", "--backend", "wasm", ...endless];
    await fails(wasm, "Cancelled", exit, { signal });
  });
});

describe("1, a defect", () => {
  it("no backend: what was tried and what can be done", async () => {
    const copy = await mkdtemp(join(tmpdir(), "voxnorm-bare-"));
    try {
      const root = fileURLToPath(new URL("../../", import.meta.url));
      const isBuilt = (path: string) => /dist[/\\](native|wasm)$/.test(path);
      await cp(`${root}dist`, join(copy, "dist"), { recursive: true, filter: (path) => !isBuilt(path) });
      await cp(`${root}package.json`, join(copy, "package.json"));
      await symlink(`${root}node_modules`, join(copy, "node_modules"));
      const program = join(copy, "dist/cli/bin.cjs");
      const ran = await voxnorm(["n4", place.at("head.nii.gz"), "-o", place.at("new.nii")], { program });
      expect(ran.code).toBe(1);
      expect(ran.stderr).toMatch(/^error BackendUnavailable: no backend could be loaded\n {2}native: .*\n {4}→ run/);
      expect(ran.stderr).toContain("  wasm: ");
      const json = await voxnorm(["n4", place.at("head.nii.gz"), "-o", place.at("new.nii"), "--json"], { program });
      expect(json.code).toBe(1);
      expect(JSON.parse(json.stdout).inputs[0].error.detail.attempts).toHaveLength(2);
    } finally {
      await rm(copy, { recursive: true });
    }
  });
});
