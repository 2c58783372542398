/** N4's cases: equal iterations, the field compared with the peer's, and a check of our own result. */
import { n4, pipeline } from "../../dist/index.js";
import { standardDeviation } from "../statistics.ts";
import type { Amount, Case } from "./case.ts";
import { brainweb, chris, type Head, n3, niivue } from "./heads.ts";

/**
 * Each level runs all its iterations: the peer's convergence measure drifts on large masks, so that a threshold
 * would stop the two at different places and compare unequal work.
 */
function amount(options: Parameters<typeof n4>[0], iterations: number[]): Amount {
  return {
    iterations: iterations.reduce((sum, n) => sum + n, 0),
    pipeline: pipeline([n4({ ...options, iterations, convergenceThreshold: 0 })]),
  };
}

const usual = [10, 10, 10, 10];
const few = [2, 2, 2, 2];
const one = [1, 0, 0, 0];

function shrunk(head: Head, shrinkFactor: number, theirs: number[][] = [usual]): Case {
  const isScaled = theirs.at(-1) !== usual;
  return {
    ...shared(head),
    id: `n4-${head.id}-shrink${shrinkFactor}`,
    title: `N4, ${head.title}, shrink factor ${shrinkFactor}, 4 × 10 iterations`,
    ours: (isScaled ? [few, usual] : [usual]).map((each) => amount({ shrinkFactor }, each)),
    theirs: theirs.map((each) => amount({ shrinkFactor }, each)),
    quick: amount({ shrinkFactor }, one),
    peers: ["simpleitk-n4"],
    rounds: shrinkFactor > 2 ? 8 : 2,
    hasLevels: head === niivue && shrinkFactor === 4,
  };
}

/** `N4BiasFieldCorrection -s 4 -b [200] -c [50x50x50x50,…]`; its 1e-7 lets all iterations run. */
function recipe(head: Head): Case {
  const options = { profile: "antspyx" as const, shrinkFactor: 4, splineDistance: 200 };
  const whole = amount(options, [50, 50, 50, 50]);
  return {
    ...shared(head),
    id: `n4-${head.id}-recipe`,
    title: `N4, ${head.title}, ANTs' recipe -s 4 -b [200], 4 × 50 iterations`,
    ours: [whole],
    theirs: [whole],
    quick: amount(options, one),
    peers: ["antspyx-n4"],
    rounds: 2,
    hasLevels: false,
  };
}

/** The headline first. ITK takes minutes for a head at shrink factor 1: it runs few iterations there. */
export const n4Cases: readonly Case[] = [
  ...[niivue, chris, n3, brainweb].map((head) => shrunk(head, 4)),
  shrunk(niivue, 2),
  shrunk(niivue, 1, [one, few]),
  shrunk(brainweb, 1, [one, few]),
  recipe(niivue),
];

function shared({ image, mask }: Head) {
  return {
    inputs: { image, mask },
    compared: "field",

    accuracy: {
      title: "RMS of (our ln field − the peer's), its mean removed, in the mask",
      unit: "%",
      most: 0.1,
      // The mean goes, since the field's overall scale is arbitrary.
      difference({ mask: voxels }, field, logField) {
        const differences = [];
        for (let i = 0; i < field.data.length; i++) {
          if (voxels?.data[i] === 1) differences.push(Math.log(field.data[i]!) - logField[i]!);
        }
        return 100 * standardDeviation(differences);
      },
    },

    check({ image, mask }, { image: corrected, outputs, report }) {
      const field = outputs.field!;
      const [step] = report.steps;
      const levels = step?.fitted.levels as { iterations: number }[];
      const wanted = step?.options.iterations as number[];
      if (levels.some((level, i) => level.iterations !== wanted[i])) {
        throw new Error(`expected ${wanted} iterations, got ${levels.map((level) => level.iterations)}`);
      }
      const isKept = (i: number) => step?.options.outside === "keep" && mask?.data[i] === 0;
      for (let i = 0; i < image.data.length; i++) {
        const [before, after, factor] = [image.data[i]!, corrected.data[i]!, isKept(i) ? 1 : field.data[i]!];
        // Two roundings to float32 lie between the sides.
        if (!(factor > 0 && Math.abs(after * factor - before) <= 4e-7 * Math.abs(before))) {
          throw new Error(`voxel ${i}: expected ${before} = ${after} × ${factor}`);
        }
      }
    },
  } satisfies Partial<Case>;
}
