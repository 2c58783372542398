/** The example's planes show the patient's left on the stated side, however the voxels are stored. */
import { describe, expect, it } from "vitest";
import { type Affine, gridOf, type Triple } from "../../dist/index.js";
import { edgesOf, extentOf, orientationOf, planes, positionOf, sliceOf } from "../../examples/browser/planes.ts";

/** Sizes of the imaged box along R, A, S, and its voxels' lengths. */
const size: Triple = [3, 4, 5];
const spacing: Triple = [1, 2, 3];

/** The same box stored with its axes in another order and sense; each voxel's value says where it is: R + 10 A + 100 S. */
function stored(order: readonly number[], flips: readonly boolean[]) {
  const shape = order.map((world) => size[world]) as Triple;
  const rows = [0, 1, 2].map((world) => {
    const row = [0, 0, 0, 0];
    const axis = order.indexOf(world);
    row[axis] = flips[axis] ? -spacing[world]! : spacing[world]!;
    row[3] = flips[axis] ? spacing[world]! * (size[world]! - 1) : 0;
    return row;
  });
  const data = new Float32Array(60);
  for (let k = 0, i = 0; k < shape[2]; k++) {
    for (let j = 0; j < shape[1]; j++) {
      for (let x = 0; x < shape[0]; x++, i++) {
        for (const [axis, index] of [x, j, k].entries()) {
          data[i]! += 10 ** order[axis]! * (flips[axis] ? shape[axis]! - 1 - index : index);
        }
      }
    }
  }
  return { data, grid: gridOf(shape, rows as Affine) };
}

const orders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];
const senses = Array.from({ length: 8 }, (_, bits) => [0, 1, 2].map((axis) => ((bits >> axis) & 1) === 1));
const everyWay = orders.flatMap((order) => senses.map((flips) => ({ order, flips })));

describe("planes", () => {
  it.each(everyWay)("of voxels stored $order $flips", ({ order, flips }) => {
    const volume = stored(order, flips);
    expect(orientationOf(volume.grid).tilt).toBe(0);
    const corner = (plane: (typeof planes)[number], convention: "radiological" | "neurological") =>
      sliceOf(volume, plane, 1, convention).values.slice(0, 2);
    // The first two voxels of the top row: from the patient's right (small R) or left.
    expect([...corner("axial", "neurological")]).toEqual([130, 131]);
    expect([...corner("axial", "radiological")]).toEqual([132, 131]);
    expect([...corner("coronal", "neurological")]).toEqual([410, 411]);
    expect([...corner("coronal", "radiological")]).toEqual([412, 411]);
    expect([...corner("sagittal", "neurological")]).toEqual([431, 421]);
    expect([...corner("sagittal", "radiological")]).toEqual([431, 421]);
    expect(planes.map((plane) => extentOf(volume.grid, plane))).toEqual([
      { slices: 5, width: 3, height: 8 },
      { slices: 4, width: 3, height: 15 },
      { slices: 3, width: 8, height: 15 },
    ]);
    expect(planes.map((plane) => positionOf(volume.grid, plane, 1))).toEqual(["3.0 mm S", "2.0 mm A", "1.0 mm R"]);
  });

  it("puts the letters where the voxels are", () => {
    // In the neurological view R grows to the right; in the radiological one, as seen from the feet, to the left.
    expect(edgesOf("axial", "neurological")).toEqual({ left: "L", right: "R", top: "A", bottom: "P" });
    expect(edgesOf("axial", "radiological")).toEqual({ left: "R", right: "L", top: "A", bottom: "P" });
    expect(edgesOf("coronal", "radiological")).toEqual({ left: "R", right: "L", top: "S", bottom: "I" });
    expect(edgesOf("sagittal", "radiological")).toEqual({ left: "A", right: "P", top: "S", bottom: "I" });
  });

  it("takes an oblique scan's own axes, and says how far off they are", () => {
    const angle = (20 * Math.PI) / 180;
    const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
    const grid = gridOf(
      [2, 2, 2],
      [
        [1, 0, 0, 0],
        [0, -cosine, sine, 0],
        [0, sine, cosine, 0],
      ],
    );
    expect(orientationOf(grid)).toMatchObject({ axes: [0, 1, 2], grows: [true, false, true] });
    expect(orientationOf(grid).tilt).toBeCloseTo(20);
  });
});
