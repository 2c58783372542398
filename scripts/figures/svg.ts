/** Pictures as SVG: text stays text, slices are PNGs within. The same input gives the same bytes. */
import { encode } from "fast-png";
import type { Scale } from "../../examples/browser/colours.ts";
import type { Slice } from "../../examples/browser/planes.ts";

export const ink = "#24292f";
export const faint = "#8c959f";

/** On white, whatever the page is. */
export function svg(width: number, height: number, title: string, parts: readonly string[]): string {
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"`;
  return `${[
    `${open} font-family="Helvetica, Arial, sans-serif" font-size="13" fill="${ink}">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...parts,
    "</svg>",
  ].join("\n")}\n`;
}

interface TextStyle {
  readonly anchor?: "start" | "middle" | "end";
  readonly size?: number;
  readonly fill?: string;
  readonly isBold?: boolean;
}

export function text(x: number, y: number, what: string, style: TextStyle = {}): string {
  const { anchor = "start", size, fill, isBold } = style;
  const more = [
    size === undefined ? "" : ` font-size="${size}"`,
    fill === undefined ? "" : ` fill="${fill}"`,
    isBold ? ' font-weight="bold"' : "",
  ].join("");
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${more}>${what}</text>`;
}

export function path(points: readonly (readonly [number, number])[], stroke: string, more = ""): string {
  const d = points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${round(x)} ${round(y)}`).join("");
  return `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="1.5" ${more}/>`;
}

/** A slice in the colours of `scale`, as wide as asked for. */
export function picture(slice: Slice, scale: Scale, x: number, y: number, width: number): string {
  const { width: columns, height: rows, values } = slice;
  const pixels = new Uint8ClampedArray(4 * values.length);
  scale.paint(values, pixels);
  const data = new Uint8Array(3 * values.length).map((_, i) => pixels[4 * Math.floor(i / 3) + (i % 3)]!);
  const png = Buffer.from(encode({ width: columns, height: rows, data, channels: 3 }, { zlib: { level: 9 } }));
  const place = `x="${x}" y="${y}" width="${width}" height="${round((width * rows) / columns)}"`;
  return `<image ${place} preserveAspectRatio="none" href="data:image/png;base64,${png.toString("base64")}"/>`;
}

/** The colours of a scale of factors from its least to its largest, with its ends named. */
export function colourBar(scale: Scale, x: number, y: number, width: number): string[] {
  const steps = Array.from({ length: 33 }, (_, i) => i / 32);
  const values = Float32Array.from(steps, (at) => scale.low * (scale.high / scale.low) ** at);
  const pixels = new Uint8ClampedArray(4 * values.length);
  scale.paint(values, pixels);
  const stops = steps.map((at, i) => {
    const colour = `rgb(${pixels.slice(4 * i, 4 * i + 3).join(",")})`;
    return `<stop offset="${round(at)}" stop-color="${colour}"/>`;
  });
  const id = `bar${Math.round(x)}`;
  return [
    `<defs><linearGradient id="${id}">${stops.join("")}</linearGradient></defs>`,
    `<rect x="${x}" y="${y}" width="${width}" height="8" fill="url(#${id})"/>`,
    text(x, y + 22, `× ${scale.low.toFixed(2)}`, { size: 11 }),
    text(x + width / 2, y + 22, "1", { size: 11, anchor: "middle" }),
    text(x + width, y + 22, `× ${scale.high.toFixed(2)}`, { size: 11, anchor: "end" }),
  ];
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
