/**
 * The nine pictures: axial, coronal and sagittal of the image before, the field, and the image after.
 *
 * A plane's three pictures share one slider, and all nine one scale in mm, so that they can be compared.
 */
import type { Volume } from "voxnorm";
import { fieldScale, greyScale, type Scale } from "./colours.ts";
import { type Convention, edgesOf, extentOf, type Plane, planes, positionOf, sliceOf } from "./planes.ts";

export interface Pictures {
  readonly before: Volume;
  readonly field: Volume;
  readonly after: Volume;
  /** Of the field, where it was fitted. */
  readonly fieldRange: readonly [number, number];
}

/** Fills `root`; the returned function redraws everything under a convention. */
export function show(root: HTMLElement, { before, field, after, fieldRange }: Pictures) {
  const columns: Column[] = [
    { title: "Before", volume: before, scale: greyScale(before.data) },
    { title: "Field", volume: field, scale: fieldScale(fieldRange) },
    { title: "After", volume: after, scale: greyScale(after.data) },
  ];
  const widest = Math.max(...planes.map((plane) => extentOf(before.grid, plane).width));
  root.replaceChildren(element("div", "corner"), ...columns.map(heading));
  const rows = planes.map((plane) => addRow(root, plane, columns, widest));
  root.append(text("p", "The field is what the image was divided by; outside the mask it is extrapolated.", "hint"));
  return (convention: Convention) => {
    for (const draw of rows) draw(convention);
  };
}

interface Column {
  readonly title: string;
  readonly volume: Volume;
  readonly scale: Scale;
}

/** A column's title with its colours and what they stand for. */
function heading({ title, scale }: Column): HTMLElement {
  const steps = 128;
  const isField = title === "Field";
  const ratio = scale.high / scale.low;
  const values = Float32Array.from({ length: steps }, (_, i) => {
    const share = i / (steps - 1);
    return isField ? scale.low * ratio ** share : scale.low + (scale.high - scale.low) * share;
  });
  const bar = document.createElement("canvas");
  draw(bar, { width: steps, height: 1, values }, scale);
  bar.setAttribute("aria-hidden", "true");
  const legend = element("div", "legend");
  legend.append(text("span", number(scale.low)), bar, text("span", number(scale.high)));
  const column = element("div", "column");
  column.append(text("h3", title), legend);
  return column;
}

function addRow(root: HTMLElement, plane: Plane, columns: Column[], widest: number): (convention: Convention) => void {
  const { grid } = columns[0]!.volume;
  const { slices, width, height } = extentOf(grid, plane);
  const [slider, position] = [document.createElement("input"), document.createElement("output")];
  slider.type = "range";
  slider.id = `slice-${plane}`;
  slider.max = String(slices - 1);
  slider.value = String(Math.floor(slices / 2));
  const label = text("label", "");
  label.htmlFor = slider.id;
  label.append(text("h3", plane[0]!.toUpperCase() + plane.slice(1)));
  const row = element("div", "row");
  row.append(label, slider, position);
  root.append(row);

  const pictures = columns.map((column) => {
    const picture = element("div", "picture");
    picture.style.aspectRatio = `${width} / ${height}`;
    picture.style.width = `${(100 * width) / widest}%`;
    const canvas = document.createElement("canvas");
    canvas.id = `${plane}-${column.title.toLowerCase()}`;
    canvas.setAttribute("role", "img");
    const sides = ["left", "right", "top", "bottom"] as const;
    const edges = sides.map((side) => element("span", side));
    for (const edge of edges) edge.setAttribute("aria-hidden", "true");
    picture.append(canvas, ...edges);
    root.append(picture);
    return (index: number, convention: Convention) => {
      draw(canvas, sliceOf(column.volume, plane, index, convention), column.scale);
      canvas.setAttribute("aria-label", `${column.title}, ${plane}, ${positionOf(grid, plane, index)}`);
      const letters = edgesOf(plane, convention);
      sides.forEach((side, i) => {
        edges[i]!.textContent = letters[side];
      });
    };
  });

  let shown: Convention = "radiological";
  const redraw = () => {
    const index = Number(slider.value);
    position.textContent = positionOf(grid, plane, index);
    slider.setAttribute("aria-valuetext", position.textContent);
    for (const picture of pictures) picture(index, shown);
  };
  slider.addEventListener("input", redraw);
  return (convention) => {
    shown = convention;
    redraw();
  };
}

function draw(canvas: HTMLCanvasElement, slice: { width: number; height: number; values: Float32Array }, scale: Scale) {
  canvas.width = slice.width;
  canvas.height = slice.height;
  const context = canvas.getContext("2d")!;
  const pixels = context.createImageData(slice.width, slice.height);
  scale.paint(slice.values, pixels.data);
  context.putImageData(pixels, 0, 0);
}

/** Three figures are enough to tell the ends of a scale. */
export function number(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 3, notation: value >= 1e5 ? "compact" : "standard" });
}

function element(name: string, className: string): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  return made;
}

function text<K extends keyof HTMLElementTagNameMap>(
  name: K,
  content: string,
  className = "",
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = content;
  return made;
}
