/** Intensity normalisation of one image: the whole call, from the voxels in memory to the changed image. */
import { fcm, histogramMatching, kdeMode, percentileRange, pipeline, whiteStripe, zscore } from "../../dist/index.js";
import { mean, standardDeviation } from "../statistics.ts";
import type { Case } from "./case.ts";
import { chris, niivue } from "./heads.ts";

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
  {
    id: "percentile-range",
    title: "percentiles 0.5 to 99.5 clipped to 0 to 1",
    step: percentileRange({ profile: "torchio" }),
    peers: ["torchio-percentile-range", "monai-percentile-range"],
    most: 1e-2,
  },
  {
    id: "histogram-matching",
    title: "histogram matching to chris_t1, 256 levels, 15 match points",
    step: histogramMatching({ levels: 256, matchPoints: 15 }),
    inputs: { reference: chris.image },
    peers: ["SimpleITK-histogram-matching"],
    most: 0.5,
  },
  // The peer draws 50,000 and 200,000 of the voxels; ours uses all: modes lie on a grid of 80 values, a step or two apart.
  {
    id: "white-stripe",
    title: "white stripe",
    step: whiteStripe({ profile: "v4", region: "mask" }),
    inputs: { mask },
    peers: ["intensity-normalization-white-stripe"],
    most: 30,
  },
  {
    id: "kde-mode",
    title: "KDE mode",
    step: kdeMode({ profile: "v4", region: "mask" }),
    inputs: { mask },
    peers: ["intensity-normalization-kde-mode"],
    most: 20,
  },
  {
    id: "fcm",
    title: "fuzzy c-means",
    step: fcm({ region: "mask" }),
    inputs: { mask },
    peers: ["intensity-normalization-fcm"],
    most: 5,
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
    rounds: 15,
    hasLevels: id === "zscore" || id === "percentile-range",
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
