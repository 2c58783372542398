/** The field of one head without a mask, by Otsu's rule, and with a mask of the head. */
import { type Backend, n4, readVolume, type Volume } from "../../dist/index.js";
import { fieldScale } from "../../examples/browser/colours.ts";
import { colourBar, picture, svg, text } from "./svg.ts";
import { centred, cut, voxelsOf, windowOf } from "./voxels.ts";

const view = { plane: "coronal", index: 60 } as const;

export async function masks(backend: Backend): Promise<string> {
  const [image, mask] = await Promise.all(
    ["n3_brain", "n3_brain_mask"].map((name) => readVolume(`examples/data/${name}.nii.gz`, { backend })),
  );
  const voxels = voxelsOf(mask!);
  const field = async (given: { mask?: Volume | "otsu" }) => {
    const { outputs } = await n4().run({ image: image!, ...given }, ["field"], { backend });
    return centred(outputs.field!, voxels);
  };
  const fields = [await field({ mask: mask! }), await field({ mask: "otsu" }), await field({})];
  const scale = fieldScale([0.7, 1 / 0.7]);
  const [width, top] = [200, 34];
  const left = (column: number) => 10 + column * (width + 12);
  const slices = [image!, ...fields].map((volume) => cut(volume, view));
  const height = Math.round((width * slices[0]!.height) / slices[0]!.width);
  return svg(left(4), top + height + 42, "The field that N4 finds with three choices of voxels", [
    ...["the image", "mask of the head", "otsu", "no mask"].map((title, column) =>
      text(left(column) + width / 2, 22, title, { anchor: "middle", isBold: true }),
    ),
    ...slices.map((slice, column) =>
      picture(slice, column === 0 ? windowOf(image!, voxels) : scale, left(column), top, width),
    ),
    ...colourBar(scale, left(1), top + height + 8, width),
  ]);
}
