/** The slow, obvious version of a tissue's mode: every kernel is summed over every voxel, every transform by its sum. */
import { moments, percentile } from "./pointwise.ts";

export interface Mode {
  readonly mode: number;
  readonly isPeak: boolean;
}

/** The mode of a region, or the code of the error that there is. */
export function modeOf(
  values: readonly number[],
  options: Record<string, unknown>,
): Mode | "ConstantImage" | "BadScale" {
  const { density, points } = options as { density: string; points: number };
  const most = (options.scottVoxels as number | null) ?? Number.POSITIVE_INFINITY;
  const peaks = { t1: "last", other: "last", t2: "largest", flair: "largest", pd: "first", md: "first" };
  const peak = String(options.peak ?? peaks[options.modality as keyof typeof peaks]);
  const [lower, upper] = [options.lowerTail, options[`${peak}Tail`]].map((p) => percentile(values, p as number));
  const kept = values.filter((v) => v >= lower! && v <= upper!);
  const least = kept.reduce((a, b) => Math.min(a, b));
  const largest = kept.reduce((a, b) => Math.max(a, b));
  if (least === largest) return "ConstantImage";
  if (density === "silverman" && largest <= 0) return "BadScale";
  const { at, height } = { gaussian, silverman, histogram }[density]!(kept, least, largest, points, most);
  const isPeak = (i: number) => height[i]! > (height[i - 1] ?? Infinity) && height[i]! > (height[i + 1] ?? Infinity);
  const found = [...height.keys()].filter(isPeak);
  const top = height.indexOf(height.reduce((a, b) => Math.max(a, b)));
  const place = peak === "largest" ? top : peak === "first" ? found[0] : found.at(-1);
  return { mode: at[place ?? top]!, isPeak: place !== undefined };
}

function gaussian(kept: readonly number[], least: number, largest: number, points: number, most: number) {
  const bandwidth = Math.sqrt(moments(kept).squares / (kept.length - 1)) * Math.min(kept.length, most) ** -0.2;
  const at = Array.from({ length: points }, (_, i) => least + ((largest - least) * i) / (points - 1));
  return { at, height: at.map((x) => kept.reduce((sum, v) => sum + Math.exp(-0.5 * ((x - v) / bandwidth) ** 2), 0)) };
}

/** As statsmodels' kdensityfft. */
function silverman(kept: readonly number[], least: number, largest: number, points: number) {
  const bandwidth = largest / points;
  const count = 2 ** Math.ceil(Math.log2(points));
  const [a, b] = [least - 3 * bandwidth, largest + 3 * bandwidth];
  const step = (b - a) / (count - 1);
  const bins = new Float64Array(count);
  for (const v of kept) {
    const left = Math.floor((v - a) / step);
    if (left < 2) continue;
    bins[left]! += 1 - ((v - a) / step - left);
    bins[left + 1]! += (v - a) / step - left;
  }
  const ring = Array.from({ length: count }, (_, distance) => {
    let sum = 0;
    for (let j = 0; j < count; j++) {
      const frequency = Math.min(j, count - j);
      const kernel = Math.exp(-2 * ((Math.PI * bandwidth * frequency) / (b - a)) ** 2);
      sum += (kernel / (1 - ((Math.PI * frequency) / count) ** 2 / 3)) * Math.cos((2 * Math.PI * j * distance) / count);
    }
    return sum;
  });
  const at = Array.from({ length: count }, (_, i) => a + step * i);
  return { at, height: at.map((_, i) => bins.reduce((sum, w, j) => sum + w * ring[(i - j + count) % count]!, 0)) };
}

/** Bins as numpy's: the last holds its upper edge. */
function histogram(kept: readonly number[], least: number, largest: number, bins: number) {
  const height = new Array<number>(bins).fill(0);
  const width = (largest - least) / bins;
  for (const v of kept) height[Math.min(bins - 1, Math.floor((v - least) / width))]! += 1;
  return { at: height.map((_, i) => least + (i + 0.5) * width), height };
}
