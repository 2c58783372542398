/** What steps share that look for the mode of a tissue: a peak of the distribution of the region's voxels. */
import { z } from "zod";
import type { StepWarning } from "../step.ts";

const tail = (description: string) => z.number().min(0).max(100).meta({ description, unit: "percent" });

export const tissueMode = {
  options: () => ({
    modality: z.enum(["t1", "t2", "flair", "pd", "md", "other"]).default("t1").meta({
      description:
        "Which peak is the tissue's: the last of t1 and other, the largest of t2 and flair, the first of pd and md",
    }),
    peak: z
      .enum(["last", "largest", "first"])
      .nullable()
      .default(null)
      .meta({ description: "The peak itself", replaces: "modality" }),
    density: z.enum(["gaussian", "silverman", "histogram"]).default("gaussian").meta({
      description:
        "How the distribution is estimated: Gaussian kernels by Scott's rule; Silverman's transform, of a bandwidth that is the largest value divided by points; or counts",
    }),
    scottVoxels: z
      .int()
      .min(1)
      .max(2 ** 32 - 1)
      .nullable()
      .default(50_000)
      .meta({
        description: "Voxels that Scott's rule takes the region to have at most; null for as many as there are",
      }),
    points: z.int().min(4).max(4096).default(80).meta({
      description:
        "Values at which the distribution is known; silverman takes the next power of two, histogram as many bins",
    }),
    lowerTail: tail("Voxels below this percentile are left out of the distribution").default(0),
    lastTail: tail("Voxels above this percentile are left out where the last peak is looked for").default(96),
    firstTail: tail("Voxels above this percentile are left out where the first peak is looked for").default(99),
    largestTail: tail("Voxels above this percentile are left out where the largest peak is looked for").default(100),
  }),
  profiles: {
    v4: { region: "foreground" },
    v2: { region: "foreground", foreground: 1e-6, density: "silverman" },
  },
  /** Of one mode. */
  fitted: () => ({
    mode: z.number(),
    isPeak: z.boolean().meta({
      description:
        "Whether it is a peak; if not, there was no first or last one, and it is where the distribution is largest",
    }),
  }),
} as const;

/** The paragraphs that their pages have in common. */
export const tissueModeDoc = `
**Mode.** The one of ${"`points`"} values at which the distribution of the region's voxels, without its tails, has the first, the last
or the largest peak; a peak is larger than the values on either side of it. With n voxels of standard deviation s (n − 1),
${"`gaussian`"} is Σ exp(−½ ((x − v) / h)²) at values x from the smallest to the largest voxel, with Scott's bandwidth
h = s min(n, scottVoxels)^(−1/5). ${"`silverman`"} takes h = largest / points and values from 3 h below to 3 h above, closed to a ring
(AS 176, doi:10.2307/2347084). ${"`histogram`"} counts in equal bins and takes the middle of one.

**Profiles** of the distribution. ${"`v4`"} is intensity-normalization 4 and ${"`v2`"} is intensity-normalization 2 with statsmodels, whose
grid of 80 values has 128. Both take voxels above 0 as the region; with a mask, say ${"`region: mask`"}. Of more than 50,000 voxels version 4
draws so many at random; ours counts all, with the bandwidth of 50,000: the density that the draw estimates. (With that of all,
${"`scottVoxels: null`"}, millions of whole numbers have peaks that are noise.) There is no profile of version 3: it gives scipy max / 80, meant as
the bandwidth, as a factor of the standard deviation, so that the kernel is wider than the image's range and the mode is wrong.
`;

export const notPeak: StepWarning<{ parts: { isPeak: boolean; mode: number }[] }, never> = {
  meaning: "The distribution has no first or last peak; the mode is where it is largest",
  ofFitted({ parts }) {
    const other = parts.find(({ isPeak }) => !isPeak);
    return (
      other && `the distribution has no peak of the kind asked for; its largest value, at ${other.mode}, was taken`
    );
  },
};
