/** A pipeline's report: enough to explain an output and to make it again. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { digest, n4, pipeline, version } from "../../dist/index.js";
import { bits, bothBackends, failure, like, logDifference, phantom, useBackend } from "./images.ts";

const { image, mask } = phantom([34, 29, 25]);
const weight = like(image, (_x, y) => 1 + (y % 2));
const options = { shrinkFactor: 2, iterations: [5, 3] };

it("the version is the package's", () => {
  const file = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  expect(version).toBe(file.version);
});

describe.each(bothBackends)("%s", (name) => {
  const held = useBackend(name, name === "native" ? 2 : 1);

  it("does what its step does, and reports it", async () => {
    const bound = n4({ ...options, maskLabel: "nonzero" });
    const context = { ...held, inputs: { mask, weight }, outputs: ["field"], digests: true };
    const { image: corrected, outputs, report } = await pipeline([bound]).run(image, context);
    const alone = await bound.run({ image, mask, weight }, ["image", "field"], held);
    expect(bits(corrected)).toBe(bits(alone.outputs.image!));
    expect(Object.keys(outputs)).toEqual(["field"]);
    expect(bits(outputs.field!)).toBe(bits(alone.outputs.field!));

    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(report.voxnorm).toBe(version);
    const { simd, threads } = held.backend;
    expect(report.backend).toEqual({ name, simd, threads });
    expect(threads).toBe(name === "native" ? 2 : 1);
    expect(report.input).toEqual({ grid: image.grid, digest: await digest(image, held.backend) });
    expect(report.output).toEqual({ grid: image.grid, digest: await digest(corrected, held.backend) });
    const { computeMs, ...step } = report.steps[0]!;
    expect(computeMs).toBeGreaterThan(0);
    expect(report.steps.length).toBe(1);
    expect(step).toEqual({
      step: "n4",
      profile: "simpleitk",
      options: n4({ ...options, maskLabel: "nonzero" }).options,
      inputs: {
        mask: { digest: await digest(mask, held.backend) },
        weight: { digest: await digest(weight, held.backend) },
      },
      fitted: alone.fitted,
      measures: alone.measures,
    });
  });

  it("reports no digest unless asked, and a rule by its name", async () => {
    const { report } = await pipeline([n4(options)]).run(image, { ...held, inputs: { mask: "otsu", weight } });
    expect(report.input).toEqual({ grid: image.grid });
    expect(report.output).toEqual({ grid: image.grid });
    expect(report.steps[0]!.inputs).toEqual({ mask: "otsu", weight: {} });
    const { report: bare } = await pipeline([n4(options)]).run(image, { ...held, inputs: { mask: undefined } });
    expect(bare.steps[0]!.inputs).toEqual({});
  });

  it("can be made again from its report", async () => {
    const { image: corrected, report } = await pipeline([n4(options)]).run(image, { ...held, inputs: { mask } });
    const { options: kept, fitted } = JSON.parse(JSON.stringify(report.steps[0])) as {
      options: typeof options;
      fitted: never;
    };
    const replayed = await n4(kept).apply({ image, mask }, fitted, ["image"], held);
    expect(bits(replayed.outputs.image!)).toBe(bits(corrected));
    const rerun = await n4(kept).run({ image, mask }, ["image"], held);
    expect(bits(rerun.outputs.image!)).toBe(bits(corrected));
  });

  it("reports the digest of the output alone where no other is asked for", async () => {
    const context = { ...held, inputs: { mask }, digests: "output" } as const;
    const { image: corrected, report } = await pipeline([n4(options)]).run(image, context);
    expect(report.input).toEqual({ grid: image.grid });
    expect(report.steps[0]!.inputs).toEqual({ mask: {} });
    expect(report.output).toEqual({ grid: image.grid, digest: await digest(corrected, held.backend) });
  });

  it("hands the image on from step to step", async () => {
    const context = { ...held, inputs: { mask }, outputs: ["field"], digests: true };
    const steps = [n4(options), n4({ shrinkFactor: 1, iterations: [2] })];
    const { image: twice, outputs, report } = await pipeline(steps).run(image, context);
    const first = await steps[0]!.run({ image, mask }, ["image", "field"], held);
    const second = await steps[1]!.run({ image: first.outputs.image!, mask }, ["image", "field"], held);
    expect(bits(twice)).toBe(bits(second.outputs.image!));
    // Both make a field: the last one's is kept.
    expect(bits(outputs.field!)).toBe(bits(second.outputs.field!));
    expect(report.steps.map(({ fitted }) => fitted)).toEqual([first.fitted, second.fitted]);
    // What is left to correct after a correction is little.
    const flat = image.data.map(() => 1);
    const left = logDifference(second.outputs.field!.data, flat, (i) => mask.data[i] === 1).rms;
    expect(left).toBeLessThan(logDifference(first.outputs.field!.data, flat, (i) => mask.data[i] === 1).rms / 4);
  });

  it("keeps what a file said of the image, and says where it came from", async () => {
    const header = { format: "other", description: "a head" };
    const warnings = [{ code: "Odd", message: "odd" }];
    const read = { ...image, meta: { source: "head.nii", decisions: ["it is a head"], warnings, header } };
    const { image: corrected, report } = await pipeline([n4(options)]).run(read, held);
    expect(report.input).toEqual({ source: "head.nii", grid: image.grid, decisions: ["it is a head"], warnings });
    expect(corrected.meta).toEqual({ decisions: [], warnings: [], header });
  });

  it("tells how far the whole of it is, naming the step", async () => {
    const told: { step: string; fraction: number }[] = [];
    const steps = [n4({ ...options, convergenceThreshold: 0 }), n4({ ...options, convergenceThreshold: 0 })];
    await pipeline(steps).run(image, { ...held, inputs: { mask }, onProgress: (progress) => told.push(progress) });
    const fractions = told.map(({ fraction }) => fraction);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(fractions.every((f) => f > 0 && f <= 1)).toBe(true);
    expect(fractions.some((f) => f > 0.5)).toBe(true);
    expect(new Set(told.map(({ step }) => step))).toEqual(new Set(["n4"]));
  });

  it("stops when it is told to, and fails as its step does", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    const stopped = await failure(() => pipeline([n4(options)]).run(image, { ...held, signal }));
    expect(stopped.code).toBe("Cancelled");
    expect(stopped.cause).toBe(signal.reason);
    const wrong = await failure(() => pipeline([n4({ maskLabel: 5 })]).run(image, { ...held, inputs: { mask } }));
    expect(wrong.code).toBe("EmptyMask");
  });

  it("may run on many images at once", async () => {
    const line = pipeline([n4(options)]);
    const others = [1, 2, 3].map((seed) => phantom([34, 29, 25], 0.2, seed));
    const alone: string[] = [];
    for (const each of others) alone.push(bits((await line.run(each.image, held)).image));
    const beside = await Promise.all(others.map(async (each) => bits((await line.run(each.image, held)).image)));
    expect(beside).toEqual(alone);
    expect(new Set(alone).size).toBe(3);
  });
});

it("without a backend one is shared", async () => {
  const { image: first } = await pipeline([n4(options)]).run(image);
  const { outputs } = await n4(options).run({ image });
  expect(await digest(outputs.image!)).toBe(await digest(first));
});
