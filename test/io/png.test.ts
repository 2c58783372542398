/** PNG against Pillow and pypng, whose values `record-png.py` records; and what must be refused, by its code. */
import { readFileSync } from "node:fs";
import { zlibSync } from "fflate";
import { describe, expect, it } from "vitest";
import { decode, decodeAll, decodeMask, encode, gridOf, type Volume, volume } from "../../dist/index.js";
import { crc32 } from "../../dist/io/crc32.js";
import { bothBackends, random, useBackend } from "../api/images.ts";
import { oracleBackend } from "./oracle-backend.ts";
import { failure, platforms, read } from "./read.ts";

interface Recorded {
  readonly name: string;
  readonly png: string;
  readonly values?: readonly number[];
  readonly refused?: string;
}
const recorded = JSON.parse(readFileSync(new URL("png.json", import.meta.url), "utf8")) as {
  place: { name: string; dotsPerInch: number[]; origin: number[]; direction: number[] };
  cases: Recorded[];
};
const bytesOf = ({ png }: Recorded) => new Uint8Array(Buffer.from(png, "base64"));
const named = (name: string) => bytesOf(recorded.cases.find((each) => each.name === name)!);
const plain = named("grey, 8 bits");

describe.each(recorded.cases.filter(({ values }) => values))("$name", (each) => {
  it.each(Object.entries(platforms))("is read as by other programs (%s)", async (_, decode) => {
    const { data, grid, meta } = await decode(bytesOf(each), { backend: oracleBackend, source: "a.png" });
    expect([...data]).toEqual(each.values);
    expect([grid.shape[2], grid.channels]).toEqual([1, data.length / grid.shape[0] / grid.shape[1]]);
    expect(meta).toMatchObject({ source: "a.png", warnings: [], header: { format: "png", width: grid.shape[0] } });
  });

  it("comes back from PNG and from NIfTI", async () => {
    const image = await read(bytesOf(each));
    const again = await read(await encode(image, { format: "png" }));
    expect([again.grid, [...again.data]]).toEqual([image.grid, [...image.data]]);
    const volumes = await decodeAll(await encode(image), { backend: oracleBackend });
    expect(volumes.flatMap(({ data }) => [...data])).toEqual([...image.data]);
    const { channels } = image.grid;
    expect(volumes).toHaveLength(channels);
    if (channels > 1) {
      // A vector for each voxel, as nibabel and ITK know them.
      const dim = [5, image.grid.shape[0], image.grid.shape[1], 1, 1, channels, 1, 1];
      expect(volumes[0]!.meta.header).toMatchObject({ dim, intent: { code: 1007 } });
    }
    expect(volumes[0]!.grid.affine.flat().map(Math.fround)).toEqual(image.grid.affine.flat().map(Math.fround));
  });
});

it("lies where ITK lays it, with the pixels' size of the file", async () => {
  const { dotsPerInch, direction, origin } = recorded.place;
  const { grid } = await read(named(recorded.place.name));
  for (const axis of [0, 1]) expect(grid.spacing[axis]).toBeCloseTo(25.4 / dotsPerInch[axis]!, 12);
  // In ITK's axes, which point to the left and to the back.
  expect(grid.direction.slice(0, 2).map((row) => row.slice(0, 2).map((v) => 0 - v))).toEqual([
    direction.slice(0, 2),
    direction.slice(2),
  ]);
  expect([-grid.origin[0], -grid.origin[1]].map((v) => v + 0)).toEqual(origin);
});

it("says what it decided", async () => {
  const { decisions } = (await read(named("colour and opacity, opaque"))).meta;
  const told = decisions.join(" ");
  for (const fact of ["opaque", "1 mm", "orientation", "gamma", "3 channels"]) expect(told).toContain(fact);
});

it("keeps a mask's bytes", async () => {
  const mask = await decodeMask(plain, { backend: oracleBackend });
  expect(mask.data).toBeInstanceOf(Uint8Array);
  expect([...mask.data]).toEqual(recorded.cases[0]!.values);
});

describe.each(recorded.cases.filter(({ refused }) => refused))("$name", (each) => {
  it("is refused", async () => {
    expect((await failure(bytesOf(each))).code).toBe(each.refused);
  });
});

