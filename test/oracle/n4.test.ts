/** The Rust N4 against its definition, on seeded random images of awkward shapes. */
import { afterAll, describe, expect, it } from "vitest";
import { type Backend, createBackend, n4, type Triple, volume } from "../../dist/index.js";
import { n4Oracle } from "./n4.ts";

const backends: Backend[] = [await createBackend({ backend: "native" }), await createBackend({ backend: "wasm" })];
afterAll(() => Promise.all(backends.map((backend) => backend.close())));

/** Seeded and uniform in [0, 1). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Two tissues under a smooth field with noise, a mask with holes, and weights. */
function phantom(shape: Triple, seed: number) {
  const next = random(seed);
  const [image, mask, weight] = [0, 0, 0].map(() => new Float32Array(shape[0] * shape[1] * shape[2]));
  let at = 0;
  for (let z = 0; z < shape[2]; z++) {
    for (let y = 0; y < shape[1]; y++) {
      for (let x = 0; x < shape[0]; x++, at++) {
        const [i, j, k] = [x / shape[0], y / shape[1], z / shape[2]];
        const tissue = Math.hypot(i - 0.5, j - 0.5, k - 0.5) < 0.3 ? 700 : 400;
        image![at] = tissue * Math.exp(0.3 * i - 0.2 * j * k) * (1 + 0.05 * (next() - 0.5));
        mask![at] = next() < 0.85 ? 1 : 2;
        weight![at] = Math.max(0, next() - 0.05);
      }
    }
  }
  return { image: image!, mask: mask!, weight: weight! };
}

interface Trial {
  readonly name: string;
  readonly shape: Triple;
  readonly options: Record<string, unknown>;
  readonly factor?: Triple;
  readonly masked?: boolean;
  readonly weighted?: boolean;
  /** Voxels laid around the image, before its first and after its last along each axis: by hand from the distance. */
  readonly rim?: readonly [Triple, Triple];
  /** The first voxel kept of the padded image, where it is not the first there is. */
  readonly first?: Triple;
}

const trials: Trial[] = [
  { name: "no mask", shape: [17, 15, 9], options: {} },
  { name: "a mask with holes", shape: [16, 11, 7], options: {}, masked: true },
  { name: "a mask and weights", shape: [31, 9, 8], options: {}, masked: true, weighted: true },
  { name: "weights alone, one level", shape: [33, 6, 5], options: { iterations: [3] }, weighted: true },
  {
    name: "more control points along one axis",
    shape: [19, 12, 6],
    options: { controlPoints: [4, 6, 5] },
    masked: true,
  },
  {
    name: "shrunk, an offset given",
    shape: [34, 23, 14],
    options: { shrinkOffset: [1, 0, 1] },
    factor: [2, 3, 2],
    masked: true,
  },
  { name: "two dimensions", shape: [40, 33, 1], options: {}, masked: true },
  { name: "a row", shape: [300, 1, 1], options: {} },
  {
    name: "fewer bins, other width and noise",
    shape: [18, 14, 8],
    options: { histogramBins: 50, fullWidthAtHalfMaximum: 0.3, wienerNoise: 0.1 },
  },
  {
    name: "exact mapping, shrunk",
    shape: [34, 23, 14],
    options: { fieldMapping: "exact" },
    factor: [2, 3, 2],
    first: [1, 2, 1],
    masked: true,
  },
  {
    name: "padded",
    shape: [17, 14, 9],
    options: { splineDistance: 12 },
    rim: [
      [4, 5, 2],
      [4, 6, 2],
    ],
  },
  {
    name: "padded with a mask, weights and two spans",
    shape: [20, 13, 9],
    options: { splineDistance: 14 },
    rim: [
      [4, 1, 3],
      [5, 1, 3],
    ],
    masked: true,
    weighted: true,
  },
  {
    name: "padded and shrunk",
    shape: [20, 13, 9],
    options: { splineDistance: 14 },
    factor: [2, 3, 1],
    first: [1, 1, 0],
    rim: [
      [4, 1, 3],
      [5, 1, 3],
    ],
  },
  {
    name: "padded, shrunk and mapped exactly",
    shape: [20, 13, 9],
    options: { splineDistance: 14, fieldMapping: "exact" },
    factor: [2, 3, 1],
    first: [1, 1, 0],
    rim: [
      [4, 1, 3],
      [5, 1, 3],
    ],
  },
  // Three and more of the parallel chunks of planes, the mask in all of them.
  { name: "many planes", shape: [16, 24, 66], options: { iterations: [2, 2] }, masked: true, weighted: true },
];

const unpadded: [Triple, Triple] = [
  [0, 0, 0],
  [0, 0, 0],
];

describe.each(trials)("n4 equals its definition: $name", (trial) => {
  const { shape, options, factor = [1, 1, 1], masked, weighted, rim = unpadded } = trial;
  const { image, mask, weight } = phantom(shape, 7);
  const given = { shrinkFactor: factor, iterations: [3, 3], convergenceThreshold: 0, ...options };
  const bound = n4(given as never);
  const complete = bound.options as Record<string, unknown>;
  const [lower, upper] = rim;
  const wide = shape.map((n, a) => lower[a]! + n + upper[a]!) as Triple;
  const spans = wide.map((n) => Math.round((n - 1) / (complete.splineDistance as number)));
  /** Where a voxel of the padded image lies in the image; nowhere in the padding. */
  const source = (index: number): number | undefined => {
    const [x, y, z] = [
      index % wide[0],
      Math.floor(index / wide[0]) % wide[1],
      Math.floor(index / wide[0] / wide[1]),
    ].map((i, a) => i - lower[a]!) as Triple;
    const isInside = [x, y, z].every((i, a) => i >= 0 && i < shape[a]!);
    return isInside ? (z * shape[1] + y) * shape[0] + x : undefined;
  };
  const voxels = Float32Array.from({ length: wide[0] * wide[1] * wide[2] }, (_, i) => image[source(i) ?? -1] ?? 0);
  const field = n4Oracle(
    voxels,
    wide,
    (index) => source(index) !== undefined && (!masked || mask[source(index)!] === 1),
    (index) => (weighted ? weight[source(index)!]! : 1),
    {
      factor,
      offset: (complete.shrinkOffset as Triple | null) ?? trial.first ?? [0, 0, 0],
      iterations: complete.iterations as number[],
      controlPoints: trial.rim ? (spans.map((n) => n + 3) as Triple) : (complete.controlPoints as Triple),
      bins: complete.histogramBins as number,
      width: complete.fullWidthAtHalfMaximum as number,
      noise: complete.wienerNoise as number,
      exact: (complete.fieldMapping as string) === "exact",
    },
  );
  const expected = field.filter((_, i) => source(i) !== undefined);

  it.each(backends)("on $name", async (backend) => {
    const inputs = {
      image: volume(image, shape),
      ...(masked ? { mask: volume(mask, shape) } : {}),
      ...(weighted ? { weight: volume(weight, shape) } : {}),
    };
    const { outputs } = await bound.run(inputs, ["field"], { backend });
    const differences = Array.from(outputs.field!.data, (factor, i) => Math.log(factor) - expected[i]!);
    const rms = Math.sqrt(differences.reduce((sum, d) => sum + d * d, 0) / differences.length);
    const spread = Math.max(...expected) - Math.min(...expected);
    // The Rust code bins u finely before it rebins it: that is the difference allowed here.
    expect(spread).toBeGreaterThan(0.01);
    expect(rms / spread).toBeLessThan(1e-3);
  });
});
