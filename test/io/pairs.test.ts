/** Pairs of `.hdr` and `.img`: what is wrong with them, where their parts are looked for, and writing both or none. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { decode, decodeAll, readVolume, VoxnormError, volume, writeVolume } from "../../dist/index.js";
import { decodeAll as decodePortably } from "../../dist/io/index.js";
import { bothBackends, random, useBackend } from "../api/images.ts";
import { extension, niftiBytes, packed } from "./nifti-bytes.ts";

/** A rename that fails: the `until`th from now. */
const renames = vi.hoisted(() => ({ until: 0 }));
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const rename: typeof real.rename = async (from, to) => {
    if (renames.until > 0 && --renames.until === 0) throw Object.assign(new Error("EIO"), { code: "EIO" });
    return real.rename(from, to);
  };
  return { ...real, rename };
});

const bytes = (version: 1 | 2, parts: Parameters<typeof niftiBytes>[0] = {}) => {
  const file = niftiBytes({ version, magic: version === 1 ? "ni1\0" : "ni2\0\r\n\x1a\n", offset: 0, ...parts });
  return { hdr: file.slice(0, version === 1 ? 348 : 540), img: Uint8Array.from({ length: 12 }, (_, i) => i) };
};
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const wanted = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

describe.each(bothBackends)("on %s", (backend) => {
  const held = useBackend(backend);
  const codes = async (hdr: Uint8Array, img: Uint8Array) => {
    const found = await decode(hdr, { ...held, img });
    expect([...found.data]).toEqual(wanted);
    return found.meta.warnings.map(({ code }) => code);
  };
  const failure = (hdr: Uint8Array, img?: Uint8Array) => expect(decode(hdr, { ...held, img })).rejects;

  it.each([1, 2] as const)("NIfTI-%d: a bare header, and one with a flag and no extensions", async (version) => {
    const { hdr, img } = bytes(version);
    expect(await codes(hdr, img)).toEqual([]);
    expect(await codes(joined(hdr, new Uint8Array(4)), img)).toEqual([]);
    expect(await codes(joined(hdr, new Uint8Array(7)), img)).toEqual(["TrailingBytes"]);
    expect(await codes(packed(hdr), packed(img))).toEqual([]);
    expect(await codes(hdr, packed(img))).toEqual([]);
  });

  it("begin where vox_offset says, in the second part", async () => {
    const { img } = bytes(1);
    const { hdr } = bytes(1, { offset: 5 });
    expect(await codes(hdr, joined(new Uint8Array(5), img))).toEqual([]);
    expect(await codes(bytes(1, { offset: 5.5 }).hdr, joined(new Uint8Array(5), img))).toEqual(["VoxOffsetRepaired"]);
    await failure(hdr, img).toMatchObject({ code: "Truncated", message: expect.stringContaining("5 are missing") });
    for (const offset of [-1, Number.NaN, Infinity, 1e30]) {
      await failure(bytes(1, { offset }).hdr, img).toMatchObject({ code: "BadHeader" });
    }
  });

  it("are refused where a part is missing, short, long, or not what it should be", async () => {
    const { hdr, img } = bytes(1);
    await failure(hdr).toMatchObject({ code: "BadHeader", message: expect.stringContaining("read it with its .img") });
    await failure(hdr, img.subarray(1)).toMatchObject({ code: "Truncated", detail: { missing: 1 } });
    await failure(hdr, new Uint8Array()).toMatchObject({ code: "Truncated" });
    await failure(hdr.subarray(0, 347), img).toMatchObject({ code: "Truncated" });
    await failure(hdr, joined(img, new Uint8Array(65537))).toMatchObject({ code: "TrailingData" });
    expect(await codes(hdr, joined(img, new Uint8Array(65536)))).toEqual(["TrailingBytes"]);
    await failure(niftiBytes(), img).toMatchObject({
      code: "BadHeader",
      message: expect.stringContaining("read it without an .img"),
    });
    await failure(bytes(1, { magic: "\0\0\0\0" }).hdr, img).toMatchObject({
      code: "UnknownFormat",
      message: expect.stringContaining("Analyze 7.5"),
    });
    await failure(bytes(1, { magic: "ni9\0" }).hdr, img).toMatchObject({
      code: "BadHeader",
      message: expect.stringContaining('expected "ni1'),
    });
    const spoilt = packed(img);
    await failure(hdr, spoilt.with(spoilt.length - 8, spoilt.at(-8)! ^ 1)).toMatchObject({ code: "BadGzip" });
    await failure(joined(hdr, extension(48, 6, 24)), img).toMatchObject({ code: "BadHeader" });
    await failure(joined(hdr, new Uint8Array(2 ** 24)), img).toMatchObject({ code: "TrailingData" });
  });
});

