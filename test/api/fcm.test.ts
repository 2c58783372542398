/** What fuzzy c-means gives beside the image, and what it says of input that has no classes. */
import { expect, it } from "vitest";
import { createBackend, fcm } from "../../dist/index.js";
import { failure, like, phantom } from "./images.ts";

const backend = await createBackend({ backend: "native", threads: 2 });
const { image, mask } = phantom([31, 29, 23]);
const options = { region: "mask", normValue: 100 } as const;
const classes = ["csf", "gm", "wm"] as const;
const { outputs, fitted } = await fcm(options).run({ image, mask }, ["image", ...classes], { backend });
const [{ mean, clusters }] = fitted.parts as [(typeof fitted.parts)[0]];
const inside = [...mask.data.keys()].filter((i) => mask.data[i] !== 0);

it("memberships add up to 1 in the region, and are 0 outside of it", () => {
  for (const i of mask.data.keys()) {
    const sum = classes.reduce((sum, name) => sum + outputs[name]!.data[i]!, 0);
    expect(sum).toBeCloseTo(mask.data[i] === 0 ? 0 : 1, 6);
  }
});

it("memberships follow from the centres, and centres from them", () => {
  const centres = clusters!.centres;
  for (const i of inside.slice(0, 500)) {
    const near = centres.map((centre) => 1 / (image.data[i]! - centre) ** 2);
    const expected = near.map((n) => n / near.reduce((sum, n) => sum + n));
    for (const [k, name] of classes.entries()) expect(outputs[name]!.data[i]).toBeCloseTo(expected[k]!, 6);
  }
  for (const [k, name] of classes.entries()) {
    const mean = (power: number) => {
      const weight = (i: number) => outputs[name]!.data[i]! ** power;
      const sum = inside.reduce((sum, i) => sum + weight(i) * image.data[i]!, 0);
      return sum / inside.reduce((sum, i) => sum + weight(i), 0);
    };
    expect(mean(2) / centres[k]!).toBeCloseTo(1, 6);
    expect(mean(1) / clusters!.means[k]!).toBeCloseTo(1, 6);
  }
  expect(mean).toBe(clusters!.means[2]);
  expect(outputs.image!.data[inside[7]!]).toBeCloseTo((100 * image.data[inside[7]!]!) / mean, 4);
});

it("takes the membership of another contrast", async () => {
  const other = like(image, (_x, _y, _z, i) => 900 - 2 * image.data[i]!);
  const membership = outputs.gm!;
  const bound = fcm({ ...options, tissue: "gm" });
  const given = await bound.fit({ image: other, mask, membership }, { backend });
  const [part] = given.parts as [(typeof given.parts)[0]];
  expect(part.mean).toBeCloseTo(900 - 2 * clusters!.means[1], 3);
  expect(part.clusters).toBeNull();
  const inputs = { image: other, mask, membership };
  expect(await failure(() => bound.run(inputs, ["image", "wm"], { backend }))).toMatchObject({
    code: "BadOption",
    message: "fcm: outputs: expected none of classes, as a membership was given",
  });
  const nothing = like(image, () => 0);
  expect(await failure(() => bound.fit({ ...inputs, membership: nothing }, { backend }))).toMatchObject({
    code: "EmptyMask",
    message: "fcm: membership: expected finite values whose sum in the region is above 0, got 0",
  });
});

it("needs three values, and a mean to divide by", async () => {
  const told = async (each: (i: number) => number) => {
    const made = like(image, (_x, _y, _z, i) => each(i));
    return (await failure(() => fcm({ region: "whole" }).fit({ image: made }, { backend }))).code;
  };
  expect(await told(() => 4)).toBe("ConstantImage");
  expect(await told((i) => i % 2)).toBe("TooFewValues");
  expect(await told((i) => -1 - (i % 9))).toBe("BadScale");
  expect(await told((i) => (i === 3 ? Number.NaN : i))).toBe("NotFinite");
});

it("warns where it was stopped", async () => {
  const { warnings } = await fcm({ ...options, iterations: 2 }).run({ image, mask }, ["image"], { backend });
  expect(warnings).toMatchObject([{ code: "NotConverged" }]);
});
