/** Numbers and Markdown. */
import { median, range } from "../statistics.ts";

/** Columns after the first `left` are numbers and stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], left = 1): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, column) => (column < left ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** Median (least–most). */
export function spread(values: readonly number[], format = milliseconds): string {
  const [least, most] = range(values);
  return values.length === 1 ? format(least) : `${format(median(values))} (${format(least)}–${format(most)})`;
}

export function milliseconds(value: number): string {
  return Math.abs(value) < 100 ? value.toFixed(1) : value.toFixed(0);
}

export function short(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

export function percent(value: number | undefined): string {
  return value === undefined ? "" : `${value.toPrecision(2)} %`;
}

export function counted(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}