describe("2000 mutations of headers", () => {
  const native = useBackend("native");
  const wasm = useBackend("wasm");

  it("are read or refused with a code, alike on both backends", async () => {
    const next = random(11);
    const below = (end: number) => Math.floor(next() * end);
    const ends = new Map<string, number>();
    for (let number = 0; number < 2000; number++) {
      const { hdr, img } = bytes(number % 2 === 0 ? 1 : 2);
      let mutated = joined(hdr, extension(32, 6, 24));
      // Half of them where sizes, types and offsets lie.
      for (let edit = 0; edit <= below(3); edit++)
        mutated[below(2) ? below(mutated.length) : 40 + below(140)] = below(256);
      if (below(4) === 0) mutated = mutated.slice(0, below(mutated.length + 1));
      const outcome = async (decode: typeof decodeAll, held: object) => {
        try {
          const found = await decode(mutated, { ...held, img });
          return JSON.stringify(found.map(({ data, grid, meta }) => [[...data].map(String), grid, meta.warnings]));
        } catch (error) {
          if (error instanceof VoxnormError && error.kind !== "internal") return error.code;
          throw new Error(`mutation ${number}: ${error}`, { cause: error });
        }
      };
      const [first, second] = await Promise.all([outcome(decodeAll, native), outcome(decodePortably, wasm)]);
      expect(second, `mutation ${number}`).toBe(first);
      const end = first.startsWith("[") ? "read" : first;
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    for (const end of ["read", "BadHeader", "Truncated", "TooLarge", "UnsupportedType"]) {
      expect(ends.get(end), end).toBeGreaterThan(5);
    }
  });
});

describe("as files", () => {
  let folder = "";
  const at = (name: string) => join(folder, name);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "voxnorm-pairs-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const image = volume(Float32Array.of(1, 2, 3), [3, 1, 1]);
  const { hdr, img } = bytes(1);

  it.each([
    ["a.hdr", "a.img"],
    ["a.hdr.gz", "a.img.gz"],
    ["a.hdr", "a.img.gz"],
    ["a.hdr.gz", "a.img"],
    ["A.HDR", "A.IMG"],
    ["a.nii.hdr", "a.nii.img"],
  ])("%s and %s are found by either name", async (first, second) => {
    writeFileSync(at(first), first.endsWith("z") ? packed(hdr) : hdr);
    writeFileSync(at(second), second.endsWith("z") ? packed(img) : img);
    for (const name of [first, second]) expect([...(await readVolume(at(name))).data]).toEqual(wanted);
  });

  it("say which part is missing", async () => {
    for (const [name, other] of [
      ["a.hdr", "a.img"],
      ["a.img.gz", "a.hdr.gz"],
    ] as const) {
      writeFileSync(at(name), hdr);
      const found = expect(readVolume(at(name))).rejects;
      await found.toMatchObject({ code: "NotFound", message: expect.stringContaining(`beside it, ${at(other)} or `) });
      rmSync(at(name));
    }
    await expect(readVolume(at("none.hdr"))).rejects.toMatchObject({ code: "NotFound" });
  });

  it.each([
    ["a.img", ["a.hdr", "a.img"]],
    ["a.hdr.gz", ["a.hdr.gz", "a.img.gz"]],
    ["A.IMG", ["A.HDR", "A.IMG"]],
  ])("%s is written as a pair, over an older one", async (name, names) => {
    for (let times = 0; times < 2; times++) {
      await writeVolume(at(name), image);
      expect(readdirSync(folder)).toEqual(names);
      const found = await readVolume(at(names[times]!));
      expect([...found.data]).toEqual([1, 2, 3]);
      expect(found.meta.header).toMatchObject({ voxOffset: 0, datatype: "float32" });
    }
  });

  it("are written both or not at all", async () => {
    await writeVolume(at("a.img"), image);
    const before = ["a.hdr", "a.img"].map((name) => readFileSync(at(name), "hex"));
    const other = volume(Float32Array.of(4, 5, 6, 7), [4, 1, 1]);
    const same = () => {
      expect(["a.hdr", "a.img"].map((name) => readFileSync(at(name), "hex"))).toEqual(before);
      expect(readdirSync(folder)).toEqual(["a.hdr", "a.img"]);
    };
    // The second of two files on a full disk; and a name that the second one cannot get.
    const probe = await import("node:fs/promises").then(({ open }) => open(at("a.hdr")));
    const prototype = Object.getPrototypeOf(probe);
    await probe.close();
    const full = Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    const sync = prototype.sync;
    let count = 0;
    const spy = vi.spyOn(prototype, "sync").mockImplementation(function (this: unknown) {
      return ++count === 2 ? Promise.reject(full) : sync.call(this);
    });
    try {
      await expect(writeVolume(at("a.img"), other)).rejects.toMatchObject({ code: "WriteFailed", cause: full });
    } finally {
      spy.mockRestore();
    }
    same();
    // Two make room, two take their place: whichever fails, all is as it was.
    for (let number = 1; number <= 4; number++) {
      renames.until = number;
      await expect(writeVolume(at("a.img"), other)).rejects.toMatchObject({ code: "WriteFailed" });
      same();
    }
    await expect(writeVolume(at("a.hdr"), other, { inputs: [at("a.img")] })).rejects.toMatchObject({
      code: "UnsafeOutput",
    });
    same();
    await writeVolume(at("a.img"), other);
    expect([...(await readVolume(at("a.hdr"))).data]).toEqual([4, 5, 6, 7]);
  });

  it("leave nothing where one of them may not be written", async () => {
    mkdirSync(at("a.hdr"));
    await expect(writeVolume(at("a.img"), image)).rejects.toMatchObject({ code: "UnsafeOutput" });
    symlinkSync("elsewhere", at("b.img"));
    await expect(writeVolume(at("b.hdr"), image)).rejects.toMatchObject({ code: "UnsafeOutput" });
    expect(readdirSync(folder)).toEqual(["a.hdr", "b.img"]);
  });
});
