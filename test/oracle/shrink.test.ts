/** Which voxels N4 keeps when it shrinks, against ITK: where the exact centre is a tie, rounding errors decide. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { type Affine, createBackend, n4, type Triple, volume } from "../../dist/index.js";

interface Recorded {
  readonly source: string;
  readonly cases: readonly { shape: Triple; affine: Affine; factor: Triple; offset: Triple }[];
}

const recorded = JSON.parse(readFileSync(new URL("shrink-offsets.json", import.meta.url), "utf8")) as Recorded;

it(`keeps the voxels that ${recorded.source} keeps`, async () => {
  const backend = await createBackend();
  let [ties, agreeing] = [0, 0];
  for (const { shape, affine, factor, offset } of recorded.cases) {
    const voxels = Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) => 1 + (i % 7));
    const bound = n4({ shrinkFactor: factor, iterations: [0] });
    const { shrink } = await bound.fit({ image: volume(voxels, shape, affine) }, { backend });
    for (const axis of [0, 1, 2] as const) {
      const isTie = (shape[axis] - 1 - (Math.floor(shape[axis] / factor[axis]) - 1) * factor[axis]) % 2 === 1;
      if (!isTie) expect(shrink.offset[axis]).toBe(offset[axis]);
      ties += isTie ? 1 : 0;
      agreeing += isTie && shrink.offset[axis] === offset[axis] ? 1 : 0;
    }
  }
  await backend.close();
  // ITK's own rounding of oblique directions cannot be had from the affine alone: a few in a hundred differ.
  expect(ties).toBeGreaterThan(50);
  expect(agreeing / ties).toBeGreaterThan(0.95);
});
