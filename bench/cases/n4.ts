/** What all cases of N4 share: equal iterations, the field compared with the peer's, and a check of our own result. */
import { n4, pipeline } from "../../dist/index.js";
import { centredRms } from "../statistics.ts";
import type { Case } from "./case.ts";

/**
 * Each level runs all its iterations: the peer's convergence measure drifts on large masks, so that a threshold
 * would stop the two at different places and compare unequal work.
 */
const forced = (iterations: number[]) => pipeline([n4({ shrinkFactor: 4, iterations, convergenceThreshold: 0 })]);

export const n4Case = {
  pipeline: forced([10, 10, 10, 10]),
  quickPipeline: forced([1, 1, 1, 1]),
  peers: ["simpleitk-n4"],
  compared: "field",

  accuracy: {
    title: "RMS of (our ln field − the peer's), its mean removed, in the mask",
    unit: "%",
    most: 0.02,
    // The mean goes, since the field's overall scale is arbitrary.
    difference({ mask }, field, logField) {
      const differences = [];
      for (let i = 0; i < field.data.length; i++) {
        if (mask?.data[i] === 1) differences.push(Math.log(field.data[i]!) - logField[i]!);
      }
      return 100 * centredRms(differences);
    },
  },

  check({ image }, { image: corrected, outputs, report }) {
    const field = outputs.field!;
    const [step] = report.steps;
    const levels = step?.fitted.levels as { iterations: number }[];
    const wanted = step?.options.iterations as number[];
    if (levels.some((level, i) => level.iterations !== wanted[i])) {
      throw new Error(`expected ${wanted} iterations, got ${levels.map((level) => level.iterations)}`);
    }
    for (let i = 0; i < image.data.length; i++) {
      const [before, after, factor] = [image.data[i]!, corrected.data[i]!, field.data[i]!];
      // Two roundings to float32 lie between the sides.
      if (!(factor > 0 && Math.abs(after * factor - before) <= 4e-7 * Math.abs(before))) {
        throw new Error(`voxel ${i}: expected ${before} = ${after} × ${factor}`);
      }
    }
  },
} satisfies Omit<Case, "id" | "title" | "inputs">;
