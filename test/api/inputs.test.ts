/** What a call takes besides options, and what it says of what it does not take: before a voxel is read. */
import { describe, expect, it } from "vitest";
import {
  type Affine,
  type Backend,
  createBackend,
  gridDifference,
  gridOf,
  n4,
  pipeline,
  volume,
} from "../../dist/index.js";
import { bits, bothBackends, failure, identity, like, moved, outcome, phantom, useBackend } from "./images.ts";

const { image, mask } = phantom([20, 18, 16]);
const bound = n4({ shrinkFactor: 1, iterations: [3] });

/** A backend that must not be reached. */
const none = {
  name: "native",
  run: () => Promise.reject(new Error("the backend was called")),
} as unknown as Backend;

// biome-ignore lint/suspicious/noExplicitAny: wrong on purpose
type Wrong = any;

/** How a run fails, which `check` tells beforehand. */
const run = async (inputs: Wrong, wanted: Wrong = ["image"], context = {}) => {
  const error = await failure(() => bound.run(inputs, wanted, { backend: none, ...context }));
  const told = await failure(async () => bound.check(inputs, wanted, context));
  expect(JSON.stringify(told)).toBe(JSON.stringify(error));
  return error;
};

/** Turned about z by so many degrees. */
function turned(degrees: number): Affine {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return [
    [c, -s, 0, 0],
    [s, c, 0, 0],
    [0, 0, 1, 0],
  ];
}

it("check says nothing of what is right", () => {
  expect(bound.check({ image, mask })).toBeUndefined();
  expect(bound.check({ image, mask: "otsu" }, ["image", "field"])).toBeUndefined();
});

describe("names", () => {
  it("a missing image is named", async () => {
    const error = await run({ mask });
    expect(error).toMatchObject({ code: "MissingInput", message: "n4: image: expected a volume, got none" });
    expect(error.detail).toEqual({ input: "image" });
  });

  it.each(["label", "toString", "constructor", "Mask"])("the unknown input %j is named", async (name) => {
    const error = await run({ image, [name]: mask });
    expect(error.code).toBe("BadOption");
    expect(error.message).toBe(`n4: expected inputs image, mask, weight, got "${name}"`);
    expect(error.detail).toEqual({ input: name });
  });

  it.each(["bias", "toString", "constructor", "", 3])("the unknown output %j is named", async (name) => {
    const error = await run({ image }, ["image", name]);
    expect(error.code).toBe("BadOption");
    expect(error.message).toBe(`n4: expected outputs image, field, logField, got ${JSON.stringify(name)}`);
    expect(error.detail).toEqual({ output: name });
  });

  it("a pipeline names them, too, and takes the image from nowhere else", async () => {
    const fails = (context: Wrong) => failure(() => pipeline([bound]).run(image, { backend: none, ...context }));
    expect(await fails({ inputs: { label: mask } })).toMatchObject({
      code: "BadOption",
      message: 'pipeline: inputs: expected mask, weight, got "label"',
      detail: { input: "label" },
    });
    expect(await fails({ outputs: ["bias"] })).toMatchObject({
      code: "BadOption",
      message: 'pipeline: outputs: expected field, logField, got "bias"',
      detail: { output: "bias" },
    });
    expect((await fails({ inputs: { image } })).code).toBe("BadOption");
    expect((await fails({ outputs: ["image"] })).code).toBe("BadOption");
  });

  it("a rule that is none of the input's is named", async () => {
    expect(await run({ image, mask: "Otsu" })).toMatchObject({
      code: "BadOption",
      message: 'n4: mask: expected a volume or otsu, got "Otsu"',
      detail: { input: "mask" },
    });
    expect(await run({ image, weight: "otsu" })).toMatchObject({
      code: "BadOption",
      message: 'n4: weight: expected a volume, got "otsu"',
    });
    expect((await run({ image: "otsu" })).code).toBe("BadOption");
  });
});

