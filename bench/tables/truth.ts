/** How far from the known field. */
import type { TruthRecord } from "../record.ts";
import { table } from "./format.ts";

/** Ours in one table: field error / WM CV / GM–WM CJV, by the true field's strength. */
export function truthTable({ rows, reason }: TruthRecord): string {
  if (reason !== undefined) return `Not measured: ${reason}.`;
  const ours = rows.filter(({ who }) => who === "voxnorm" || who === "");
  const strengths = [...new Set(ours.map(({ strength }) => strength))];
  const methods = [...new Set(ours.map(({ method }) => method))];
  const cell = (method: string, strength: number) => {
    const figures = ours.find((row) => row.method === method && row.strength === strength)?.figures;
    if (figures === undefined) return "";
    const { fieldError, whiteMatterCv, cjv } = figures;
    return `**${fieldError.toFixed(2)}** / ${whiteMatterCv.toFixed(2)} / ${cjv.toFixed(1)}`;
  };
  return table(
    ["true field", ...strengths.map((strength) => (strength === 0 ? "none" : `${strength} %`))],
    methods.map((method) => [method, ...strengths.map((strength) => cell(method, strength))]),
  );
}

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
    "In %, less is better; [what each says](../docs/n4.md#how-it-is-judged). Stopped by the default rule where the name says nothing else; the field of 40 % is\n" +
      "the stored image, the others are made from the same head by the same rule.",
    table(head, lines, 3),
  ].join("\n\n");
}
