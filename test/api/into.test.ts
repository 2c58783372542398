/** Outputs in arrays of the caller's: the same numbers, nothing made anew, and nothing written where that cannot be. */
import { describe, expect, it } from "vitest";
import {
  type BoundStep,
  clipPercentiles,
  gamma,
  localNormalisation,
  n4,
  pipeline,
  runSeries,
  standardise,
  type Volume,
  zscore,
} from "../../dist/index.js";
import { open, wasmOn } from "../backend/backends.ts";
import { bits, bothBackends, failure, phantom, useBackend } from "./images.ts";

const { image, mask } = phantom([34, 29, 25]);
const count = image.data.length;
const options = { shrinkFactor: 2, iterations: [5, 3] };
const wanted = ["image", "field", "logField"] as const;

describe.each(bothBackends)("%s", (name) => {
  const held = useBackend(name, name === "native" ? 2 : 1);

  it.each([options, { ...options, outside: "keep", preserveRange: true }] as const)(
    "are what new ones would be",
    async (given) => {
      const bound = n4(given);
      const { outputs, fitted, measures } = await bound.run({ image, mask }, wanted, held);
      // In the middle of larger memory, whose rest stays as it is.
      const memory = new Float32Array(3 * count + 20).fill(7);
      const views = wanted.map((_, i) => memory.subarray(5 + i * (count + 1), 5 + i * (count + 1) + count));
      const into = Object.fromEntries(wanted.map((output, i) => [output, views[i]!]));
      for (const phase of ["run", "apply"] as const) {
        for (const view of views) view.fill(Number.NaN);
        const made =
          phase === "run"
            ? await bound.run({ image, mask }, wanted, { ...held, into })
            : await bound.apply({ image, mask }, fitted, wanted, { ...held, into });
        expect(made.measures).toEqual(measures);
        for (const output of wanted) {
          expect(made.outputs[output]!.data).toBe(into[output]);
          expect(bits(made.outputs[output]!)).toBe(bits(outputs[output]!));
        }
      }
      const rest = [...memory.keys()].filter(
        (i) => i < 5 || (i - 5) % (count + 1) === count || i >= 5 + 3 * (count + 1),
      );
      expect(rest.every((i) => memory[i] === 7)).toBe(true);
    },
  );

  it("may be some of those that are asked for, and the same again", async () => {
    const into = { field: new Float32Array(count) };
    const first = await n4(options).run({ image, mask }, ["image", "field"], { ...held, into });
    const before = bits(first.outputs.image!);
    const second = await n4(options).run({ image }, ["image", "field"], { ...held, into });
    const alone = await n4(options).run({ image }, ["field"], held);
    expect(second.outputs.field!.data).toBe(into.field);
    expect(bits(second.outputs.field!)).toBe(bits(alone.outputs.field!));
    expect(bits(first.outputs.image!)).toBe(before);
  });

  it("are a pipeline's last step's", async () => {
    const steps = [n4(options), n4({ ...options, iterations: [2] })];
    const context = { ...held, inputs: { mask }, outputs: ["field"] };
    const expected = await pipeline(steps).run(image, context);
    const into = { image: new Float32Array(count), field: new Float32Array(count) };
    const made = await pipeline(steps).run(image, { ...context, into });
    expect(made.image.data).toBe(into.image);
    expect(made.outputs.field!.data).toBe(into.field);
    expect(bits(made.image)).toBe(bits(expected.image));
    expect(bits(made.outputs.field!)).toBe(bits(expected.outputs.field!));
  });

  const copied = (of = image) => ({ ...of, data: of.data.slice() });
  const coloured = { ...image, grid: { ...image.grid, shape: [34, 29, 5] as const, channels: 5 } };
  // With voxels near any threshold.
  const rough = { ...image, data: image.data.map((value, i) => value / 2 + ((i * 7919) % 100)) };
  it.each([
    ["N4", n4(options)],
    ["N4 that leaves the outside", n4({ ...options, outside: "keep" })],
    ["N4 in a region of the image's own", n4({ ...options, outside: "keep" }), { mask: "otsu" }, rough],
    ["N4 that looks again", n4({ ...options, preserveRange: true })],
    ["z-score", zscore({ region: "mask" })],
    ["clipped percentiles of slices", clipPercentiles({ per: "slice" })],
    ["what is no map of single voxels", localNormalisation({ window: 7 })],
    ["channels in reverse order", standardise({ mean: [1, 2, 3, 4, 5], channelOrder: "reversed" }), {}, coloured],
  ] as [string, BoundStep, Record<string, string>?, Volume?][])(
    "are the same in the image's place: %s",
    async (_, bound, own, of = image) => {
      const inputs = own ?? ("mask" in bound.step.inputs ? { mask } : {});
      const wanted = ["image"];
      const { outputs, measures, fitted } = await bound.run({ image: of, ...inputs }, wanted, held);
      const expected = bits(outputs.image!);
      const given = copied(of);
      const made = await bound.run({ image: given, ...inputs }, wanted, { ...held, inPlace: true });
      expect([bits(made.outputs.image!), made.measures, made.fitted]).toEqual([expected, measures, fitted]);
      const again = copied(of);
      const applied = await bound.apply({ image: again, ...inputs }, fitted, wanted, { ...held, inPlace: true });
      expect([bits(applied.outputs.image!), applied.measures]).toEqual([expected, measures]);
      const found = await pipeline([bound]).run(copied(of), { ...held, inputs, inPlace: true });
      expect(bits(found.image)).toBe(expected);
    },
  );

  it("count what is not finite in the image's place, too", async () => {
    const { fitted } = await n4(options).run({ image, mask }, ["image"], held);
    const chosen = [...mask.data.keys()].filter((i) => mask.data[i] === 1);
    const [first, last, outside] = [chosen[100]!, chosen.at(-1)!, mask.data.indexOf(0)];
    for (const inPlace of [false, true]) {
      const given = copied();
      given.data.set([Number.NaN], first);
      given.data.set([Number.POSITIVE_INFINITY], last);
      given.data.set([Number.NaN], outside);
      const context = { ...held, inPlace };
      const error = await failure(() => n4(options).apply({ image: given, mask }, fitted, ["image"], context));
      expect(error).toMatchObject({ code: "NotFinite", detail: { count: 2, voxels: chosen.length } });
    }
  });

  it("take the image's place only where it is given up, and nothing else lies there", async () => {
    const bound = zscore({ region: "mask" });
    const given = copied();
    const made = await bound.run({ image: given, mask }, ["image"], { ...held, inPlace: true });
    expect(made.outputs.image!.data).toBe(given.data);
    const own = copied();
    for (const context of [
      { inputs: { mask }, inPlace: true, digests: true },
      { inputs: { mask: own }, inPlace: true },
      { inputs: { mask }, inPlace: true, into: { image: new Float32Array(count) } },
      { inputs: { mask } },
    ]) {
      const { image: made } = await pipeline([bound]).run(own, { ...held, ...context });
      expect(made.data).not.toBe(own.data);
      expect(bits(own)).toBe(bits(image));
    }
    const several = copied();
    const both = pipeline([bound, gamma({ gamma: 2 })]);
    await both.run(several, { ...held, inputs: { mask } });
    expect(bits(several)).toBe(bits(image));
  });

  const shared = new Float32Array(count + 1);
  it.each([
    [
      "not asked for",
      { field: new Float32Array(count) },
      "BadOption",
      'expected outputs asked for (image), got "field"',
    ],
    ["too short", { image: new Float32Array(count - 1) }, "BadVolume", `room for ${count} voxels, got ${count - 1}`],
    ["too long", { image: new Float32Array(count + 1) }, "BadVolume", `room for ${count} voxels, got ${count + 1}`],
    ["of another type", { image: new Float64Array(count) }, "BadVolume", "expected a Float32Array"],
    ["nothing", { image: null }, "BadVolume", "expected a Float32Array, got null"],
    ["the input", { image: image.data }, "BadVolume", "expected memory of its own, got that of another array"],
    ["the mask", { image: mask.data }, "BadVolume", "memory of its own"],
  ])("%s is refused", async (_, into, code, message) => {
    const before = [bits(image), bits(mask)];
    const error = await failure(() => n4(options).run({ image, mask }, ["image"], { ...held, into: into as never }));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect([bits(image), bits(mask)]).toEqual(before);
  });

  it("that share memory, for outputs that no step makes, or of a series are refused", async () => {
    const into = { image: shared.subarray(0, count), field: shared.subarray(1) };
    const both = await failure(() => n4(options).run({ image }, ["image", "field"], { ...held, into }));
    expect(both.message).toContain("into: field: expected memory of its own");
    expect(shared.every((voxel) => voxel === 0)).toBe(true);
    const unknown = await failure(() => pipeline([n4(options)]).run(image, { ...held, into: { field: into.field } }));
    expect(unknown).toMatchObject({ code: "BadOption", message: expect.stringContaining("pipeline: into: expected") });
    const series = await failure(() => runSeries(pipeline([n4(options)]), [image, image], { ...held, into } as never));
    expect(series.code).toBe("BadOption");
  });
});

it.each(wasmOn([1, 2]))("are written by WebAssembly, whosever its memory is: %o", async (way) => {
  const backend = await open(way);
  const into = { image: new Float32Array(count) };
  const { outputs } = await n4(options).run({ image, mask }, ["image"], { backend });
  const made = await n4(options).run({ image, mask }, ["image"], { backend, into });
  expect(made.outputs.image!.data).toBe(into.image);
  expect(bits(made.outputs.image!)).toBe(bits(outputs.image!));
  await backend.close();
});