/** A chunk with its checksum. */
function chunk(name: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** A grey picture of 8 bits that declares a size and holds a stream. */
function picture(width: number, height: number, stream: Uint8Array, ...more: Uint8Array[]): Uint8Array {
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header[8] = 8;
  const chunks = [chunk("IHDR", header), ...more, chunk("IDAT", stream), chunk("IEND", new Uint8Array())];
  return Uint8Array.from([...plain.subarray(0, 8), ...chunks.flatMap((each) => [...each])]);
}
const rows = (width: number, height: number) => zlibSync(new Uint8Array((width + 1) * height));

describe("what is damaged", () => {
  it("is told wherever the file ends", async () => {
    for (let length = 8; length < plain.length; length++) {
      expect((await failure(plain.subarray(0, length))).code, `${length}`).toBe("Truncated");
    }
  });

  it("is told by the checksum, whichever byte of a chunk is another", async () => {
    const next = random(3);
    for (let at = 12; at < plain.length - 12; at++) {
      const bytes = plain.slice();
      bytes[at]! ^= 1 + Math.floor(255 * next());
      const { code } = await failure(bytes);
      expect(["BadPng", "Truncated"], `${at}: ${code}`).toContain(code);
    }
  });

  it.each([
    ["sizes of 0", picture(0, 3, rows(1, 3)), "BadHeader"],
    ["a stream that ends early", picture(8, 8, rows(8, 8).subarray(0, 9)), "BadPng"],
    ["fewer rows than declared", picture(8, 8, rows(8, 7)), "Truncated"],
    ["more rows than declared", picture(8, 8, rows(8, 9)), "TrailingData"],
    ["a bomb", picture(8, 8, zlibSync(new Uint8Array(1 << 26))), "TrailingData"],
    ["no deflate", picture(8, 8, new Uint8Array(40).fill(0xff)), "BadPng"],
    ["sizes beyond all reason", picture(2 ** 31 - 1, 2 ** 31 - 1, rows(8, 8)), "TooLarge"],
    ["sizes beyond what the stream can hold", picture(20_000, 20_000, rows(8, 8)), "Truncated"],
    ["a filter that does not exist", picture(8, 8, zlibSync(new Uint8Array(72).fill(9))), "BadPng"],
    ["no picture", Uint8Array.from([...plain.subarray(0, 33), ...plain.subarray(-12)]), "Truncated"],
    ["bytes behind the end", Uint8Array.from([...plain, ...new Uint8Array(70_000)]), "TrailingData"],
  ])("%s", async (_, bytes, code) => {
    expect((await failure(bytes)).code).toBe(code);
  });

  it("a few bytes behind the end are left with a warning", async () => {
    const { meta } = await read(Uint8Array.from([...plain, 1, 2, 3]));
    expect(meta.warnings.map(({ code }) => code)).toEqual(["TrailingBytes"]);
  });

  it("chunks that nobody asked for are not unpacked", async () => {
    const bomb = Uint8Array.from([97, 0, 0, ...zlibSync(new Uint8Array(1 << 20))]);
    expect((await read(picture(8, 8, rows(8, 8), chunk("iCCP", bomb)))).data).toHaveLength(64);
  });

  it("a limit holds from the header alone", async () => {
    const found = await failure(plain, { limits: { voxels: 116 } });
    expect(found).toEqual({ code: "TooLarge", message: expect.stringContaining("13 × 9") });
    expect((await failure(plain, { limits: { voxels: 117 } })).code).toBe("none");
  });
});

describe.each(bothBackends)("written (%s)", (name) => {
  const held = useBackend(name);
  const line = (...values: number[]) => volume(Float32Array.from(values), [values.length, 1, 1]);

  async function written(image: Volume, datatype?: "uint8" | "uint16" | "int16" | "input") {
    let report: Record<string, unknown> = {};
    const options = { ...held, format: "png", datatype, onReport: (told: object) => (report = { ...told }) } as const;
    const bytes = await encode(image, options);
    return { report, found: await decode(bytes, held) };
  }

  it("whole numbers as they are, in 8 bits where they suffice", async () => {
    for (const [values, datatype] of [
      [[0, 7, 255], "uint8"],
      [[0, 7, 256, 65535], "uint16"],
    ] as const) {
      const { report, found } = await written(line(...values));
      expect([...found.data]).toEqual(values);
      expect([found.meta.header, report]).toMatchObject([{ datatype }, { datatype, changed: 0, slope: 1 }]);
    }
  });

  it("what has a fraction or lies beyond is refused unless a type is asked for", async () => {
    for (const values of [
      [0, 0.5],
      [-1, 0],
      [0, 65536],
    ])
      await expect(written(line(...values))).rejects.toMatchObject({ code: "ValueOutOfRange" });
    await expect(written(line(0, Number.NaN))).rejects.toMatchObject({ code: "NotFinite" });
    await expect(written(line(0, Number.NaN), "uint8")).rejects.toMatchObject({ code: "NotFinite" });
  });

  it.each([
    ["uint8", 255],
    ["uint16", 65535],
  ] as const)("%s spreads the range and says so", async (datatype, last) => {
    const next = random(5);
    const values = [-3, 9, ...Array.from({ length: 300 }, () => 12 * next() - 3)];
    const { report, found } = await written(line(...values), datatype);
    const { slope, intercept, largestError } = report as Record<string, number>;
    expect([Math.min(...found.data), Math.max(...found.data)]).toEqual([0, last]);
    const worst = Math.max(...values.map((v, i) => Math.abs(Math.fround(v) - (found.data[i]! * slope! + intercept!))));
    expect(worst).toBeLessThanOrEqual(12 / last / 2 + 1e-6);
    expect(largestError).toBeCloseTo(worst, 6);
  });

  it("as the input was", async () => {
    const image = await decode(named("grey, 16 bits"), held);
    const small = { ...image, data: image.data.map((v) => v % 200) };
    expect((await written(small, "input")).report).toMatchObject({ datatype: "uint16", changed: 0 });
    await expect(written(line(1), "input")).rejects.toMatchObject({ code: "BadOption" });
  });

  it("keeps the pixels' size", async () => {
    const { grid } = await decode(named("colour, 8 bits, with pixel sizes"), held);
    const image = { data: new Float32Array(60).fill(3), grid, meta: { decisions: [], warnings: [] } };
    expect((await written(image)).found.grid).toEqual(grid);
  });

  it("other types, shapes and channels are refused", async () => {
    await expect(written(line(1), "int16")).rejects.toMatchObject({ code: "BadOption" });
    await expect(written(volume(new Float32Array(8), [2, 2, 2]))).rejects.toMatchObject({ code: "BadVolume" });
    const two = { ...line(1, 2), grid: gridOf([1, 1, 1], line(1).grid.affine, 2) };
    await expect(written(two)).rejects.toMatchObject({ code: "BadVolume" });
    const most = { ...held, format: "jpeg" } as never;
    await expect(encode(line(1), most)).rejects.toMatchObject({ code: "BadOption" });
  });
});
