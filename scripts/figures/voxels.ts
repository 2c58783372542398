/** What the pictures have in common: scales removed, one window, slices cut to the head. */
import type { Volume } from "../../dist/index.js";
import { greyScale, type Scale } from "../../examples/browser/colours.ts";
import { type Plane, type Slice, sliceOf } from "../../examples/browser/planes.ts";

export function voxelsOf(mask: Volume): number[] {
  return [...mask.data.keys()].filter((i) => mask.data[i] === 1);
}

/** A field's overall scale is arbitrary: this one's geometric mean over `voxels` is 1. */
export function centred(field: Volume, voxels: readonly number[]): Volume {
  const mean = voxels.reduce((sum, i) => sum + Math.log(field.data[i]!), 0) / voxels.length;
  return { ...field, data: field.data.map((factor) => factor / Math.exp(mean)) };
}

/** Black to white as the image's own voxels within the mask ask for. */
export function windowOf(image: Volume, voxels: readonly number[]): Scale {
  return greyScale(Float32Array.from(voxels, (i) => image.data[i]!));
}

/** A field outside the voxels of `mask` is white, since nothing was measured there. */
export function within(mask: Slice, scale: Scale): Scale {
  return {
    ...scale,
    paint(values, pixels) {
      scale.paint(values, pixels);
      for (let i = 0; i < values.length; i++) if (mask.values[i] !== 1) pixels.fill(255, 4 * i, 4 * i + 4);
    },
  };
}

export interface View {
  readonly plane: Plane;
  readonly index: number;
  /** Pixels of the screen that are left out. */
  readonly above?: number;
  readonly below?: number;
  readonly beside?: number;
}

export function cut(volume: Volume, { plane, index, above = 0, below = 0, beside = 0 }: View): Slice {
  const whole = sliceOf(volume, plane, index, "radiological");
  const [width, height] = [whole.width - 2 * beside, whole.height - above - below];
  const at = (i: number) => (above + Math.floor(i / width)) * whole.width + beside + (i % width);
  return { width, height, values: new Float32Array(width * height).map((_, i) => whole.values[at(i)]!) };
}
