/** A real head before, its field, and after, in one window; and what became of its histogram. */
import { extent, ticks } from "d3-array";
import { scaleLinear } from "d3-scale";
import { type Backend, n4, readVolume, type Volume } from "../../dist/index.js";
import { fieldScale } from "../../examples/browser/colours.ts";
import { colourBar, faint, path, picture, svg, text } from "./svg.ts";
import { centred, cut, voxelsOf, windowOf } from "./voxels.ts";

const data = "../shared/data";
export const inputs = [`${data}/mri/niivue_otsu_t1.nii.gz`, `${data}/golden/n4/niivue_otsu_t1_mask.nii.gz`] as const;

const view = { plane: "axial", index: 80, above: 38 } as const;
const [before, after] = [faint, "#b40426"];

export async function head(backend: Backend): Promise<string> {
  const [image, mask] = await Promise.all(inputs.map((path) => readVolume(path, { backend })));
  const voxels = voxelsOf(mask!);
  const { outputs } = await n4().run({ image: image!, mask: mask! }, ["image", "field"], { backend });
  const field = centred(outputs.field!, voxels);
  const corrected = { ...image!, data: image!.data.map((value, i) => value / field.data[i]!) };
  const grey = windowOf(image!, voxels);
  const [low, high] = extent(voxels, (i) => field.data[i]!) as [number, number];
  const colours = fieldScale([low, high]);

  const [width, top] = [230, 34];
  const slices = [image!, field, corrected].map((volume) => cut(volume, view));
  const height = Math.round((width * slices[0]!.height) / slices[0]!.width);
  const left = (column: number) => 10 + column * (width + 12);
  const middle = (column: number) => left(column) + width / 2;
  return svg(left(4) + 10, top + height + 42, "A head before and after N4, and the field between them", [
    ...["before", "the field that N4 finds", "after, in the same window"].map((title, column) =>
      text(middle(column), 22, title, { anchor: "middle", isBold: true }),
    ),
    ...slices.map((slice, column) => picture(slice, column === 1 ? colours : grey, left(column), top, width)),
    ...colourBar(colours, left(1), top + height + 8, width),
    text(middle(3), 22, "voxels of the head by intensity", { anchor: "middle", isBold: true }),
    ...histograms(image!, corrected, voxels, [left(3) + 8, top, width - 16, height]),
  ]);
}

function histograms(
  image: Volume,
  corrected: Volume,
  voxels: readonly number[],
  [x, y, width, height]: readonly [number, number, number, number],
): string[] {
  const most = 220;
  const bins = 55;
  const counts = [image, corrected].map(({ data }) => {
    const counted = new Array<number>(bins).fill(0);
    for (const i of voxels) {
      const bin = Math.floor((data[i]! / most) * bins);
      if (bin < bins) counted[bin]! += 1;
    }
    return counted;
  });
  const across = scaleLinear([0, most], [x, x + width]);
  const up = scaleLinear([0, Math.max(...counts.flat())], [y + height, y + 24]);
  const curves = counts.map((counted, k) =>
    path(
      counted.map((count, bin) => [across(((bin + 0.5) * most) / bins), up(count)] as const),
      k === 0 ? before : after,
    ),
  );
  return [
    path([[x, y + height] as const, [x + width, y + height] as const], faint),
    ...ticks(0, 200, 4).map((value) =>
      text(across(value), y + height + 18, `${value}`, { anchor: "middle", size: 11 }),
    ),
    ...curves,
    text(x + 8, y + 22, "before", { fill: before, isBold: true }),
    text(x + 8, y + 40, "after", { fill: after, isBold: true }),
  ];
}
