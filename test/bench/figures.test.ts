/** What the benchmarks work out from what they measure. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { CaseRecord, Row } from "../../bench/record.ts";
import { pair, ratios, timings } from "../../bench/tables/timing.ts";
import { figures, type Truth } from "../../bench/truth/figures.ts";
import { simulatedHeads } from "../../bench/truth/heads.ts";
import { useBackend } from "../api/images.ts";

const manifest = fileURLToPath(new URL("../../../shared/data/golden/manifest.json", import.meta.url));

describe("figures of a known field", () => {
  const voxels = [...Array(12).keys()];
  const truth: Truth = {
    image: Float32Array.from(voxels, (i) => (i < 6 ? 100 : 60) * (1 + i / 20)),
    field: Float32Array.from(voxels, (i) => 1 + i / 20),
    brain: voxels,
    tissues: { csf: [11], gm: [6, 7, 8], wm: [0, 1, 2] },
  };

  it("are 0 for the true field in any scale", () => {
    const { relativeMae, ...others } = figures(
      truth,
      truth.field.map((f) => Math.log(3 * f)),
    );
    for (const value of [...Object.values(others), ...Object.values(relativeMae)]) expect(value).toBeCloseTo(0, 4);
  });

  it("measure each tissue's distance from the brain's median", () => {
    const { relativeMae } = figures(truth, new Float32Array(12));
    const median = 1 + 5.5 / 20;
    expect(relativeMae.csf).toBeCloseTo(100 * ((1 + 11 / 20) / median - 1), 4);
    expect(relativeMae.wm).toBeCloseTo(100 * (1 - (1 + 1 / 20) / median), 4);
  });

  const reason = existsSync(manifest) ? "" : ` (skipped: ${manifest} absent)`;
  describe.skipIf(reason)(`against NumPy's in the golden manifest${reason}`, () => {
    const held = useBackend("native");

    it("of the image as it came", async () => {
      const [head] = await simulatedHeads([40], held.backend);
      const { image, truth } = head!;
      const golden = JSON.parse(readFileSync(manifest, "utf8"))["n4/sim_t1_40_n3_s2x2x2"];
      const { fieldError, whiteMatterCv } = figures(truth, new Float32Array(image.data.length));
      expect(fieldError).toBeCloseTo(100 * golden.field_cv_truth, 5);
      expect(whiteMatterCv).toBeCloseTo(100 * golden.wm.cv_before, 5);
    });
  });
});

it("scales a peer's time along the line through two amounts, so that its set-up counts once", () => {
  const ours = (iterations: number, ms: number): Row => ({
    ...{ who: "voxnorm native", threads: 1, iterations },
    rounds: [[{ ms, cpuMs: ms }]],
  });
  const theirs = (...args: Parameters<typeof ours>) => ({ ...ours(...args), who: "peer 1.0", peer: "peer" });
  const [setUp, each] = [500, 100];
  const rows = [
    ours(8, 13),
    ours(40, 45),
    theirs(1, setUp + each),
    { ...theirs(8, setUp + 8 * each), difference: 0.001 },
  ];
  const record = { rows, iterations: 40 } as unknown as CaseRecord;
  expect(timings(record).filter(({ isScaled }) => isScaled)).toMatchObject([
    { iterations: 40, rounds: [[setUp + 40 * each]] },
  ]);
  const found = pair(record, 1)!;
  expect(ratios(found.peer, found.ours)).toEqual([(setUp + 40 * each) / 45]);
});
