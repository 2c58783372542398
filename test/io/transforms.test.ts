/** Where a header places the image: as nibabel says, and the warnings and errors where it should not be believed. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { identity, niftiBytes } from "./nifti-bytes.ts";
import { failure, read, warnings } from "./read.ts";

interface Case {
  readonly name: string;
  readonly version: 1 | 2;
  readonly order: "<" | ">";
  readonly fields: [dim: number[], pixdim: number[], qform: [number, number[]], sform: [number, number[]]];
  readonly affine: number[][];
}

const recorded = JSON.parse(readFileSync("test/cases/nifti/transforms.json", "utf8"));
const none = { code: 0, numbers: new Array(12).fill(0) };
const qform = (b: number, c: number, d: number) => ({ code: 1, numbers: [b, c, d, 0, 0, 0] });
const sform = (...numbers: number[]) => ({ code: 1, numbers });

describe(`against ${recorded.source}`, () => {
  it.each(recorded.cases as Case[])("$name, NIfTI-$version, $order", async ({ version, order, fields, affine }) => {
    const [dim, pixdim, qform, sform] = fields;
    const bytes = niftiBytes({
      version,
      little: order === "<",
      dim,
      pixdim,
      qform: { code: qform[0], numbers: qform[1] },
      sform: { code: sform[0], numbers: sform[1] },
    });
    const found = (await read(bytes)).grid.affine;
    for (const [row, values] of affine.entries()) {
      for (const [column, value] of values.entries()) expect(found[row]![column]).toBeCloseTo(value, 9);
    }
  });
});

describe("warnings", () => {
  const size = (...sizes: number[]) => [1, ...sizes, 1, 1, 1, 1];
  it.each([
    ["no form", { sform: none }, ["NoOrientation", "ItkDiffers"]],
    ["an sform with sizes of 0", { pixdim: size(0, 1, 0) }, []],
    ["an sform with a negative size", { pixdim: size(1, -1, 1) }, ["ItkDiffers"]],
    [
      "no form and sizes of 0",
      { sform: none, pixdim: size(0, -2, 3) },
      ["SpacingRepaired", "SpacingRepaired", "NoOrientation", "ItkDiffers"],
    ],
    ["a qform and a size of 0", { sform: none, qform: qform(0, 0, 0), pixdim: size(1, 1, 0) }, ["SpacingRepaired"]],
    ["qfac 3", { sform: none, qform: qform(0, 0, 0), pixdim: [3, 1, 1, 1, 1, 1, 1, 1] }, ["QfacRepaired"]],
    ["qfac 0", { sform: none, qform: qform(0, 0, 0), pixdim: [0, 1, 1, 1, 1, 1, 1, 1] }, []],
    ["an unknown code", { sform: { ...identity, code: 6 } }, ["UnknownTransformCode", "NoOrientation", "ItkDiffers"]],
    ["a quaternion too long by rounding", { sform: none, qform: qform(0, 0, 1.000002) }, []],
    ["shear", { sform: sform(1, 0.1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0) }, ["Sheared", "ItkDiffers"]],
    ["metres", { units: 1 }, ["ItkDiffers", "UnitsIgnored"]],
    ["micrometres and seconds", { units: 3 + 8 }, ["ItkDiffers", "UnitsIgnored"]],
    ["millimetres and seconds", { units: 2 + 8 }, []],
    ["no unit", { units: 0 }, []],
  ])("%s", async (_, parts, expected) => {
    expect(await warnings(niftiBytes(parts))).toEqual(expected);
  });

  it("replaces sizes that are no lengths by 1 mm, and only where the sform gives none", async () => {
    const repaired = await read(niftiBytes({ sform: none, pixdim: [1, 0, -2, 3, 1, 1, 1, 1] }));
    expect(repaired.grid.spacing).toEqual([1, 1, 3]);
    const given = await read(
      niftiBytes({ sform: sform(2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0), pixdim: new Array(8).fill(0) }),
    );
    expect(given.grid.spacing).toEqual([2, 2, 2]);
  });

  it("reports the angle of shear", async () => {
    const { meta } = await read(niftiBytes({ sform: sform(1, 0.1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0) }));
    // atan(0.1)
    expect(meta.warnings[0]!.message).toContain("5.71°");
  });
});

describe("errors", () => {
  it.each([
    ["a singular sform", { sform: sform(1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0) }, "singular"],
    ["an sform of zeros", { sform: { ...none, code: 1 } }, "singular"],
    ["NaN in the sform", { sform: sform(1, 0, 0, Number.NaN, 0, 1, 0, 0, 0, 0, 1, 0) }, "finite"],
    ["a quaternion much too long", { sform: none, qform: qform(0.8, 0.8, 0) }, "quaternion"],
    ["a quaternion of NaN", { sform: none, qform: qform(Number.NaN, 0, 0) }, "quaternion"],
    ["an offset of Inf", { sform: none, qform: { code: 1, numbers: [0, 0, 0, Infinity, 0, 0] } }, "qform"],
    ["pixdim NaN", { pixdim: [1, 1, Number.NaN, 1, 1, 1, 1, 1] }, "pixdim[2]"],
    ["pixdim Inf", { pixdim: [1, 1, 1, Infinity, 1, 1, 1, 1] }, "pixdim[3]"],
  ])("%s", async (_, parts, word) => {
    for (const version of [1, 2] as const) {
      const { code, message } = await failure(niftiBytes({ version, ...parts }));
      expect(code).toBe("BadHeader");
      expect(message).toContain(word);
    }
  });
});
