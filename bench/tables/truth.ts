/** How far from the known field. */
import type { TruthRecord } from "../record.ts";
import { table } from "./format.ts";

export function truthSection({ rows, reason }: TruthRecord): string {
  const heading = "## The known field: brainweb_sim";
  if (reason !== undefined) return `${heading}\n\nNot run: ${reason}.`;
  const lines = rows.map(({ strength, who, method, figures, reason }) => {
    const name = [`${strength} %`, method, who];
    if (figures === undefined) return [...name, `not run: ${reason}`, "", "", "", "", ""];
    const { fieldError, whiteMatterCv, cjv, relativeMae } = figures;
    const { csf, gm, wm } = relativeMae;
    return [...name, ...[fieldError, whiteMatterCv, cjv, csf, gm, wm].map((value) => value.toFixed(2))];
  });
  const head = ["field", "method", "who", "field error", "WM CV", "GM–WM CJV", "MAE CSF", "MAE GM", "MAE WM"];
  return [
    heading,
    "In %, less is better; [what each says](../docs/n4.md#how-it-is-judged). Each at its default stopping rule; the field of 40 % is\n" +
      "the stored image, the others are made from the same head by the same rule.",
    table(head, lines, 3),
  ].join("\n\n");
}
