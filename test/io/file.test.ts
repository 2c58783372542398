/** Files on a disk: read whole or refused, written whole or not at all. */
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { open, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createBackend, readVolume, writeVolume } from "../../dist/index.js";
import { readFileChecked, sameFile, writeFileAtomic } from "../../dist/io/index-node.js";
import { volume } from "../../dist/volume.js";
import { niftiBytes, packed } from "./nifti-bytes.ts";
import { oracleBackend } from "./oracle-backend.ts";

let folder = "";
const at = (name: string) => join(folder, name);
const backend = oracleBackend;
const image = volume(Float32Array.of(1, 2, 3), [3, 1, 1]);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "voxnorm-io-"));
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

describe("volumes", () => {
  it.each(["a.nii", "a.nii.gz", "A.NII.GZ"])("%s is written and read", async (name) => {
    await writeVolume(at(name), image);
    expect(readFileSync(at(name))[0]).toBe(name.toLowerCase().endsWith("gz") ? 0x1f : 92);
    const found = await readVolume(at(name), { backend });
    expect([...found.data]).toEqual([1, 2, 3]);
    expect(found.meta.source).toBe(at(name));
    expect(readdirSync(folder)).toEqual([name]);
  });

  it("are read by content, whatever the name", async () => {
    writeFileSync(at("plain.nii.gz"), niftiBytes());
    writeFileSync(at("packed.nii"), packed(niftiBytes()));
    for (const name of ["plain.nii.gz", "packed.nii"]) {
      expect((await readVolume(at(name), { backend })).data.length).toBe(12);
    }
  });

  it("name the file in what is wrong with it", async () => {
    writeFileSync(at("cut.nii"), niftiBytes().subarray(0, 360));
    await expect(readVolume(at("cut.nii"), { backend })).rejects.toMatchObject({
      code: "Truncated",
      message: `${at("cut.nii")}: expected 364 bytes, as the header declares, got 360: 4 are missing`,
      detail: { source: at("cut.nii"), declared: 364, found: 360, missing: 4 },
    });
  });
});

describe("reading", () => {
  it("refuses what is not there and what is no file", async () => {
    await expect(readFileChecked(at("none"))).rejects.toMatchObject({ code: "NotFound" });
    await expect(readFileChecked(folder)).rejects.toMatchObject({ code: "ReadFailed" });
    await expect(readFileChecked("/dev/null")).rejects.toMatchObject({ code: "ReadFailed" });
  });

  it.each([
    ["grows", (path: string) => writeFile(path, "more", { flag: "a" })],
    ["shrinks", (path: string) => truncate(path, 10)],
    ["is rewritten", (path: string) => writeFile(path, new Uint8Array(1000).fill(2))],
  ])("refuses a file that %s meanwhile", async (_, change) => {
    const path = at("changing");
    writeFileSync(path, new Uint8Array(1000));
    const probe = await open(path);
    const prototype = Object.getPrototypeOf(probe);
    await probe.close();
    const original = prototype.read;
    const spy = vi.spyOn(prototype, "read").mockImplementation(async function (this: unknown, ...options: unknown[]) {
      // Later than the time stamps' resolution.
      await new Promise((resolve) => setTimeout(resolve, 20));
      await change(path);
      return original.apply(this, options);
    });
    try {
      await expect(readFileChecked(path)).rejects.toMatchObject({
        code: "ReadFailed",
        message: expect.stringContaining("changed while it was read"),
      });
    } finally {
      spy.mockRestore();
    }
  });
});

