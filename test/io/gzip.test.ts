/** Gzip in all its shapes, on both platforms: what is read, what is refused, and what is never unpacked. */
import { createHash } from "node:crypto";
import { crc32, deflateRawSync, deflateSync, gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Backend, Call } from "../../dist/backend/backend.js";
import { createBackend, decode, encode, volume } from "../../dist/index.js";
import { contentOf } from "../../dist/io/content.js";
import { gzip as gzipParts } from "../../dist/io/gzip.js";
import type { Platform } from "../../dist/io/platform.js";
import { nativePlatform } from "../../dist/io/platform-native.js";
import { nodePlatform, sparing } from "../../dist/io/platform-node.js";
import { portablePlatform } from "../../dist/io/platform-portable.js";
import { random, useBackend } from "../api/images.ts";
import { niftiBytes, packed } from "./nifti-bytes.ts";
import { failure, read, warnings } from "./read.ts";

const sound = niftiBytes({ dim: [3, 30, 20, 10, 1, 1, 1, 1], voxels: noise(6000) });
const size = sound.length;
const native = useBackend("native");
const platforms = {
  native: () => nativePlatform(native.backend),
  node: () => nodePlatform,
  portable: () => portablePlatform,
};

/** The same noise every time (xorshift). */
function noise(count: number): Uint8Array {
  let state = 2463534242;
  return Uint8Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  });
}

function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** `gzip` of one part, joined. */
async function gzip(bytes: Uint8Array, platform: Platform, level: number, words = false): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of gzipParts([bytes], platform, { level, words })) pieces.push(piece);
  return join(...pieces);
}

/** A member with a header of our own. */
function member(content: Uint8Array, flags: number, fields: Uint8Array): Uint8Array {
  const header = join(Uint8Array.of(0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3), fields);
  const headerCrc = new Uint8Array(2);
  new DataView(headerCrc.buffer).setUint16(0, crc32(header) & 0xffff, true);
  const trailer = new Uint8Array(8);
  new DataView(trailer.buffer).setUint32(0, crc32(content), true);
  new DataView(trailer.buffer).setUint32(4, content.length, true);
  return join(header, flags & 2 ? headerCrc : new Uint8Array(), deflateRawSync(content), trailer);
}

const text = (value: string) => new TextEncoder().encode(value);
const extra = join(Uint8Array.of(5, 0), text("extra"));

describe("read", () => {
  it.each([
    ["no flags", member(sound, 0, new Uint8Array())],
    ["a name", member(sound, 8, text("brain.nii\0"))],
    ["extra, name, comment, checksum", member(sound, 2 + 4 + 8 + 16, join(extra, text("brain.nii\0a comment\0")))],
    ["stored blocks", new Uint8Array(gzipSync(sound, { level: 0 }))],
    [
      "several members",
      join(packed(sound.subarray(0, 100)), packed(sound.subarray(100, 101)), packed(sound.subarray(101))),
    ],
    ["an empty member", join(packed(new Uint8Array()), packed(sound))],
  ])("%s", async (_, file) => {
    expect(await warnings(file)).toEqual([]);
    expect([...(await read(file)).data]).toEqual([...sound.subarray(352)]);
  });

  it.each([
    ["text", text("junk")],
    ["zeros", new Uint8Array(1000)],
    ["half a magic", Uint8Array.of(0x1f)],
    ["a magic of no method", Uint8Array.of(0x1f, 0x8b, 7, 0)],
  ])("junk behind the trailer: %s, with a warning", async (_, junk) => {
    expect(await warnings(join(packed(sound), junk))).toEqual(["JunkAfterGzip"]);
  });
});

