/** How good a correction is where the field is known. docs/n4.md has the definitions. */
import type { TruthFigures } from "../record.ts";
import { mean, median, standardDeviation } from "../statistics.ts";

export const tissues = ["csf", "gm", "wm"] as const;

/** Voxels of a simulated head, in one order. */
export interface Truth {
  readonly image: Float32Array;
  readonly field: Float32Array;
  /** Indices of the brain's voxels, and of those that are a tissue by more than 0.9. */
  readonly brain: readonly number[];
  readonly tissues: Readonly<Record<(typeof tissues)[number], readonly number[]>>;
}

/** `logField` is the estimated field's logarithm; 0 everywhere is the image as it came. */
export function figures({ image, field, brain, tissues }: Truth, logField: Float32Array): TruthFigures {
  const ratio = (i: number) => field[i]! / Math.exp(logField[i]!);
  const ratios = brain.map(ratio);
  const scale = 1 / median(ratios);
  const corrected = (i: number) => image[i]! / Math.exp(logField[i]!);
  const [gm, wm] = [tissues.gm.map(corrected), tissues.wm.map(corrected)];
  const relativeMae = (voxels: readonly number[]) => 100 * mean(voxels.map((i) => Math.abs(scale * ratio(i) - 1)));
  return {
    fieldError: (100 * standardDeviation(ratios)) / mean(ratios),
    whiteMatterCv: (100 * standardDeviation(wm)) / mean(wm),
    cjv: (100 * (standardDeviation(wm) + standardDeviation(gm))) / Math.abs(mean(wm) - mean(gm)),
    relativeMae: { csf: relativeMae(tissues.csf), gm: relativeMae(tissues.gm), wm: relativeMae(tissues.wm) },
  };
}
