/** What a reader takes on the word of a header or a stream: no more than the limits, on either backend, by API and command. */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decode, decodeAll, readVolume } from "../../dist/index.js";
import { decode as decodePortably } from "../../dist/io/index.js";
import { limitOptions } from "../../dist/io/options.js";
import { bothBackends, random, useBackend } from "../api/images.ts";
import { usePlace, voxnorm } from "../cli/command.ts";
import { niftiBytes, packed } from "./nifti-bytes.ts";

const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const place = usePlace();

describe.each(bothBackends)("on %s", (name) => {
  const held = useBackend(name);
  const failure = (bytes: Uint8Array, limits = {}) =>
    decode(bytes, { ...held, limits }).then(
      () => "read",
      ({ code, message }) => `${code}: ${message}`,
    );

  it("a header that claims 30000³ float64 costs nothing, even where the limit allows it", async () => {
    const claim = niftiBytes({ datatype: 64, dim: [3, 30000, 30000, 30000, 1, 1, 1, 1], voxels: new Uint8Array(12) });
    const zeros = packed(new Uint8Array(1e6));
    for (const file of [claim, packed(claim), joined(packed(claim), zeros, zeros)]) {
      const before = process.memoryUsage();
      expect(await failure(file)).toMatch(/^TooLarge: .*at most 2147483647 voxels.*limits\.voxels/);
      expect(await failure(file, { voxels: 2 ** 50 })).toMatch(/^Truncated: .*216000000000352/);
      expect(process.memoryUsage().rss - before.rss).toBeLessThan(64e6);
    }
  });

  it("a stream that could hold what its header claims, and does not, costs what it holds", async () => {
    const next = random(3);
    // 1 GB declared, 4 MB packed: within deflate's best ratio, so only unpacking tells.
    const claim = niftiBytes({ dim: [3, 1000, 1000, 1000, 1, 1, 1, 1], voxels: new Uint8Array(1) });
    const noise = new Uint8Array(4e6).map(() => 256 * next());
    const before = process.memoryUsage().rss;
    expect(await failure(joined(packed(claim), packed(noise)))).toMatch(/^Truncated: .*got 4000353/);
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });

  it("bytes behind the voxels, as many as the limit says", async () => {
    const sound = niftiBytes();
    const longer = joined(sound, new Uint8Array(100_000));
    for (const decode of [decodeAll, decodePortably]) {
      for (const file of [longer, packed(longer)]) {
        for (const [trailing, code] of [
          [99_999, "TrailingData"],
          [100_000, "none"],
          [1e9, "none"],
        ] as const) {
          const ended = await decode(file, { ...held, limits: { trailing } }).then(
            () => "none",
            ({ code }) => code,
          );
          expect(ended).toBe(code);
        }
      }
      await expect(decode(joined(sound, Uint8Array.of(1)), { ...held, limits: { trailing: 0 } })).rejects.toMatchObject(
        {
          code: "TrailingData",
        },
      );
    }
  });

  it("bytes of a file, compressed or not, and of both parts of a pair", async () => {
    const sound = niftiBytes();
    expect(await failure(sound, { bytes: sound.length })).toBe("read");
    expect(await failure(sound, { bytes: sound.length - 1 })).toMatch(/^TooLarge: .*at most 363 bytes.*limits\.bytes/);
    const hdr = niftiBytes({ magic: "ni1\0", offset: 0 }).subarray(0, 348);
    const img = new Uint8Array(400);
    await expect(decode(hdr, { ...held, img, limits: { bytes: 399 } })).rejects.toMatchObject({ code: "TooLarge" });
    writeFileSync(place.at("a.nii"), sound);
    await expect(readVolume(place.at("a.nii"), { ...held, limits: { bytes: 10 } })).rejects.toMatchObject({
      code: "TooLarge",
      message: expect.stringContaining(`${place.at("a.nii")}: expected at most 10 bytes`),
      detail: { bytes: 364, limit: 10 },
    });
  });

  it.each([
    [{ voxels: -1 }, "limits: voxels: expected integer of at least 0, got -1"],
    [{ voxels: 1.5 }, "limits: voxels: expected integer of at least 0, got 1.5"],
    [{ megabytes: 1 }, "limits: megabytes: no such option; expected one of voxels, volumes, bytes, trailing"],
  ])("%j is no limit", async (limits, message) => {
    expect(await failure(niftiBytes(), limits)).toBe(`BadOption: ${message}`);
  });
});

