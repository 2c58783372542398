import { z } from "zod";
import { field, image, mask, weight } from "../slots.ts";
import { defineStep } from "../step.ts";
import { maskLabel, perAxis, triple } from "./options.ts";

/** Spans of the last level; more would describe single voxels rather than a slowly varying field. */
const mostSpans = 128;
const mostPoints = mostSpans + 3;

const row = () => z.tuple([z.number(), z.number(), z.number(), z.number()]);

function entropy() {
  return z.strictObject({ before: z.number(), after: z.number() }).meta({
    description: "Of ln v over the voxels that the fit saw: of its histogram's shares, plus ln of a bin's width",
    unit: "nat",
  });
}

export const n4 = defineStep({
  id: "n4",
  title: "N4 bias-field correction",
  summary: "Divide an MR image by the slowly varying field that blurs its histogram",
  doc: `
The image is modelled as v = u · f with a smooth factor f. In logarithms the factor adds, and so blurs the
histogram; N4 sharpens the histogram again and fits a B-spline to what each voxel moved by:

    ln f  ←  ln f + fit(r),   r = u − E(u),   u = ln v − ln f

- **Histogram.** ${"`histogramBins`"} bins between the smallest and largest u, refilled every iteration through a triangular
  window. E(u) is the expected true value given u, after deconvolution by a Gaussian of
  ${"`fullWidthAtHalfMaximum`"} with a Wiener filter.
- **Fit.** A cubic B-spline lattice stretched over the image, of ${"`controlPoints`"} at the first level, or with spans of
  ${"`splineDistance`"} mm, for which the image is padded to whole spans with voxels outside the mask, as ANTs does. Each level doubles its spans and ends after its
  number of iterations, or once the coefficient of variation of the field's change is at most ${"`convergenceThreshold`"}.
- **Shrinking.** The fit sees every ${"`shrinkFactor`"}-th voxel, or voxels of about ${"`workingResolution`"} mm; the field is
  evaluated for all. The peers stretch the lattice over the voxels seen and then over all; ${"`fieldMapping: exact`"} takes those seen
  where they are, which moves the field by 0.2 to 0.6 % and is about as accurate.
- **Output.** image = v / f. Outside the mask, too, unless ${"`outside`"} is ${"`keep`"}. The field's overall scale is arbitrary;
  ${"`preserveRange`"} maps the mask's voxels linearly to the smallest and largest value they had.

**As ANTs.** The profile ${"`antspyx`"} has the defaults of ${"`ants.n4_bias_field_correction`"}. The command line's recipe
${"`N4BiasFieldCorrection -s 4 -b [200] -c [50x50x50x50,0] -x mask -r 1`"} is

    n4({ profile: "antspyx", splineDistance: 200, convergenceThreshold: 0, preserveRange: true })
    voxnorm n4 head.nii.gz -o out.nii.gz --mask mask.nii.gz --profile antspyx --spline-distance 200 --convergence-threshold 0 --preserve-range true

and ${"`-b [1x2x1]`"} is ${"`controlPoints: [4, 5, 4]`"}.

**A fitted field again.** ${"`fit`"} gives the lattice as JSON, and ${"`apply`"} takes it to any image whose axes are parallel to those
of the one it was fitted on and that lies within its field of view: another contrast, another resolution, a crop.

**Doing nothing** is the baseline: ${"`worse`"} names what the correction made larger, and a warning says so. N4 fits anatomy
where there is no field.

**Thin axes.** An axis that the factor would leave a single voxel of is shrunk less, down to as many voxels as control points;
ITK refuses such an image. A 2-D image is one plane. Of a series (4-D) the command corrects each volume apart.

**Mask.** Only voxels whose mask value is ${"`maskLabel`"} are used; without a mask, all are. ${"`otsu`"} in place of a mask uses the
voxels above Otsu's threshold (200 bins, as ITK). Voxels of weight 0 or less are not used; a weight counts in the
fit, not in the histogram. Voxels that are 0 or negative have no logarithm: like ITK, N4 lets them stand as they
are among the logarithms. The report counts them; a mask that leaves the background out avoids them.

**Failures.** ${"`EmptyMask`"}, ${"`NotFinite`"} (NaN or infinity among the used voxels), ${"`ConstantImage`"}, ${"`GridMismatch`"}
(also of an image that a fitted field does not reach).

**Where it differs from ITK.** The convergence measure is summed in double precision; ITK's running mean is single and
drifts on large masks, so that it iterates longer at shrink factors 1 and 2. Residuals are summed in single precision
over a plane and in double over the image. At equal
iterations the fields agree within 0.01 %; with antspyx within 0.002 %, without a mask within 0.05 %.
`,
  modalities: ["MR"],
  references: ["doi:10.1109/TMI.2010.2046908", "doi:10.1109/42.668698", "doi:10.1109/2945.620490"],
  inputs: {
    image: image("The image to correct"),
    mask: mask("Voxels to estimate the field from", ["otsu"]).optional(),
    weight: weight("How much each voxel counts in the fit").optional(),
  },
  outputs: {
    image: image("The image divided by the field"),
    field: field("The factor that the image was divided by").optional(),
    logField: field("The natural logarithm of the field").optional(),
  },
  options: () =>
    z
      .strictObject({
        maskLabel: maskLabel().default(1),
        shrinkFactor: perAxis(z.int().min(1).max(64))
          .prefault(4)
          .meta({ description: "Keep every n-th voxel for the fit; one number or one per axis", unit: "voxels" }),
        shrinkOffset: perAxis(z.int().min(0))
          .nullable()
          .prefault(null)
          .meta({ description: "First voxel kept; null centres the kept ones as ITK does", unit: "voxels" }),
        workingResolution: z.number().positive().max(1000).nullable().default(null).meta({
          description: "Voxel size that the fit sees, to the nearest whole factor",
          unit: "mm",
          replaces: "shrinkFactor",
        }),
        iterations: z
          .array(z.int().min(0).max(10_000))
          .min(1)
          .max(8)
          .default([50, 50, 50, 50])
          .meta({ description: "Most iterations of each level; their number is the number of levels" }),
        convergenceThreshold: z
          .number()
          .min(0)
          .default(0.001)
          .meta({ description: "A level ends when the field's change is at most this; 0 runs all iterations" }),
        controlPoints: perAxis(z.int().min(4).max(mostPoints))
          .prefault(4)
          .meta({ description: "Control points of the first level; one number or one per axis" }),
        splineDistance: z
          .number()
          .positive()
          .max(10_000)
          .nullable()
          .default(null)
          .meta({ description: "Length of the first level's spans", unit: "mm", replaces: "controlPoints" }),
        histogramBins: z.int().min(16).max(512).default(200).meta({ description: "Bins of the sharpened histogram" }),
        fullWidthAtHalfMaximum: z.number().positive().max(10).default(0.15).meta({
          description: "Width of the Gaussian that the field is taken to blur the histogram with",
          unit: "ln intensity",
        }),
        wienerNoise: z
          .number()
          .positive()
          .max(10)
          .default(0.01)
          .meta({ description: "Noise term of the Wiener filter" }),
        fieldMapping: z.enum(["stretch", "exact"]).default("stretch").meta({
          description: "Whether the lattice is stretched over the voxels that the fit sees, or lies where they are",
        }),
        outside: z
          .enum(["divide", "keep"])
          .default("divide")
          .meta({ description: "What becomes of voxels outside the region" }),
        preserveRange: z
          .boolean()
          .default(false)
          .meta({ description: "Map the region linearly to its smallest and largest value before the correction" }),
      })
      .refine(
        ({ controlPoints, iterations }) => Math.max(...controlPoints) - 3 <= mostSpans / 2 ** (iterations.length - 1),
        {
          path: ["controlPoints"],
          // Where an option is out of range it may not have been parsed to what is compared here.
          when: ({ issues }) => issues.length === 0,
          error: `expected so few that the last level has at most ${mostPoints}, each level doubling the spans`,
        },
      ),
  profiles: {
    simpleitk: {},
    antspyx: { maskLabel: "nonzero", convergenceThreshold: 1e-7, outside: "keep" },
  },
  fitted: () =>
    z.strictObject({
      lattice: z.strictObject({
        points: triple(4).meta({ description: "Control points along x, y, z" }),
        values: z.array(z.number()).meta({ description: "Control points of ln field, x fastest" }),
      }),
      levels: z.array(
        z.strictObject({
          iterations: z.int().min(0),
          convergence: z.array(z.number()).meta({ description: "The field's change after each iteration" }),
        }),
      ),
      grid: z
        .strictObject({
          shape: triple(1),
          affine: z.tuple([row(), row(), row()]),
          padding: z
            .strictObject({ lower: triple(0), upper: triple(0) })
            .meta({ description: "Voxels laid around the image to fill the lattice" }),
        })
        .meta({ description: "What the lattice is stretched over" }),
      shrink: z.strictObject({
        asked: triple(1).meta({ description: "The factor asked for, which a thin axis may not allow" }),
        factor: triple(1),
        offset: triple(0),
        shape: triple(1),
      }),
      region: z.strictObject({
        rule: z.enum(["whole", "mask", "otsu"]),
        threshold: z.number().nullable().meta({ description: "Otsu's threshold" }),
        voxels: z.int().min(1).meta({ description: "Voxels used, on the shrunk grid" }),
        nonPositive: z.int().min(0).meta({ description: "Of these, how many have no logarithm" }),
      }),
      entropy: entropy(),
    }),
  measures: () =>
    z.strictObject({
      voxels: z.int().meta({ description: "Voxels of the region, on the full grid" }),
      coefficientOfVariation: z
        .strictObject({ before: z.number().nullable(), after: z.number().nullable() })
        .meta({ description: "Standard deviation over mean in the region; null where the mean is 0" }),
      entropy: entropy(),
      worse: z
        .array(z.enum(["coefficientOfVariation", "entropy"]))
        .meta({ description: "What the correction made larger: doing nothing would have been better by it" }),
      fieldRange: z.tuple([z.number(), z.number()]).meta({ description: "Smallest and largest factor in the region" }),
    }),
  warnings: {
    ShrunkLess: {
      meaning: "An axis was too thin for its shrink factor, and was shrunk less",
      ofFitted({ shrink, grid }) {
        const thin = [0, 1, 2].filter((a) => grid.shape[a]! > 1 && shrink.factor[a]! < shrink.asked[a]!);
        const each = thin.map(
          (a) => `axis ${a} of ${grid.shape[a]} voxels by ${shrink.factor[a]}, not ${shrink.asked[a]}`,
        );
        return each.length === 0 ? undefined : `shrinks ${each.join(", ")}, which would leave too few`;
      },
    },
    MadeWorse: {
      meaning: "The correction raised the coefficient of variation or the entropy: doing nothing is better by it",
      ofMeasures({ worse, ...measures }) {
        if (worse.length === 0) return undefined;
        const each = worse.map((name) => {
          const { before, after } = measures[name];
          return `${name} from ${before?.toPrecision(4)} to ${after?.toPrecision(4)}`;
        });
        return `the correction raised ${each.join(" and ")}; by this, the image was better without it`;
      },
    },
  },
});