describe("volumes", () => {
  const { data, grid } = image;
  const withGrid = (changes: object) => ({ ...image, grid: { ...grid, ...changes } });
  it.each([
    ["null", null],
    ["a number", 3],
    ["a list", [1, 2]],
    ["bare voxels", data],
    ["float64 voxels", { ...image, data: Float64Array.from(data) }],
    ["signed bytes", { ...image, data: new Int8Array(data.length) }],
    ["a list of voxels", { ...image, data: [...data] }],
    ["no grid", { data }],
    ["too few voxels", { ...image, data: data.subarray(1) }],
    ["too many voxels", { ...image, data: new Float32Array(data.length + 1) }],
    ["no voxels", { ...image, data: new Float32Array(0), grid: { ...grid, shape: [0, 18, 16] } }],
    ["a shape of fractions", withGrid({ shape: [2.5, 18, 128] })],
    ["a shape of two", withGrid({ shape: [20, 288] })],
    ["a negative shape", withGrid({ shape: [-20, -18, 16] })],
    ["more channels than voxels for them", withGrid({ channels: 2 })],
    ["NaN in the affine", moved(image, [[Number.NaN, 0, 0, 0], identity[1], identity[2]])],
    ["infinity in the affine", moved(image, [[1, 0, 0, Number.POSITIVE_INFINITY], identity[1], identity[2]])],
    ["an axis of no length", moved(image, [[0, 0, 0, 0], identity[1], identity[2]])],
    ["axes that depend on each other", moved(image, [identity[0], identity[0], identity[2]])],
  ])("%s in place of the image or the mask is BadVolume", async (_, wrong: Wrong) => {
    for (const [name, error] of [
      ["image", await run({ image: wrong })],
      ["mask", await run({ image, mask: wrong })],
    ] as const) {
      expect(error.code).toBe("BadVolume");
      expect(error.message).toMatch(new RegExp(`^n4: ${name}: expected `));
    }
  });

  it("bytes in place of the image or the weight are BadVolume", async () => {
    const bytes = { ...image, data: new Uint8Array(data.length).fill(1) } as Wrong;
    for (const [name, error] of [
      ["image", await run({ image: bytes })],
      ["weight", await run({ image, weight: bytes })],
    ] as const) {
      expect(error.code).toBe("BadVolume");
      expect(error.message).toBe(`n4: ${name}: expected a volume: Float32Array data on a grid`);
    }
  });

  it("cannot be made from such", () => {
    const singular: Affine = [identity[0], identity[1], [0, 0, 0, 0]];
    expect(() => volume(data, [20, 18, 15])).toThrow("volume: expected 5400 voxels for shape 20×18×15, got 5760");
    expect(() => volume(data, [20.5, 18, 16])).toThrow("whole numbers");
    expect(() => volume(data, [20, 18, 16], singular)).toThrow("three independent axes");
  });

  it("say how many voxels there should be", async () => {
    expect((await run({ image: { ...image, data: data.subarray(1) } })).message).toBe(
      "n4: image: expected 5760 voxels for shape 20×18×16, got 5759",
    );
  });
});

