/** Intensity normalisation of one image: the whole call, from the voxels in memory to the changed image. */
import { pipeline, zscore } from "../../dist/index.js";
import { mean, standardDeviation } from "../statistics.ts";
import type { Case } from "./case.ts";
import { niivue } from "./heads.ts";

const { image, mask } = niivue;

interface Method {
  readonly id: string;
  readonly title: string;
  readonly step: Parameters<typeof pipeline>[0][number];
  readonly inputs?: Record<string, string>;
  readonly peers: readonly string[];
  /** Largest difference, in % of the output's standard deviation. */
  readonly most: number;
}

const methods: readonly Method[] = [
  {
    id: "zscore",
    title: "z-score, statistics of all voxels",
    step: zscore(),
    peers: ["torchio-zscore", "monai-zscore", "SimpleITK-zscore"],
    most: 1e-3,
  },
  {
    id: "zscore-mask",
    title: "z-score, statistics of the mask",
    step: zscore({ region: "mask" }),
    inputs: { mask },
    peers: ["intensity-normalization-zscore"],
    most: 1e-3,
  },
];

export const normalisationCases: readonly Case[] = methods.map(({ id, title, step, inputs, peers, most }) => {
  const whole = { iterations: 1, pipeline: pipeline([step]) };
  return {
    id: `normalise-${id}-niivue`,
    title: `${title}, ${niivue.title}`,
    inputs: { image, ...inputs },
    ours: [whole],
    theirs: [whole],
    quick: whole,
    peers,
    rounds: 5,
    hasLevels: id === "zscore",
    compared: "image",
    accuracy: {
      title: "RMS of (ours − the peer's) over the standard deviation of ours",
      unit: "%",
      most,
      difference(_, { data: ours }, theirs) {
        const differences = Array.from(ours, (v, i) => v - theirs[i]!);
        const rms = Math.hypot(standardDeviation(differences), mean(differences));
        return (100 * rms) / standardDeviation(Array.from(ours));
      },
    },
    check(_, { image: made }) {
      const at = made.data.findIndex((v) => !Number.isFinite(v));
      if (at >= 0) throw new Error(`voxel ${at}: expected a finite number, got ${made.data[at]}`);
    },
  };
});
