/** Broken and odd headers and sizes: each gets its code, in both versions and byte orders where both can have it. */
import { describe, expect, it } from "vitest";
import { extension, niftiBytes, type Parts, packed } from "./nifti-bytes.ts";
import { failure, read, warnings } from "./read.ts";

const dims = (...dim: number[]) => [...dim, ...new Array(8 - dim.length).fill(1)];

describe("errors", () => {
  const cases: [string, Parts, code: string, word: string][] = [
    ["dim[0] = 0", { dim: dims(0, 3, 2, 2) }, "BadHeader", "dim[0]"],
    ["dim[0] = 8", { dim: dims(8, 3, 2, 2) }, "BadHeader", "got 8"],
    ["dim[0] = -1", { dim: dims(-1, 3, 2, 2) }, "BadHeader", "got -1"],
    ["a dim of 0", { dim: dims(3, 3, 0, 2) }, "BadHeader", "dim[2]"],
    ["a dim of -8", { dim: dims(3, 3, 2, -8) }, "BadHeader", "got -8"],
    ["dim[1] = -1", { dim: dims(3, -1, 1, 1) }, "BadHeader", "FreeSurfer"],
    [
      "a dim of 32767 without its data",
      { dim: dims(3, 32767, 2, 2), voxels: new Uint8Array(12) },
      "Truncated",
      "are missing",
    ],
    ["dims over 2^53", { dim: new Array(8).fill(32767).with(0, 7) }, "TooLarge", "2^53"],
    ["dims over the limit", { dim: dims(3, 32767, 32767, 3) }, "TooLarge", "2147483647"],
    ["time points", { dim: dims(4, 3, 2, 2, 5) }, "SeveralVolumes", "5 time points"],
    ["vectors", { dim: dims(5, 3, 2, 2, 1, 3) }, "SeveralVolumes", "got 3 values"],
    ["datatype 0", { datatype: 0 }, "UnsupportedType", "unknown"],
    ["datatype 777", { datatype: 777 }, "UnsupportedType", "777 (not defined)"],
    ["binary", { datatype: 1 }, "UnsupportedType", "binary"],
    ["complex64", { datatype: 32 }, "UnsupportedType", "complex64"],
    ["RGB24", { datatype: 128 }, "UnsupportedType", "expected one of uint8, int16"],
    ["float128", { datatype: 1536 }, "UnsupportedType", "float128"],
    ["complex128", { datatype: 1792 }, "UnsupportedType", "complex128"],
    ["complex256", { datatype: 2048 }, "UnsupportedType", "complex256"],
    ["RGBA32", { datatype: 2304 }, "UnsupportedType", "RGBA32"],
    ["scl_slope Inf", { slope: Infinity }, "BadHeader", "scl_slope"],
    ["scl_inter NaN", { intercept: Number.NaN }, "BadHeader", "scl_inter"],
    ["scl_inter -Inf", { intercept: -Infinity }, "BadHeader", "-Infinity"],
    ["vox_offset negative", { offset: -352 }, "BadHeader", "got -352"],
    ["vox_offset in the header", { offset: 340 }, "BadHeader", "got 340"],
    ["vox_offset beyond the file", { offset: 4096 }, "Truncated", "4108"],
    ["a wrong sizeof_hdr", { sizeofHdr: 349 }, "BadHeader", "sizeof_hdr"],
  ];

  it.each(cases)("%s", async (_, parts, code, word) => {
    for (const version of [1, 2] as const) {
      for (const little of [true, false]) {
        for (const pack of [false, true]) {
          const bytes = niftiBytes({ version, little, ...parts });
          const found = await failure(pack ? packed(bytes) : bytes, { source: "x.nii" });
          expect(found.code).toBe(code);
          // In an archive that is too small for what is declared, other numbers tell.
          if (!(pack && code === "Truncated")) expect(found.message).toContain(word);
          expect(found.message).toMatch(/^x\.nii: /);
        }
      }
    }
  });

  it.each([
    ["vox_offset NaN", { offset: Number.NaN }],
    ["vox_offset Inf", { offset: Infinity }],
    ["vox_offset 1e30", { offset: 1e30 }],
  ])("%s", async (_, parts) => {
    expect(await failure(niftiBytes(parts))).toMatchObject({ code: "BadHeader" });
  });

  it.each([
    ["the header of a pair", { magic: "ni1\0" }, "BadHeader", "pair"],
    ["the header of a pair of version 2", { version: 2 as const, magic: "ni2\0\r\n\x1a\n" }, "BadHeader", "pair"],
    ["a wrong magic", { magic: "n+7\0" }, "BadHeader", "n+7"],
    ["a wrong magic of version 2", { version: 2 as const, magic: "n-2\0\r\n\x1a\n" }, "BadHeader", "n-2"],
    ["line ends replaced", { version: 2 as const, magic: "n+2\0\n\n\x1a\n" }, "BadHeader", "as text"],
    ["Analyze 7.5", { magic: "\0\0\0\0" }, "UnknownFormat", "Analyze 7.5"],
  ])("%s", async (_, parts, code, word) => {
    const found = await failure(niftiBytes(parts));
    expect(found.code).toBe(code);
    expect(found.message).toContain(word);
  });

  it("an empty file, a short header, a header alone, no file of ours", async () => {
    const sound = niftiBytes();
    expect((await failure(new Uint8Array())).code).toBe("Truncated");
    expect((await failure(sound.subarray(0, 200))).code).toBe("Truncated");
    expect((await failure(sound.subarray(0, 348))).code).toBe("Truncated");
    expect((await failure(niftiBytes({ version: 2 }).subarray(0, 400))).code).toBe("Truncated");
    expect((await failure(new TextEncoder().encode("not an image at all"))).code).toBe("UnknownFormat");
    expect((await failure(packed(new Uint8Array()))).code).toBe("UnknownFormat");
    expect((await failure(packed(packed(sound)))).message).toContain("gzip within gzip");
  });

  it("any cut, and no cut is read", async () => {
    for (const version of [1, 2] as const) {
      const sound = niftiBytes({ version });
      for (let end = 4; end < sound.length; end++) {
        expect((await failure(sound.subarray(0, end))).code, `${end} bytes`).toBe("Truncated");
      }
    }
  });

  it.each([
    ["negative", -16],
    ["huge", 0x7fffffff],
    ["no multiple of 16", 24],
    ["past the voxels", 48],
  ])("an extension whose size is %s", async (_, size) => {
    for (const version of [1, 2] as const) {
      expect(await failure(niftiBytes({ version, between: extension(size, 6, 24) }))).toMatchObject({
        code: "BadHeader",
        message: expect.stringContaining(`got ${size}`),
      });
    }
  });
});

