/** What N4 makes of a known field as levels and iterations grow, and of none at all. */

import { figures } from "../../bench/truth/figures.ts";
import { simulatedHeads } from "../../bench/truth/heads.ts";
import { type Backend, n4 } from "../../dist/index.js";
import { fieldScale } from "../../examples/browser/colours.ts";
import { colourBar, picture, svg, text } from "./svg.ts";
import { centred, cut, voxelsOf, within } from "./voxels.ts";

const view = { plane: "axial", index: 42, above: 7, below: 9, beside: 10 } as const;
const columns: readonly (readonly [string, Parameters<typeof n4>[0]])[] = [
  ["2 levels", { iterations: [50, 50] }],
  ["3 levels", { iterations: [50, 50, 50] }],
  ["4 levels (default)", {}],
  ["4 × 50 iterations", { convergenceThreshold: 0 }],
];

export async function levels(backend: Backend): Promise<string> {
  const [width, gap, rowHeight] = [150, 10, 240];
  const scale = fieldScale([0.8, 1.25]);
  const left = (column: number) => 80 + column * (width + gap);
  const parts = ["the true field", ...columns.map(([name]) => name)].map((title, column) =>
    text(left(column) + width / 2, 22, title, { anchor: "middle", isBold: true }),
  );
  const heads = await simulatedHeads([40, 0], backend);
  for (const [row, { strength, image, mask, truth }] of heads.entries()) {
    const top = 34 + row * rowHeight;
    const voxels = voxelsOf(mask);
    const inside = within(cut(mask, view), scale);
    const found = await Promise.all(
      columns.map(([, options]) => n4(options).run({ image, mask }, ["field"], { backend })),
    );
    const fields = [{ ...image, data: truth.field }, ...found.map(({ outputs }) => outputs.field!)];
    parts.push(text(10, top + 80, strength === 0 ? "no field" : `${strength} %`, { isBold: true }));
    for (const [column, field] of fields.entries()) {
      const slice = cut(centred(field, voxels), view);
      const error = figures(truth, field.data.map(Math.log)).fieldError;
      parts.push(picture(slice, inside, left(column), top, width));
      const below = top + (width * slice.height) / slice.width + 16;
      if (column > 0)
        parts.push(text(left(column) + width / 2, below, `error ${error.toFixed(1)} %`, { anchor: "middle" }));
    }
  }
  const bottom = 34 + heads.length * rowHeight;
  return svg(left(5) + 5, bottom + 36, "Fields that N4 finds in heads whose field is known", [
    ...parts,
    ...colourBar(scale, left(0), bottom + 2, width),
  ]);
}
