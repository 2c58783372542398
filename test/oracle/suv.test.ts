/** SUVs: the factors of other programs, as `test/peers/suv.py` records them, on every voxel; and what has no factor. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { suv, volume } from "../../dist/index.js";
import { compare, trials } from "./pointwise.ts";

type Options = NonNullable<Parameters<typeof suv>[0]>;
const factors = JSON.parse(readFileSync(new URL("suv-factors.json", import.meta.url), "utf8")) as {
  options: Options;
  factor: number;
}[];
const image = { image: volume(Float32Array.of(5000, 0, 12), [3, 1, 1]) };

it.each(factors)("$factor", async ({ options, factor }) => {
  const fitted = (await suv(options).fit(image)) as { parts: { factor: number; size: number; dose: number }[] };
  const { factor: found, size, dose } = fitted.parts[0]!;
  expect(Math.abs(found / factor - 1)).toBeLessThan(1e-12);
  expect(Math.abs((1000 * size) / dose / factor - 1)).toBeLessThan(1e-12);
});

describe.each([
  {},
  { region: "mask", changed: "region", outsideValue: -1 },
  { region: "foreground", foreground: 12.5, changed: "region" },
] as const)("%o", (region) => {
  const { options, factor } = factors[3]!;
  const cut = { per: "volume", reversed: false };
  it.each(trials)("$name", (trial) => compare(suv({ ...options, ...region }), trial, () => (v) => v * factor, {}, cut));
});

const whole: Options = {
  weight: 70,
  height: 1.75,
  sex: "male",
  injectedDose: 3e8,
  halfLife: 6586,
  timeToScan: 3600,
};

it.each<[Options, string]>([
  [{ weight: null }, "weight"],
  [{ injectedDose: null }, "injectedDose"],
  [{ halfLife: null }, "halfLife"],
  [{ timeToScan: null }, "timeToScan"],
  [{ normalisation: "lean-body-mass-james", height: null }, "height"],
  [{ normalisation: "lean-body-mass-janmahasatian", sex: null }, "sex"],
  [{ normalisation: "ideal-body-weight", height: null }, "height"],
  [{ normalisation: "body-surface-area", weight: null }, "weight"],
  // James' parabola has come down to 0, Devine's line has not risen from it.
  [{ normalisation: "lean-body-mass-james", weight: 270 }, "normalisation"],
  [{ normalisation: "ideal-body-weight-devine", height: 0.9 }, "normalisation"],
])("%o wants %s", async (options, option) => {
  await expect(suv({ ...whole, ...options }).fit(image)).rejects.toMatchObject({
    code: "BadOption",
    detail: { option },
  });
});

it("takes what no formula needs as absent", async () => {
  await suv({ weight: 70, injectedDose: 3e8, decayCorrectedTo: "injection" }).fit(image);
  await suv({ ...whole, normalisation: "ideal-body-weight", weight: null }).fit(image);
});

it("other units and lengths in centimetres are refused before anything is read", () => {
  expect(() => suv({ ...whole, units: "CNTS" as never })).toThrow("expected BQML");
  expect(() => suv({ ...whole, height: 175 })).toThrow("expected number above 0 to 3");
});

it("warns where James' formula makes heavier patients leaner", async () => {
  const told = async (options: Options) => {
    const codes: string[] = [];
    await suv({ ...whole, ...options }).fit(image, { onWarning: ({ code }) => codes.push(code) });
    return codes;
  };
  // Where the parabola's slope is 0: 1.1 / 256 and 1.07 / 296 kg/cm².
  for (const [sex, most] of [
    ["male", 42.97],
    ["female", 36.15],
  ] as const) {
    const weight = (index: number) => index * 1.75 ** 2;
    const james = { normalisation: "lean-body-mass-james", sex } as const;
    expect(await told({ ...james, weight: weight(most + 0.01) })).toEqual(["JamesDeclines"]);
    expect(await told({ ...james, weight: weight(most - 0.01) })).toEqual([]);
    expect(await told({ sex, weight: weight(most + 1) })).toEqual([]);
  }
});
