import { z } from "zod";
import { defineStep } from "../step.ts";
import { parts, pointwise, pointwiseOptionsOfWhole } from "./pointwise.ts";

/** The weight per squared height, in kg/m², from which on James' formula makes heavier people leaner. */
const mostOfJames = { female: (1.07 / 148 / 2) * 1e4, male: (1.1 / 128 / 2) * 1e4 };

export const suv = defineStep({
  ...pointwise,
  id: "suv",
  title: "Standardised uptake value",
  summary: "Divide a PET image's activity by the dose for each gram of the body",
  doc: `
With the activity c in Bq/mL, a body size, and the dose D that is left of the injected one D₀ after the time t:

    SUV = c · 1000 · size / D,   D = D₀ · 2^(−t / halfLife)

D is taken at the time which the scanner corrected the image's decay to: the scan's start (DICOM's ${"`START`"}), or with
${"`decayCorrectedTo: injection`"} the injection (${"`ADMIN`"}), where D = D₀. An image without decay correction (${"`NONE`"}) is none of
these. Sizes, with the weight W in kg and the height H in m:

| normalisation | size, female | size, male | of |
| --- | --- | --- | --- |
| ${"`body-weight`"} | W | W | DICOM's SUVbw, in g/mL |
| ${"`lean-body-mass-janmahasatian`"} | 9270 W / (8780 + 244 W/H²) | 9270 W / (6680 + 216 W/H²) | SUVlbm(Janma), in g/mL |
| ${"`lean-body-mass-james`"} | 1.07 W − 148 (W / 100 H)² | 1.10 W − 128 (W / 100 H)² | SUVlbm(James128), in g/mL |
| ${"`body-surface-area`"} | 0.07184 W^0.425 (100 H)^0.725 | the same | SUVbsa by Du Bois' formula, in cm²/mL |
| ${"`ideal-body-weight`"} | 45.5 + 0.91 (100 H − 152) | 48 + 1.06 (100 H − 152) | SUVibw, in g/mL |
| ${"`ideal-body-weight-devine`"} | 45.5 + 2.3 (H / 0.0254 − 60) | 50 + 2.3 (H / 0.0254 − 60) | Devine's formula, in g/mL |

The half-life of fluorine-18 is about 6586 s; take the one that the image's decay was corrected by. Nothing is read from the
image's header: a NIfTI file has no patient. The units' word is DICOM's, so that an image of counts or of values that are SUV
already is refused rather than scaled. Some programs wrote James' formula for men with 120; this one has 128.

**Failures.** ${"`BadOption`"} where a number is missing that the formula needs, or where it gives no positive size (James' for the very
heavy, ideal weights for the very small). NaN and infinity stay, with a warning. With ${"`changed: region`"} only the voxels of ${"`region`"}
are changed; ${"`EmptyMask`"} where there are none.
`,
  modalities: ["PT"],
  references: [
    "doi:10.1053/j.sult.2010.10.001",
    "doi:10.2165/00003088-200544100-00004",
    "doi:10.2967/jnumed.113.136986",
    "doi:10.1001/archinte.1916.00080130010002",
    "https://qibawiki.rsna.org/index.php/Standardized_Uptake_Value_(SUV)",
    "Devine BJ: Gentamicin therapy. Drug Intelligence and Clinical Pharmacy 8 (1974) 650-655",
  ],
  options: () =>
    z.strictObject({
      normalisation: z
        .enum([
          "body-weight",
          "lean-body-mass-janmahasatian",
          "lean-body-mass-james",
          "body-surface-area",
          "ideal-body-weight",
          "ideal-body-weight-devine",
        ])
        .default("body-weight")
        .meta({ description: "What the uptake is related to" }),
      units: z.enum(["BQML"]).default("BQML").meta({ description: "The image's units, by DICOM's word: Bq/mL" }),
      weight: z
        .number()
        .positive()
        .max(1000)
        .nullable()
        .default(null)
        .meta({ description: "The patient's", unit: "kg" }),
      height: z.number().positive().max(3).nullable().default(null).meta({ description: "The patient's", unit: "m" }),
      sex: z.enum(["female", "male"]).nullable().default(null).meta({ description: "The patient's" }),
      injectedDose: z
        .number()
        .positive()
        .nullable()
        .default(null)
        .meta({ description: "The tracer's activity when it was injected", unit: "Bq" }),
      decayCorrectedTo: z
        .enum(["scan", "injection"])
        .default("scan")
        .meta({ description: "The time for which the image holds the activity" }),
      halfLife: z.number().positive().nullable().default(null).meta({ description: "The tracer's", unit: "s" }),
      timeToScan: z
        .number()
        .min(0)
        .nullable()
        .default(null)
        .meta({ description: "From the injection to the scan's start", unit: "s" }),
      ...pointwiseOptionsOfWhole(),
    }),
  profiles: { given: {} },
  fitted: () =>
    parts({
      size: z.number().positive().meta({ description: "The body's, in kg, or its surface in 10 cm²" }),
      dose: z.number().positive().meta({ description: "What is left of the dose", unit: "Bq" }),
      factor: z.number().positive().meta({ description: "What the image was multiplied by" }),
    }),
  warnings: {
    ...pointwise.warnings,
    JamesDeclines: {
      meaning: "The patient is so heavy that James' lean body mass falls with the weight; Janmahasatian's does not",
      ofCall({ normalisation, weight, height, sex }) {
        if (normalisation !== "lean-body-mass-james" || sex === null) return undefined;
        const index = (weight as number) / (height as number) ** 2;
        const most = mostOfJames[sex as "female" | "male"];
        if (!(index > most)) return undefined;
        return `expected at most ${most.toFixed(1)} kg/m² for James' lean body mass, got ${index.toFixed(1)}; lean-body-mass-janmahasatian holds beyond`;
      },
    },
  },
});
