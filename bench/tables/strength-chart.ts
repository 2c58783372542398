/** Field error against the field's strength: where doing nothing is better. */
import { ticks } from "d3-array";
import { scaleLinear } from "d3-scale";
import { faint, path, svg, text } from "../../scripts/figures/svg.ts";
import type { TruthRecord } from "../record.ts";

const lines = [
  { method: "uncorrected", name: "uncorrected", colour: faint, dash: "5 4" },
  { method: "2 levels", name: "2 levels", colour: "#1b7837", dash: "" },
  { method: "3 levels", name: "3 levels", colour: "#2166ac", dash: "" },
  { method: "shrink factor 4", name: "4 levels (default)", colour: "#b40426", dash: "" },
  { method: "4 × 50 iterations", name: "4 × 50 iterations, no threshold", colour: "#e08214", dash: "" },
];

/** Ours; undefined where it was not measured. */
export function strengthChart({ rows }: TruthRecord): string | undefined {
  const series = lines.map((line) => ({
    ...line,
    points: rows.flatMap(({ who, method, strength, figures }) =>
      method === line.method && (who === "voxnorm" || who === "") && figures
        ? [[strength, figures.fieldError] as const]
        : [],
    ),
  }));
  if (series.some(({ points }) => points.length < 2)) return undefined;
  const [left, right, top, bottom] = [60, 430, 40, 300];
  const across = scaleLinear([0, 100], [left, right]);
  // By the corrections: what is uncorrected leaves the chart.
  const corrected = series.slice(1).flatMap(({ points }) => points.map(([, error]) => error));
  const up = scaleLinear([0, 1.15 * Math.max(...corrected)], [bottom, top]);
  const frame = `<rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"/>`;
  return svg(700, 350, "Error of the field that N4 leaves, by the strength of the true field", [
    text(left - 40, 22, "error of the field that is left, %", { isBold: true }),
    `<defs><clipPath id="frame">${frame}</clipPath></defs>`,
    ...ticks(0, up.domain()[1]!, 5).flatMap((value) => [
      path([[left, up(value)] as const, [right, up(value)] as const], "#eaeef2"),
      text(left - 8, up(value) + 4, `${value}`, { anchor: "end", size: 11 }),
    ]),
    ...[0, 20, 40, 60, 80, 100].map((value) =>
      text(across(value), bottom + 18, `${value}`, { anchor: "middle", size: 11 }),
    ),
    text((left + right) / 2, bottom + 38, "strength of the true field, %", { anchor: "middle" }),
    ...series.flatMap(({ points, colour, dash, name }, i) => [
      path(
        points.map(([strength, error]) => [across(strength), up(error)] as const),
        colour,
        `clip-path="url(#frame)" ${dash && `stroke-dasharray="${dash}"`}`,
      ),
      path(
        [[right + 20, top + 20 + 24 * i] as const, [right + 48, top + 20 + 24 * i] as const],
        colour,
        dash && `stroke-dasharray="${dash}"`,
      ),
      text(right + 56, top + 24 + 24 * i, name),
    ]),
  ]);
}
