/** From values to pixels: grey for images, blue over grey to red for the field. */

export interface Scale {
  readonly low: number;
  readonly high: number;
  /** Fills `pixels` (RGBA) from `values`. */
  paint(values: Float32Array, pixels: Uint8ClampedArray): void;
}

/** Black to white between the 0.5th and the 99.5th percentile, so that single voxels don't decide. */
export function greyScale(voxels: Float32Array): Scale {
  const [low, high] = [percentile(voxels, 0.5), percentile(voxels, 99.5)];
  const factor = 255 / (high - low || 1);
  return {
    low,
    high,
    paint(values, pixels) {
      for (let i = 0; i < values.length; i++) {
        const grey = (values[i]! - low) * factor;
        pixels[4 * i] = pixels[4 * i + 1] = pixels[4 * i + 2] = grey;
        pixels[4 * i + 3] = 255;
      }
    },
  };
}

type Colour = readonly [number, number, number];
const [below, neutral, above]: Colour[] = [
  [59, 76, 192],
  [221, 221, 221],
  [180, 4, 38],
];

/**
 * For factors: grey is 1, and a factor and its inverse are equally far from it.
 * `range` is the field's range where it matters; what lies beyond takes the last colour.
 */
export function fieldScale([from, to]: readonly [number, number]): Scale {
  const reach = Math.max(Math.abs(Math.log(from)), Math.abs(Math.log(to)), 1e-6);
  return {
    low: Math.exp(-reach),
    high: Math.exp(reach),
    paint(values, pixels) {
      for (let i = 0; i < values.length; i++) {
        const position = Math.max(-1, Math.min(1, Math.log(values[i]!) / reach));
        const end = position < 0 ? below! : above!;
        const share = Math.abs(position);
        for (let channel = 0; channel < 3; channel++) {
          pixels[4 * i + channel] = neutral![channel]! * (1 - share) + end[channel]! * share;
        }
        pixels[4 * i + 3] = 255;
      }
    },
  };
}

/** Of the finite voxels, by a sample of at most some ten thousand: enough for a display. */
function percentile(voxels: Float32Array, percent: number): number {
  const step = Math.max(1, Math.floor(voxels.length / 20_000));
  const sample: number[] = [];
  for (let i = 0; i < voxels.length; i += step) if (Number.isFinite(voxels[i])) sample.push(voxels[i]!);
  sample.sort((a, b) => a - b);
  return sample[Math.round(((sample.length - 1) * percent) / 100)] ?? 0;
}
