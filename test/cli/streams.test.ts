/** `-` in place of a file: the same bytes through pipes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { beforeAll, expect, it } from "vitest";
import { bin, head, headMask, usePlace, voxnorm } from "./command.ts";

const place = usePlace();
const flags = ["--shrink-factor", "2", "--iterations", "4,3"];
const n4 = (words: string[], stdin?: Uint8Array) =>
  voxnorm(["n4", ...words, ...flags], { cwd: place.folder, ...(stdin ? { stdin } : {}) });
/** What a call on files writes. */
let [image, field] = [new Uint8Array(), new Uint8Array()] as Uint8Array[];

beforeAll(async () => {
  await place.write("head.nii.gz", head());
  await place.write("head.nii", head());
  await place.write("mask.nii.gz", headMask());
  await n4(["head.nii.gz", "-o", "image.nii", "--mask", "mask.nii.gz", "--field", "field.nii"]);
  [image, field] = await Promise.all([readFile(place.at("image.nii")), readFile(place.at("field.nii"))]);
});

it.each(["head.nii", "head.nii.gz"])("%s through stdin and stdout is what files give", async (name) => {
  const before = await place.list();
  const ran = await n4(["-", "-o", "-", "--mask", "mask.nii.gz"], await readFile(place.at(name)));
  expect([ran.code, ran.last]).toEqual([0, "wrote stdout"]);
  expect(ran.bytes.length).toBe(image!.length);
  expect(Buffer.compare(ran.bytes, image!)).toBe(0);
  expect(await place.list()).toEqual(before);
});

it("--gzip packs what goes to stdout", async () => {
  const ran = await n4(["head.nii", "-o", "-", "--mask", "mask.nii.gz", "--gzip", "-q"]);
  expect([ran.code, ran.stderr]).toEqual([0, ""]);
  expect(Buffer.compare(gunzipSync(ran.bytes), image!)).toBe(0);
});

it("the mask may come from stdin and the field go to stdout", async () => {
  const mask = await readFile(place.at("mask.nii.gz"));
  const ran = await n4(["head.nii", "-o", "other.nii", "--mask", "-", "--field", "-"], mask);
  expect([ran.code, ran.last]).toEqual([0, "wrote other.nii"]);
  expect(Buffer.compare(ran.bytes, field!)).toBe(0);
  expect(Buffer.compare(await readFile(place.at("other.nii")), image!)).toBe(0);
});

it("a mask from stdin is for all of several inputs, one of which may be stdin instead", async () => {
  const mask = await readFile(place.at("mask.nii.gz"));
  const all = await n4(["head.nii", "head.nii.gz", "-o", "{name}_all.nii", "--mask", "-"], mask);
  expect([all.code, all.stderr]).toEqual([2, expect.stringContaining("got an output of head.nii")]);
  const words = ["head.nii", "image.nii", "-o", "{name}_all.nii", "--mask", "-"];
  expect((await n4(words, mask)).code).toBe(0);
  expect(Buffer.compare(await readFile(place.at("head_all.nii")), image!)).toBe(0);
  const from = ["-", "image.nii", "-o", "made/", "--mask", "mask.nii.gz"];
  expect((await n4(from, await readFile(place.at("head.nii")))).code).toBe(0);
  expect(Buffer.compare(gunzipSync(await readFile(place.at("made/stdin.nii.gz"))), image!)).toBe(0);
});

it("--json and an image cannot share stdout", async () => {
  const ran = await n4(["head.nii", "-o", "-", "--json"]);
  expect([ran.code, ran.last]).toEqual([2, expect.stringMatching(/^error BadOption: --json: expected stdout/)]);
  expect(JSON.parse(ran.stdout).inputs[0].error.code).toBe("BadOption");
});

it("--report - is the report on stdout, and the image goes to its file", async () => {
  const flags = ["head.nii", "-o", "reported.nii", "--mask", "mask.nii.gz"];
  const ran = await n4([...flags, "--report", "-"]);
  expect([ran.code, ran.last]).toEqual([0, "wrote reported.nii"]);
  expect(Buffer.compare(await readFile(place.at("reported.nii")), image!)).toBe(0);
  await n4([...flags, "--report", "report.json"]);
  const file = JSON.parse(await readFile(place.at("report.json"), "utf8"));
  const report = JSON.parse(ran.stdout);
  expect(Object.keys(report)).toEqual(Object.keys(file));
  expect(report.output).toEqual(file.output);
  expect(report.steps[0].fitted).toEqual(file.steps[0].fitted);
  expect(await place.list()).not.toContain("-");
  const dry = await n4([...flags, "--report", "-", "--dry-run"]);
  expect([dry.code, dry.stdout]).toEqual([0, ""]);
  expect(dry.last).toContain("report stdout");
});

it.each([
  [["-o", "-"], "-: expected stdout for one output at most, got it for 2"],
  [["-o", "x.nii", "--field", "-"], "-: expected stdout for one output at most, got it for 2"],
  [["-o", "x.nii", "--json"], "--json: expected stdout for itself, got it for the report, too"],
  [["-o", "x.nii", "--gzip"], "--gzip: expected - as an output; the names of files decide for them"],
  [["image.nii", "-o", "both/"], "--report: expected a name with {name} in it, as there are several inputs, got -"],
])("the report cannot share stdout: %j", async (words, message) => {
  const before = await place.list();
  const ran = await n4(["head.nii", ...words, "--report", "-"]);
  expect([ran.code, ran.last]).toEqual([2, `error BadOption: ${message}`]);
  expect(await place.list()).toEqual(before);
});

it("what is wrong with stdin is told as of a file, and stdout stays empty", async () => {
  const cut = (await readFile(place.at("head.nii"))).subarray(0, 5000);
  for (const [stdin, code] of [
    [cut, "Truncated"],
    [new Uint8Array(), "Truncated"],
    [Buffer.from("no image"), "UnknownFormat"],
  ] as const) {
    const ran = await n4(["-", "-o", "-"], stdin);
    expect([ran.code, ran.last, ran.bytes.length]).toEqual([4, expect.stringMatching(`^error ${code}: stdin: `), 0]);
  }
});

it("a reader that has gone is a failure of writing, not of voxnorm", async () => {
  const child = spawn(process.execPath, [bin, "n4", "head.nii", "-o", "-", ...flags], { cwd: place.folder });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.on("data", (piece) => {
    stderr += piece;
  });
  const [code] = await once(child, "close");
  expect(code).toBe(74);
  expect(stderr.trimEnd().split("\n").at(-1)).toMatch(/^error WriteFailed: stdout: could not be written: .*EPIPE/);
});

it("is interrupted while it waits for stdin", async () => {
  const child = spawn(process.execPath, [bin, "n4", "-", "-o", "-", ...flags], { cwd: place.folder });
  let stderr = "";
  child.stderr.on("data", (piece) => {
    stderr += piece;
  });
  // Nothing tells that it waits, and a signal before it listens ends it all the same.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  child.kill("SIGINT");
  const [code] = await once(child, "close");
  expect(code).toBe(130);
  expect(stderr).toMatch(/^error Cancelled: /);
});
