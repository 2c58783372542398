/** Whole heads' worth of voxels, most of them equal to many others: what takes quadratic time for those does not end here. */
import { afterAll, expect, it } from "vitest";
import {
  clipPercentiles,
  createBackend,
  digest,
  exactHistogramMatching,
  fcm,
  histogramEqualisation,
  histogramMatching,
  kdeMode,
  pipeline,
  robust,
  type Volume,
  volume,
  whiteStripe,
} from "../../dist/index.js";

const shape: [number, number, number] = [192, 192, 96];

/** Air, and two tissues with noise; whole numbers, or few others. */
function head(factor: number): Volume {
  let state = 9;
  const next = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  const data = Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) => {
    const noise = Math.round(20 * (next() + next() - 1));
    return i % 192 < 60 ? 0 : factor * ((i % 192 < 110 ? 300 : 560) + noise);
  });
  return volume(data, shape);
}

/** Milliseconds: these take a hundredth of it, a selection in quadratic time twice as long. */
const tooLong = 15_000;

const images = { "whole numbers": head(1), "few others": head(0.37) };
const backends = await Promise.all(
  (["native", "wasm"] as const).map((backend) => createBackend({ backend, threads: 1 })),
);
afterAll(() => Promise.all(backends.map((backend) => backend.close())));

const steps = [
  ...[clipPercentiles(), robust(), kdeMode(), whiteStripe(), fcm(), histogramEqualisation()],
  ...[histogramMatching(), exactHistogramMatching()],
];
const cases = steps.flatMap((step) =>
  Object.entries(images).map(([of, image]) => ({ step, id: step.step.id, of, image })),
);

it.each(cases)(
  "$id of $of has the same bytes natively and in WebAssembly",
  async ({ step, image }) => {
    const digests = await Promise.all(
      backends.map(async (backend) => {
        const inputs = "reference" in step.step.inputs ? { reference: images["whole numbers"] } : {};
        const result = await pipeline([step]).run(image, { backend, inputs });
        return digest(result.image, backend);
      }),
    );
    expect(new Set(digests).size).toBe(1);
  },
  tooLong,
);