describe("on the command line", () => {
  const run = (words: string[], stdin?: Uint8Array) =>
    voxnorm(words, { cwd: place.folder, ...(stdin === undefined ? {} : { stdin }) });

  it("every limit has a flag, for files and for stdin", async () => {
    const sound = niftiBytes({ dim: [4, 3, 2, 2, 1, 1, 1, 1] });
    const longer = joined(sound, new Uint8Array(10));
    writeFileSync(place.at("b.nii"), longer);
    const lowest = { voxels: 12, volumes: 1, bytes: longer.length, trailing: 10 };
    expect(Object.keys(lowest)).toEqual(Object.keys(limitOptions.shape));
    for (const [name, limit] of Object.entries(lowest)) {
      for (const input of ["b.nii", "-"]) {
        const words = ["info", input, `--limit-${name}`];
        expect((await run([...words, `${limit}`], longer)).code, `${name} of ${input}`).toBe(0);
        const { code, last } = await run([...words, `${limit - 1}`], longer);
        expect(last, `${name} of ${input}`).toMatch(/^error (TooLarge|TrailingData): /);
        expect(code).toBe(name === "trailing" ? 4 : 5);
      }
    }
    expect((await run(["info", "b.nii", "--limit-voxels", "many"])).last).toMatch(/^error BadOption: .*voxels/);
  }, 60_000);

  it("stdin is left once it is beyond its limit", async () => {
    const { code, last } = await run(["info", "-", "--limit-bytes", "100000"], new Uint8Array(3e6));
    expect(code).toBe(5);
    expect(last).toMatch(/^error TooLarge: stdin: expected at most 100000 bytes/);
  });

  it("--datatype and --level say how the image is stored, and the report what that changed", async () => {
    const voxels = Uint8Array.from({ length: 12 * 10 * 8 }, (_, i) => 40 + ((i * 31) % 60));
    writeFileSync(place.at("c.nii"), niftiBytes({ dim: [3, 12, 10, 8, 1, 1, 1, 1], voxels }));
    const fast = ["--shrink-factor", "1", "--iterations", "2", "--field", "f.nii"];
    const types = { uint16: "uint16", input: "uint8", float64: "float64" };
    for (const [datatype, stored] of Object.entries(types)) {
      const words = ["n4", "c.nii", "-o", "d.nii", "--datatype", datatype, "--report", "r.json", ...fast];
      const ran = await run(words);
      expect(ran.code).toBe(0);
      const { meta } = await readVolume(place.at("d.nii"), place);
      expect(meta.header).toMatchObject({ datatype: stored });
      const report = JSON.parse(readFileSync(place.at("r.json"), "utf8"));
      const { changed } = report.stored;
      expect(report.stored).toMatchObject({ datatype: stored, voxels: 960 });
      if (stored === "float64") expect(changed).toBe(0);
      else expect(changed).toBeGreaterThan(0);
      expect(ran.stderr).toContain(`  stored: ${stored}, `);
      expect(ran.stderr).toContain(`${changed} of 960 voxels rounded`);
      expect(ran.stderr).toContain("none clipped");
      // Other outputs have no type of the input's.
      expect((await readVolume(place.at("f.nii"), place)).meta.header).toMatchObject({ datatype: "float32" });
    }
    const sizes = [];
    for (const level of ["1", "9"]) {
      expect((await run(["n4", "c.nii", "-o", "e.nii.gz", "--level", level, ...fast])).code).toBe(0);
      sizes.push(readFileSync(place.at("e.nii.gz")).length);
    }
    expect(sizes[1]).toBeLessThan(sizes[0]!);
    for (const words of [
      ["--datatype", "int12"],
      ["--level", "0"],
    ]) {
      const { code, last } = await run(["n4", "c.nii", "-o", "g.nii", ...words]);
      expect([code, last]).toEqual([2, expect.stringContaining(`got ${words[1] === "0" ? 0 : '"int12"'}`)]);
    }
    expect(await place.list()).not.toContain("g.nii");
  }, 60_000);

  it("pairs are inputs and outputs, and neither part is overwritten by another", async () => {
    const dim = [3, 12, 10, 8, 1, 1, 1, 1];
    const voxels = Uint8Array.from({ length: 960 }, (_, i) => 40 + ((i * 31) % 60));
    writeFileSync(place.at("p.hdr"), niftiBytes({ magic: "ni1\0", offset: 0, dim, voxels }).subarray(0, 348));
    writeFileSync(place.at("p.img"), voxels);
    const fast = ["--shrink-factor", "1", "--iterations", "2"];
    expect((await run(["n4", "p.img", "-o", "{name}_n4.hdr", ...fast])).code).toBe(0);
    expect(await place.list()).toEqual(expect.arrayContaining(["p_n4.hdr", "p_n4.img"]));
    expect((await readVolume(place.at("p_n4.img"), place)).grid.shape).toEqual([12, 10, 8]);
    for (const words of [
      ["p.hdr", "-o", "p.img"],
      ["p.img", "-o", "p.hdr"],
      ["p.hdr", "p.img", "-o", "q/"],
      ["p.hdr", "-o", "r.img", "--field", "r.hdr"],
    ]) {
      const { code, last } = await run(["n4", ...words, ...fast]);
      expect([code, last]).toEqual([2, expect.stringContaining("UnsafeOutput")]);
    }
    expect([...readFileSync(place.at("p.img"))]).toEqual([...voxels]);
  }, 60_000);
});