describe("what is read", () => {
  it("extensions of any code, listed", async () => {
    const { meta } = await read(niftiBytes({ between: extension(32, 4242, 24) }));
    expect(meta.header).toMatchObject({ extensions: [{ code: 4242, size: 32 }] });
    expect(meta.warnings).toEqual([]);
  });

  it("four dimensions and one time point, as three", async () => {
    expect((await read(niftiBytes({ dim: dims(4, 3, 2, 2, 1) }))).grid.shape).toEqual([3, 2, 2]);
    expect((await read(niftiBytes({ dim: dims(7, 3, 2, 2) }))).grid.shape).toEqual([3, 2, 2]);
    expect((await read(niftiBytes({ dim: dims(2, 3, 4, -5) }))).grid.shape).toEqual([3, 4, 1]);
  });

  const junk = (count: number) => {
    const sound = niftiBytes();
    const bytes = new Uint8Array(sound.length + count);
    bytes.set(sound);
    return bytes;
  };
  it.each([
    ["bitpix 16 of uint8", niftiBytes({ bitpix: 16 }), ["BitpixMismatch"]],
    ["vox_offset 0", niftiBytes({ offset: 0 }), ["VoxOffsetRepaired"]],
    ["vox_offset 352.5", niftiBytes({ offset: 352.5 }), ["VoxOffsetRepaired"]],
    ["1 byte behind", junk(1), ["TrailingBytes"]],
    ["64 KiB behind", junk(65536), ["TrailingBytes"]],
    ["64 KiB behind, packed", packed(junk(65536)), ["TrailingBytes"]],
    ["extensions that end early", niftiBytes({ between: new Uint8Array(36).with(0, 1) }), ["ExtensionsIgnored"]],
  ])("%s, with a warning", async (_, bytes, codes) => {
    expect(await warnings(bytes)).toEqual(codes);
    expect((await read(bytes)).data.length).toBe(12);
  });

  it("no more than 64 KiB behind", async () => {
    expect((await failure(junk(65537))).code).toBe("TrailingData");
    expect((await failure(packed(junk(65537)))).code).toBe("TrailingData");
  });
});

it("keeps to the caller's limit", async () => {
  expect((await read(niftiBytes(), { limits: { voxels: 12 } })).data.length).toBe(12);
  expect((await failure(niftiBytes(), { limits: { voxels: 11 } })).code).toBe("TooLarge");
});