describe("many members", () => {
  const empty = packed(new Uint8Array());
  const [start, end] = [packed(sound.subarray(0, 400)), packed(sound.subarray(400))];
  const many = join(start, ...new Array<Uint8Array>(2000).fill(empty), end);
  const large = noise(300_000);

  it.each(Object.entries(platforms))("are read as one on %s", async (_, platform) => {
    const whole = (bytes: Uint8Array) => {
      return contentOf(bytes, sparing(platform()), { trailing: 0, warn: () => {} }).whole(gunzipSync(bytes).length);
    };
    expect(Buffer.compare(await whole(many), sound)).toBe(0);
    // Small ones before and behind large ones, and of just as much as is unpacked on the spot or a byte more.
    for (const cut of [65_536, 65_537]) {
      const parts = [large.subarray(0, 10), large.subarray(10, 10 + cut), large.subarray(10 + cut)];
      expect(Buffer.compare(await whole(join(empty, ...parts.map(packed), empty)), large)).toBe(0);
    }
  });

  it("start no thread each", async () => {
    let starts = 0;
    const counting: Platform = {
      ...nodePlatform,
      inflate: (...given) => {
        starts++;
        return nodePlatform.inflate(...given);
      },
    };
    await contentOf(many, sparing(counting), { trailing: 0, warn: () => {} }).whole(size);
    expect(starts).toBe(1);
  });

  it("are refused as one is", async () => {
    const at = start.length + 100 * empty.length;
    expect(await failure(many.with(at + 10, 0xff))).toMatchObject({ code: "BadGzip" });
    expect(await failure(many.with(at + 13, 1))).toMatchObject({ code: "BadGzip" });
    expect(await failure(many.subarray(0, at + 11))).toMatchObject({ code: "Truncated" });
    expect((await failure(join(many, packed(large)))).code).toBe("TrailingData");
  });
});

describe("refused", () => {
  const file = packed(sound);
  it("every cut", async () => {
    for (let end = 2; end < file.length; end += end < 40 || end > file.length - 20 ? 1 : 97) {
      expect((await failure(file.subarray(0, end))).code, `${end} of ${file.length}`).toBe("Truncated");
    }
  });

  it("a cut in a second member's header", async () => {
    const two = join(packed(sound.subarray(0, 400)), packed(sound.subarray(400)));
    const first = packed(sound.subarray(0, 400)).length;
    expect((await failure(two.subarray(0, first + 5))).code).toBe("Truncated");
  });

  it.each([
    ["a wrong CRC", file.with(file.length - 8, file.at(-8)! ^ 1), "BadGzip", "checksum"],
    ["a wrong length", file.with(file.length - 4, file.at(-4)! ^ 1), "BadGzip", `got ${size}`],
    ["another method", file.with(2, 7), "BadGzip", "method"],
    ["a reserved flag", file.with(3, 0x40), "BadGzip", "flags"],
    ["a wrong checksum of the header", member(sound, 2, new Uint8Array()).with(10, 0), "BadGzip", "header"],
    [
      "a name without an end",
      join(Uint8Array.of(0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3), text("brain")),
      "Truncated",
      "header",
    ],
    ["a block of unknown kind", file.with(10, 0xff), "BadGzip", "damaged"],
    ["zlib's format", new Uint8Array(deflateSync(sound)), "UnknownFormat", "begins with 78 9c"],
  ])("%s", async (_, file, code, word) => {
    const found = await failure(file);
    expect(found.code).toBe(code);
    expect(found.message).toContain(word);
  });
});