describe("writing", () => {
  it("replaces a file", async () => {
    writeFileSync(at("a"), "old");
    await writeFileAtomic(at("a"), Uint8Array.of(1, 2));
    expect([...readFileSync(at("a"))]).toEqual([1, 2]);
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  it("refuses a link, an input, a folder and a missing folder, and leaves nothing", async () => {
    writeFileSync(at("a"), "old");
    symlinkSync(at("a"), at("symbolic"));
    linkSync(at("a"), at("hard"));
    mkdirSync(at("folder"));
    const before = readdirSync(folder);
    const bytes = Uint8Array.of(1, 2);
    const unsafe = { code: "UnsafeOutput" };
    await expect(writeFileAtomic(at("symbolic"), bytes)).rejects.toMatchObject(unsafe);
    await expect(writeFileAtomic(at("folder"), bytes)).rejects.toMatchObject(unsafe);
    await expect(writeFileAtomic(at("a"), bytes, { inputs: [at("none"), at("a")] })).rejects.toMatchObject(unsafe);
    await expect(writeVolume(at("hard"), image, { inputs: [at("a")] })).rejects.toMatchObject(unsafe);
    await expect(writeFileAtomic(at("none/a"), bytes)).rejects.toMatchObject({
      code: "WriteFailed",
      message: expect.stringContaining("the folder does not exist"),
    });
    expect(readdirSync(folder)).toEqual(before);
    expect(readFileSync(at("a"), "utf8")).toBe("old");
  });

  it.each(["writeFile", "datasync", "sync"])("leaves the old file and nothing else if `%s` fails", async (method) => {
    writeFileSync(at("a"), "old");
    const probe = await open(at("a"));
    const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    const spy = vi.spyOn(Object.getPrototypeOf(probe), method).mockRejectedValue(full);
    await probe.close();
    try {
      // Enough that the disk begins before the end.
      await expect(writeFileAtomic(at("a"), new Uint8Array(9 << 20))).rejects.toMatchObject({
        code: "WriteFailed",
        cause: full,
        detail: { path: at("a"), system: "ENOSPC" },
      });
    } finally {
      spy.mockRestore();
    }
    expect(readFileSync(at("a"), "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  // Voxels are packed while the first of them are written.
  it.each([
    ["native", "Cancelled"],
    ["wasm", "WriteFailed"],
  ] as const)("leaves the old file where %s is stopped by %s while it packs", async (name, code) => {
    const backend = await createBackend({ backend: name, threads: 1 });
    writeFileSync(at("a.nii.gz"), "old");
    const large = volume(Float32Array.from({ length: 3_000_000 }, Math.random), [3000, 1000, 1]);
    const probe = await open(at("a.nii.gz"));
    const prototype = Object.getPrototypeOf(probe);
    await probe.close();
    const stop = new AbortController();
    const original = prototype.writeFile;
    const spy = vi.spyOn(prototype, "writeFile").mockImplementation(async function (this: unknown, ...data: unknown[]) {
      stop.abort();
      if (code === "WriteFailed") throw new Error("ENOSPC");
      return original.apply(this, data);
    });
    try {
      await expect(writeVolume(at("a.nii.gz"), large, { backend, signal: stop.signal })).rejects.toMatchObject({
        code,
      });
    } finally {
      spy.mockRestore();
      await backend.close();
    }
    expect(readFileSync(at("a.nii.gz"), "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["a.nii.gz"]);
  });

  const root = process.getuid?.() === 0;
  it.skipIf(root)(
    `refuses a folder that is read-only${root ? ": skipped, root may write everywhere" : ""}`,
    async () => {
      chmodSync(folder, 0o500);
      await expect(writeFileAtomic(at("a"), Uint8Array.of(1))).rejects.toMatchObject({ code: "WriteFailed" });
    },
  );
});

it("tells one file under two names", async () => {
  writeFileSync(at("a"), "");
  writeFileSync(at("b"), "");
  symlinkSync(at("a"), at("link"));
  expect(await sameFile(at("a"), join(folder, ".", "a"))).toBe(true);
  expect(await sameFile(at("a"), at("link"))).toBe(true);
  expect(await sameFile(at("a"), at("b"))).toBe(false);
  expect(await sameFile(at("a"), at("none"))).toBe(false);
  expect(await sameFile(at("none"), at("none"))).toBe(false);
});
