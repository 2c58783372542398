/**
 * Files as nibabel writes them, in one part or two and of two to seven dimensions: the voxels and the place that nibabel
 * reads, and the same layout when they are written again. The cases are nibabel's own (test/cases/nifti/record-layouts.py).
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeAll, encodeAll, encodePair, readVolumes, type Volume, writeVolumes } from "../../dist/index.js";
import { decodeAll as decodePortably, encodePair as encodePortably } from "../../dist/io/index.js";
import { bothBackends, useBackend } from "../api/images.ts";

interface Case {
  readonly name: string;
  /** Base64 by name. */
  readonly files: Readonly<Record<string, string>>;
  readonly shape: readonly number[];
  readonly affine: readonly (readonly number[])[];
  readonly pixdim: readonly number[];
  readonly intent: readonly [code: number, parameters: readonly number[], name: string];
  readonly extensions: readonly [code: number, text: string][];
  /** x fastest. */
  readonly values: readonly number[];
}

const recorded = new URL("../cases/nifti/layouts.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(recorded, "utf8")) as { cases: readonly Case[] };

const bytesOf = (each: Case, ending: RegExp): Uint8Array | undefined => {
  const name = Object.keys(each.files).find((file) => ending.test(file));
  return name === undefined ? undefined : new Uint8Array(Buffer.from(each.files[name]!, "base64"));
};
const partsOf = (each: Case) => [bytesOf(each, /hdr|nii/)!, bytesOf(each, /img/)] as const;
const isPair = ({ files }: Case) => Object.keys(files).length === 2;
const values = (volumes: readonly Volume[]) => volumes.flatMap(({ data }) => [...data]);

function expectSame(volumes: readonly Volume[], each: Case): void {
  const [x = 1, y = 1, z = 1, ...others] = each.shape;
  expect(volumes.length).toBe(others.reduce((product, size) => product * size, 1));
  expect(values(volumes)).toEqual(each.values);
  for (const { grid } of volumes) {
    expect(grid.shape).toEqual([x, y, z]);
    expect(grid.affine).toEqual(each.affine);
  }
}

describe.each(bothBackends)("on %s", (backend) => {
  const held = useBackend(backend);
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "voxnorm-layouts-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(cases.map((each) => [each.name, each] as const))("%s", async (_, each) => {
    const [bytes, img] = partsOf(each);
    for (const decode of [decodeAll, decodePortably]) expectSame(await decode(bytes, { ...held, img }), each);
    const place = mkdtempSync(join(folder, "read-"));
    for (const [name, text] of Object.entries(each.files))
      writeFileSync(join(place, name), Buffer.from(text, "base64"));
    // Either part of a pair stands for both.
    for (const name of Object.keys(each.files)) {
      const found = await readVolumes(join(place, name), held);
      expectSame(found, each);
      const { extensions } = found[0]!.meta.header as { extensions: { code: number; content: Uint8Array }[] };
      const texts = extensions.map(({ code, content }) => [
        code,
        new TextDecoder().decode(content).replace(/\0+$/, ""),
      ]);
      expect(texts).toEqual(each.extensions);
    }
  });

  it.each(cases.map((each) => [each.name, each] as const))("%s, written again", async (_, each) => {
    const [bytes, img] = partsOf(each);
    const volumes = await decodeAll(bytes, { ...held, img });
    const place = mkdtempSync(join(folder, "written-"));
    const [name = ""] = Object.keys(each.files);
    await writeVolumes(join(place, name), volumes, { ...held, datatype: "input" });
    expect(readdirSync(place).sort()).toEqual(Object.keys(each.files).sort());
    const found = await readVolumes(join(place, name), held);
    expectSame(found, each);
    const [x = 1, y = 1, z = 1, ...others] = each.shape;
    // One volume is a file of three dimensions, unless it came in more than four.
    const count = others.length === 1 && others[0] === 1 ? 3 : Math.max(3, each.shape.length);
    const dim = [count, x, y, z, ...others];
    const [code, parameters, intentName] = others.length > 1 ? each.intent : [0, [0, 0, 0], ""];
    expect(found[0]!.meta.header).toMatchObject({
      dim: [...dim, ...new Array(8 - dim.length).fill(1)],
      intent: { code, parameters, name: expect.stringMatching(new RegExp(`^${intentName}\\0*$`)) },
      datatype: (volumes[0]!.meta.header as { datatype: string }).datatype,
    });
    const steps = (found[0]!.meta.header as { pixdim: number[] }).pixdim.slice(1, 1 + count);
    expect(steps).toEqual(each.pixdim.slice(1, 1 + count));
  });

  it("as time points, where they are fewer than they were", async () => {
    const each = cases.find(({ name }) => name.startsWith("matrices"))!;
    const volumes = (await decodeAll(...([partsOf(each)[0], held] as const))).slice(0, 6);
    const found = await decodeAll(await encodeAll(volumes, held), held);
    expect(found[0]!.meta.header).toMatchObject({ dim: [4, 3, 2, 1, 6, 1, 1, 1], intent: { code: 0 } });
    expect(values(found)).toEqual(values(volumes));
  });

  it("a pair's bytes, the same on either platform", async () => {
    for (const each of cases.filter(isPair)) {
      const [bytes, img] = partsOf(each);
      const volumes = await decodeAll(bytes, { ...held, img });
      const pair = await encodePair(volumes, held);
      expect(await encodePortably(volumes, held)).toEqual(pair);
      expectSame(await decodePortably(pair.hdr, { ...held, img: pair.img }), each);
      const packed = await encodePair(volumes, { ...held, gzip: true });
      expect([packed.hdr[0], packed.img[0]]).toEqual([0x1f, 0x1f]);
      expectSame(await decodePortably(packed.hdr, { ...held, img: packed.img }), each);
    }
  });
});