describe("bombs", () => {
  // 300 MB behind a header that declares 12 bytes; the pieces are members, so that making it is cheap.
  const zeros = packed(new Uint8Array(30_000_000));
  const bomb = join(packed(niftiBytes()), ...new Array(10).fill(zeros));

  it("are left after 64 KiB beyond what is declared, and the error has both sizes", async () => {
    const before = process.memoryUsage().arrayBuffers;
    expect(await failure(bomb)).toMatchObject({
      code: "TrailingData",
      message: expect.stringContaining("expected 364 bytes"),
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(30e6);
  });

  it("of a header that promises what so few bytes cannot hold", async () => {
    const promise = niftiBytes({ datatype: 64, dim: [3, 32767, 8000, 8, 1, 1, 1, 1], voxels: new Uint8Array(12) });
    expect(await failure(packed(promise))).toMatchObject({
      code: "Truncated",
      message: expect.stringContaining("cannot hold the 16776704352 bytes"),
    });
  });

  it.each(Object.entries(platforms))("are unpacked piece by piece on %s", async (_, platform) => {
    const content = contentOf(bomb, platform(), { trailing: 65536, warn: () => {} });
    expect((await content.start(544)).length).toBeLessThan(3e6);
    await expect(content.whole(364)).rejects.toMatchObject({ code: "TrailingData", detail: { trailing: 65536 } });
    // What is allowed is read, and no more is asked of the machine.
    const allowing = contentOf(bomb, platform(), { trailing: 1e6, warn: () => {} });
    await expect(allowing.whole(364)).rejects.toMatchObject({ detail: { declared: 364, trailing: 1e6 } });
  });
});

describe.each(Object.entries(platforms))("written on %s", (_, platform) => {
  it.each([0, 1, 1000, 3_000_000])("%d bytes, the same every time, and zlib reads them", async (count) => {
    const bytes = noise(count).map((value) => value & 15);
    const file = await gzip(bytes, platform(), 1);
    expect([...file.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    expect(Buffer.compare(gunzipSync(file), bytes)).toBe(0);
    expect(Buffer.compare(await gzip(bytes.slice(), platform(), 1), file)).toBe(0);
    expect(file.length).toBeLessThan(0.6 * count + 100);
  });
});

/** What voxels look like to gzip: noise of few and many bits, runs, and what repeats at a distance. */
function mixed(count: number): Uint8Array {
  const next = random(5);
  return Uint8Array.from({ length: count }, (_, i) => {
    const kind = (i >> 16) % 4;
    return kind === 0 ? next() * 256 : kind === 1 ? next() * 5 : kind === 2 ? i >> 9 : (i * 37) % 1000;
  });
}

describe("Node without the native backend", () => {
  const packed = (data: Float32Array) => {
    const content = new Uint8Array(data.buffer);
    return Promise.all([true, false].map((words) => gzip(content, nodePlatform, 1, words)));
  };

  it("packs numbers that take few values by what comes again, and others by runs", async () => {
    const next = random(11);
    const levels = Float32Array.from({ length: 200 }, () => next() - 0.5);
    const few = Float32Array.from({ length: 600_000 }, () => levels[Math.floor(200 * next() * next())]!);
    const [asWords, byRuns] = await packed(few);
    expect(Buffer.compare(gunzipSync(asWords!), new Uint8Array(few.buffer))).toBe(0);
    expect(asWords!.length).toBeLessThan(0.5 * byRuns!.length);
    const noise = Float32Array.from({ length: 600_000 }, () => next());
    const [noiseAsWords, noiseByRuns] = await packed(noise);
    expect(Buffer.compare(noiseAsWords!, noiseByRuns!)).toBe(0);
    // The first half of each chunk is noise, with air between.
    const half = few.map((value, i) => (i % (1 << 18) >= 1 << 17 ? value : i % 5 > 0 ? next() : 0));
    const [halfAsWords, halfByRuns] = await packed(half);
    expect(Buffer.compare(halfAsWords!, halfByRuns!)).toBe(0);
  });
});

describe("the native backend", () => {
  it("packs to the same bytes whatever the number of threads, at level 1 to about as few as zlib by runs", async () => {
    const bytes = mixed(9_500_000);
    for (const [level, words] of [
      [1, false],
      [1, true],
      [2, false],
    ] as const) {
      const files: Uint8Array[] = [];
      for (const threads of [1, 2, 5]) {
        const backend = await createBackend({ backend: "native", threads });
        files.push(await gzip(bytes, nativePlatform(backend), level, words));
        await backend.close();
      }
      const [first, ...others] = files as [Uint8Array, ...Uint8Array[]];
      expect(Buffer.compare(gunzipSync(first), bytes)).toBe(0);
      for (const other of others) expect(Buffer.compare(other, first)).toBe(0);
      if (level === 1) expect(first.length).toBeLessThan(1.05 * (await gzip(bytes, nodePlatform, 1)).length);
    }
  });

  it("packs volumes of few values to about as few bytes as zlib does, and those of single bytes by runs", async () => {
    const next = random(7);
    const levels = Float32Array.from({ length: 200 }, () => next() - 0.5);
    const data = Float32Array.from({ length: 600_000 }, () => levels[Math.floor(200 * next() * next())]!);
    const image = volume(data, [100, 100, 60]);
    const file = await encode(image, { ...native, gzip: true });
    const content = await encode(image, native);
    expect(Buffer.compare(gunzipSync(file), content)).toBe(0);
    expect(file.length).toBeLessThan(1.05 * gzipSync(content, { level: 1 }).length);
    // By runs alone.
    expect(file.length).toBeLessThan(0.5 * (await gzip(content, nativePlatform(native.backend), 1)).length);
    const whole = volume(
      Float32Array.from(data, (value) => Math.round(255 * (value + 0.5))),
      [100, 100, 60],
    );
    const bytes = await encode(whole, { ...native, gzip: true, datatype: "uint8" });
    const stored = await encode(whole, { ...native, datatype: "uint8" });
    const alone = [stored.subarray(0, 352), stored.subarray(352)];
    const byRuns: Uint8Array[] = [];
    const packing = { level: 1, words: false };
    for await (const piece of gzipParts(alone, nativePlatform(native.backend), packing)) byRuns.push(piece);
    expect(Buffer.compare(bytes, join(...byRuns))).toBe(0);
  });

  it("packs one turn ahead of whoever takes the pieces, and no further", async () => {
    let calls = 0;
    const { threads } = native.backend;
    const run = (call: Call) => {
      calls++;
      return native.backend.run(call);
    };
    const pieces = nativePlatform({ threads, run } as Backend).deflate([mixed(20_000_000)], { level: 1, words: false });
    await pieces.next();
    await pieces.next();
    await pieces.return(0);
    expect(calls).toBe(2);
  });

  it("packs at every level what zlib unpacks, to less the harder it tries", async () => {
    const bytes = mixed(2_500_000);
    const sizes = [];
    for (let level = 1; level <= 9; level++) {
      const file = await gzip(bytes, nativePlatform(native.backend), level);
      expect(Buffer.compare(gunzipSync(file), bytes)).toBe(0);
      sizes.push(file.length);
    }
    expect(sizes[1]).toBeLessThan(sizes[0]!);
    expect(sizes[8]).toBeLessThan(sizes[1]!);
  });

  it("stops packing and unpacking where the caller's signal says so", async () => {
    const bytes = mixed(5_000_000);
    const file = await gzip(bytes, nodePlatform, 1);
    const signal = AbortSignal.abort("enough");
    const cancelled = { code: "Cancelled", cause: "enough" };
    const platform = nativePlatform(native.backend, signal);
    await expect(gzip(bytes, platform, 1)).rejects.toMatchObject(cancelled);
    await expect(platform.inflate(file, 10, 1e9).next()).rejects.toMatchObject(cancelled);
    const image = { datatype: 2, dim: [3, 200, 200, 100, 1, 1, 1, 1], voxels: mixed(4_000_000) };
    await expect(decode(packed(niftiBytes(image)), { ...native, signal })).rejects.toMatchObject(cancelled);
    await expect(
      encode(volume(new Float32Array(8), [2, 2, 2]), { ...native, signal, gzip: true }),
    ).rejects.toMatchObject(cancelled);
  });
});

it("writes bytes that no browser and no zlib changes, on the portable platform", async () => {
  const file = await gzip(
    noise(100_000).map((value) => value & 7),
    portablePlatform,
    1,
  );
  // fflate 0.8.3, Node 20.20: a change of this line is a change of every file that a browser writes.
  expect(createHash("sha256").update(file).digest("hex")).toBe(
    "009fea33a60fff1b27d73d240792e8f5f83b0b19323766f7e20d22762eea692e",
  );
});