describe("grids", () => {
  it("of another shape are refused with both shapes", async () => {
    const other = phantom([20, 16, 18]).mask;
    const error = await run({ image, mask: other });
    expect(error.code).toBe("GridMismatch");
    expect(error.message).toBe("n4: mask: expected the image's shape 20×18×16, got 20×16×18");
    expect(error.detail).toEqual({ expected: [20, 18, 16], got: [20, 16, 18] });
  });

  it("elsewhere are refused with how far in mm", async () => {
    const shifted = moved(mask, [[1, 0, 0, 0.3], identity[1], [0, 0, 1, -0.4]]);
    const error = await run({ image, mask: shifted });
    expect(error.code).toBe("GridMismatch");
    expect(error.message).toContain("0.500 mm and 0.00° off");
    expect(error.detail.mm).toBeCloseTo(0.5, 12);
    expect(error.detail.degrees).toBe(0);
    expect(error.detail.tolerance).toBe(0.01);
  });

  it("turned are refused with how far in degrees", async () => {
    const error = await run({ image, weight: moved(mask, turned(2)) });
    expect(error.message).toMatch(/^n4: weight: expected the image's position within 0.01 mm, got one /);
    expect(error.detail.degrees).toBeCloseTo(2, 9);
    // The far corner lies √(19² + 17²) mm from the axis and moves along a chord.
    expect(error.detail.mm).toBeCloseTo(2 * Math.sin(Math.PI / 180) * Math.hypot(19, 17), 9);
    expect(gridDifference(image.grid, gridOf(image.grid.shape, turned(90))).degrees).toBeCloseTo(90, 9);
    const flipped: Affine = [[-1, 0, 0, 0], identity[1], identity[2]];
    expect(gridDifference(image.grid, gridOf(image.grid.shape, flipped))).toEqual({ mm: 38, degrees: 180 });
  });

  it.each([-0.1, Number.NaN, "1"])("are compared within a distance, which %j is not", async (tolerance) => {
    const error = await run({ image, mask }, ["image"], { gridTolerance: tolerance });
    expect(error.code).toBe("BadOption");
    expect(error.detail.option).toBe("gridTolerance");
  });
});

describe.each(bothBackends)("%s", (name) => {
  const held = useBackend(name);

  it("takes a mask that lies within the tolerance, which may be raised", async () => {
    const near = moved(mask, [[1, 0, 0, 0.009], identity[1], identity[2]]);
    const far = moved(mask, [[1, 0, 0, 3], identity[1], identity[2]]);
    const wanted = ["image"] as const;
    const exact = bits((await bound.run({ image, mask }, wanted, held)).outputs.image!);
    expect(bits((await bound.run({ image, mask: near }, wanted, held)).outputs.image!)).toBe(exact);
    const raised = { ...held, gridTolerance: 3 };
    expect(bits((await bound.run({ image, mask: far }, wanted, raised)).outputs.image!)).toBe(exact);
    const error = await failure(() => bound.run({ image, mask: far }, wanted, { ...held, gridTolerance: 2.999 }));
    expect(error.code).toBe("GridMismatch");
    const piped = await pipeline([bound]).run(image, { ...raised, inputs: { mask: far } });
    expect(bits(piped.image)).toBe(exact);
    const exactly = { ...held, gridTolerance: 0 };
    expect(bits((await bound.run({ image, mask }, wanted, exactly)).outputs.image!)).toBe(exact);
  });

  it("gives outputs the image's grid", async () => {
    const placed = moved(image, [
      [0, 0, -2, 10],
      [1.5, 0.1, 0, -3],
      [0, 1, 0, 7],
    ]);
    const { outputs } = await bound.run({ image: placed }, ["image", "field"], held);
    expect(outputs.image!.grid).toEqual(placed.grid);
    expect(outputs.field!.grid).toEqual(placed.grid);
  });

  it("refuses an image of two channels", async () => {
    const two = { ...image, data: new Float32Array(2 * image.data.length), grid: { ...image.grid, channels: 2 } };
    expect((await failure(() => bound.run({ image: two }, ["image"], held))).code).toBe("BadVolume");
  });
});

describe.each(bothBackends)("fitted values, %s", (name) => {
  const held = useBackend(name);
  type Fitted = Awaited<ReturnType<typeof bound.fit>>;

  async function refused(change: (fitted: Wrong) => void): Promise<void> {
    const fitted = structuredClone(await bound.fit({ image, mask }, held)) as Fitted;
    change(fitted);
    // As a hostile file would bring them; NaN and infinity become null there.
    for (const given of [fitted, JSON.parse(JSON.stringify(fitted)) as Fitted]) {
      const error = await failure(() => bound.apply({ image }, given, ["image"], held));
      expect(error.code).toBe("BadFitted");
      expect(error.message).toMatch(/^n4: /);
    }
  }

  it.each([
    ["points beyond the values", (f: Fitted) => (f.lattice.points = [1e6, 1e6, 1e6])],
    ["points beyond all counting", (f: Fitted) => (f.lattice.points = [2 ** 53 - 1, 2 ** 53 - 1, 2 ** 53 - 1])],
    [
      "points whose product wraps to 0 in 32 bits",
      (f: Fitted) => (f.lattice = { points: [65536, 65536, 4], values: [] }),
    ],
    [
      "points whose product wraps to 0 in 64 bits",
      (f: Fitted) => (f.lattice = { points: [2 ** 32, 2 ** 32, 4], values: [] }),
    ],
    ["no values", (f: Fitted) => (f.lattice.values = [])],
    ["a value too few", (f: Fitted) => void f.lattice.values.pop()],
    ["a value too many", (f: Fitted) => void f.lattice.values.push(0)],
    ["NaN", (f: Fitted) => (f.lattice.values[3] = Number.NaN)],
    ["infinity", (f: Fitted) => (f.lattice.values[3] = Number.POSITIVE_INFINITY)],
    ["a value whose exponential is infinite", (f: Fitted) => (f.lattice.values[3] = 1e308)],
    ["a value whose exponential is nothing", (f: Fitted) => (f.lattice.values[63] = -104)],
    ["negative points", (f: Fitted) => (f.lattice.points = [-4, -4, 4])],
    ["fewer points than a cubic needs", (f: Fitted) => (f.lattice.points = [3, 4, 4])],
    ["points that are fractions", (f: Fitted) => (f.lattice.points = [4.5, 4, 4])],
    ["points in words", (f: Wrong) => (f.lattice.points = "4,4,4")],
    ["a negative count", (f: Fitted) => (f.region.voxels = -1)],
    ["an unknown rule", (f: Wrong) => (f.region.rule = "percentile")],
    ["a part too many", (f: Wrong) => (f.bias = 1)],
    ["a part too few", (f: Wrong) => delete f.levels],
  ])("%s are BadFitted", (_, change: (fitted: Wrong) => void) => refused(change));

  it.each([null, undefined, [], "fitted", 3])("%j is BadFitted", async (given: Wrong) => {
    expect((await failure(() => bound.apply({ image }, given, ["image"], held))).code).toBe("BadFitted");
  });

  it("of counts beyond 32 bits apply", async () => {
    const fitted = await bound.fit({ image, mask }, held);
    const huge = { ...fitted, region: { ...fitted.region, voxels: 2 ** 53 - 1 }, levels: [] };
    const [own, other] = await Promise.all([fitted, huge].map((each) => bound.apply({ image }, each, ["field"], held)));
    expect(bits(other!.outputs.field!)).toBe(bits(own!.outputs.field!));
  });

  it.each([
    ["a shape of no voxels", (f: Fitted) => (f.grid.shape = [0, 4, 4])],
    ["padding that is negative", (f: Fitted) => (f.grid.padding.lower = [-1, 0, 0])],
    ["an affine of two rows", (f: Wrong) => f.grid.affine.pop()],
    ["an affine that is not finite", (f: Fitted) => (f.grid.affine[0][0] = Number.NaN)],
  ])("of a grid of %s are BadFitted", (_, change: (fitted: Wrong) => void) => refused(change));

  it.each([
    [
      "turned",
      [
        [0.8, -0.6, 0, 0],
        [0.6, 0.8, 0, 0],
        [0, 0, 1, 0],
      ],
    ],
    [
      "beyond",
      [
        [1, 0, 0, 3],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
      ],
    ],
    [
      "before",
      [
        [1, 0, 0, -3],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
      ],
    ],
    [
      "coarser and larger",
      [
        [2, 0, 0, 0],
        [0, 2, 0, 0],
        [0, 0, 2, 0],
      ],
    ],
  ] as [string, Affine][])("do not apply to an image that lies %s", async (_, affine) => {
    const fitted = await bound.fit({ image, mask }, held);
    const error = await failure(() => bound.apply({ image: moved(image, affine) }, fitted, ["image"], held));
    expect(error.code).toBe("GridMismatch");
    expect(error.message).toMatch(/^n4: image: expected a grid (within|with axes parallel to) the one/);
  });

  it("of a grid that is singular apply to no other", async () => {
    const fitted = structuredClone(await bound.fit({ image, mask }, held));
    fitted.grid.affine[2] = [0, 0, 0, 0];
    expect((await failure(() => bound.apply({ image }, fitted, ["image"], held))).code).toBe("GridMismatch");
  });
});

/** The cubic B-spline of a lattice by its definition; the last sample lies a thousandth of a step before the end. */
function splineField(points: readonly number[], values: readonly number[], shape: readonly number[]) {
  const weights = (sample: number, axis: number): [number, number][] => {
    const [spans, samples] = [points[axis]! - 3, shape[axis]!];
    const step = samples > 1 ? spans / (samples - 1) : 0;
    const position = samples > 1 && sample === samples - 1 ? spans - 1e-3 * step : sample * step;
    const first = Math.floor(position);
    // Each point's basis function is centred one span after where its piece begins.
    return [0, 1, 2, 3].map((a) => {
      const d = Math.abs(position - (first + a - 1));
      return [first + a, d < 1 ? (4 - 6 * d * d + 3 * d ** 3) / 6 : (2 - d) ** 3 / 6];
    });
  };
  return (x: number, y: number, z: number) => {
    let sum = 0;
    for (const [k, wz] of weights(z, 2)) {
      for (const [j, wy] of weights(y, 1)) {
        for (const [i, wx] of weights(x, 0)) sum += wx * wy * wz * values[(k * points[1]! + j) * points[0]! + i]!;
      }
    }
    return sum;
  };
}

describe.each(bothBackends)("a given lattice, %s", (name) => {
  const held = useBackend(name);
  it.each([
    [
      [2, 2, 2],
      [4, 4, 4],
    ],
    [
      [2, 3, 5],
      [4, 5, 6],
    ],
    [
      [17, 1, 33],
      [7, 4, 5],
    ],
    [
      [5, 40, 70],
      [6, 9, 4],
    ],
  ] as [[number, number, number], [number, number, number]][])(
    "is evaluated over %j voxels by the definition",
    async (shape, points) => {
      // Steep, so that a thousandth of a step shows at the far edges.
      const values = Array.from({ length: points[0] * points[1] * points[2] }, (_, i) => ((i * 29) % 17) / 2 - 4);
      const flat = volume(new Float32Array(shape[0] * shape[1] * shape[2]).fill(1), shape);
      const fit = await bound.fit({ image, mask }, held);
      const fitted = {
        ...fit,
        lattice: { points, values },
        grid: { ...fit.grid, shape, affine: flat.grid.affine },
      } as typeof fit;
      const { outputs } = await bound.apply({ image: flat }, fitted, ["field"], held);
      const expected = splineField(points, values, shape);
      const wanted = like(flat, (x, y, z) => Math.exp(expected(x, y, z)));
      const worst = wanted.data.reduce((most, v, i) => Math.max(most, Math.abs(outputs.field!.data[i]! / v - 1)), 0);
      // ln field of up to 4 in single precision.
      expect(worst).toBeLessThan(4e-6);
    },
  );
});

it("the same fitted values give the same bytes on both backends", async () => {
  const [native, wasm] = [await createBackend({ backend: "native" }), await createBackend({ backend: "wasm" })];
  const fitted = await bound.fit({ image, mask }, { backend: native });
  expect(await bound.fit({ image, mask }, { backend: wasm })).toEqual(fitted);
  const applied = (backend: Backend) =>
    outcome(async () => (await bound.apply({ image }, fitted, ["image"], { backend })).outputs.image!);
  expect(await applied(wasm)).toBe(await applied(native));
  await Promise.all([native.close(), wasm.close()]);
});
