/** `examples/background.mjs` measures what PyRadiomics measures, and docs/normalisation.md tells it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it, vi } from "vitest";

type Measured = Record<string, Record<string, Record<string, number>>>;

const root = new URL("../../", import.meta.url);
const { source, results: theirs } = JSON.parse(readFileSync(new URL("test/api/background.json", root), "utf8")) as {
  source: string;
  results: Measured;
};
let ours: Measured;

beforeAll(async () => {
  const quiet = ["log", "table"].map((name) => vi.spyOn(console, name as "log").mockImplementation(() => {}));
  ours = (await import(fileURLToPath(new URL("examples/background.mjs", root)))).results;
  for (const each of quiet) each.mockRestore();
});

describe.each(Object.keys(theirs))("%s", (method) => {
  it.each(Object.keys(theirs[method]!))(`%s: as ${source}`, (image) => {
    for (const [name, value] of Object.entries(theirs[method]![image]!)) {
      expect(ours[method]![image]![name]! / value - 1, name).toBeCloseTo(0, 7);
    }
  });
});

const backgrounds = ["outside 0", "outside -1000", "outside 5000"];
const [whole, masked] = ["statistics of the whole image", "statistics of the mask"];

it.each(backgrounds)("with statistics of the mask, %s changes nothing", (image) => {
  expect(ours[masked!]![image]).toEqual(ours[masked!]!["as it is"]);
});

it.each(backgrounds)(
  "with statistics of the whole image, %s moves all but what a fixed number of bins gives",
  (image) => {
    const [before, after] = [ours[whole!]!["as it is"]!, ours[whole!]![image]!];
    for (const name of ["mean", "deviation", "entropy, bins of width 5"]) {
      expect(Math.abs(after[name]! / before[name]! - 1), name).toBeGreaterThan(0.01);
    }
    expect(after["entropy, 32 bins"]).toBeCloseTo(before["entropy, 32 bins"]!, 9);
  },
);

it("stands in docs/normalisation.md", () => {
  const page = readFileSync(new URL("docs/normalisation.md", root), "utf8");
  for (const [method, images] of Object.entries(ours)) {
    for (const [image, each] of Object.entries(images)) {
      const [mean, deviation, byWidth, byCount] = Object.values(each) as [number, number, number, number];
      const numbers = [mean.toFixed(1), deviation.toFixed(1), byWidth.toFixed(3), byCount.toFixed(3)];
      expect(page).toContain(`| ${[method, image, ...numbers].join(" | ")} |`);
    }
  }
});
