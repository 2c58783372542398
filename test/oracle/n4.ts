/**
 * N4 by its definition: slow, obvious, in double precision, written from the papers and the ITK semantics in
 * `docs/design/n4.md`, and sharing nothing with the Rust code. Never shipped.
 */
import type { Triple } from "../../dist/index.js";

export interface OracleOptions {
  readonly factor: Triple;
  readonly offset: Triple;
  readonly iterations: readonly number[];
  readonly controlPoints: Triple;
  readonly bins: number;
  readonly width: number;
  readonly noise: number;
  /** Whether the lattice is stretched over all voxels rather than over those that are kept. */
  readonly exact?: boolean;
}

interface Sample {
  readonly index: Triple;
  readonly log: number;
  readonly weight: number;
}

/** ln field of every voxel of the full image. */
export function n4Oracle(
  voxels: Float32Array,
  shape: Triple,
  included: (index: number) => boolean,
  weightOf: (index: number) => number,
  { factor, offset, iterations, controlPoints, bins, width, noise, exact = false }: OracleOptions,
): Float64Array {
  const small = shape.map((n, a) => Math.max(1, Math.floor(n / factor[a]!))) as Triple;
  const samples: Sample[] = [];
  forEachVoxel(small, (index) => {
    const [x, y, z] = index.map((i, a) => offset[a]! + i * factor[a]!) as Triple;
    const at = (z * shape[1] + y) * shape[0] + x;
    const [value, weight] = [voxels[at]!, weightOf(at)];
    const log = value > 0 ? Math.log(value) : value;
    if (included(at) && weight > 0) samples.push({ index: exact ? [x, y, z] : index, log, weight });
  });

  let spans = controlPoints.map((points) => points - 3) as Triple;
  let lattice = new Map<string, number>();
  iterations.forEach((most, level) => {
    if (level > 0) {
      lattice = refine(lattice, spans);
      spans = spans.map((s) => 2 * s) as Triple;
    }
    const touches = samples.map(({ index }) => touched(index, exact ? shape : small, spans));
    for (let i = 0; i < most; i++) {
      const u = samples.map(({ log }, s) => log - evaluate(lattice, touches[s]!));
      const expected = sharpen(u, bins, width, noise);
      const [above, below] = [new Map<string, number>(), new Map<string, number>()];
      samples.forEach(({ weight }, s) => {
        const residual = u[s]! - expected(u[s]!);
        const squares = touches[s]!.reduce((sum, [, b]) => sum + b * b, 0);
        for (const [point, b] of touches[s]!) {
          above.set(point, (above.get(point) ?? 0) + (weight * b ** 3 * residual) / squares);
          below.set(point, (below.get(point) ?? 0) + weight * b * b);
        }
      });
      for (const [point, value] of above) {
        // Where an axis has one voxel, the weight of its last control point is 0.
        const share = below.get(point)!;
        lattice.set(point, (lattice.get(point) ?? 0) + (share > 0 ? value / share : 0));
      }
    }
  });

  const field = new Float64Array(voxels.length);
  let next = 0;
  forEachVoxel(shape, (index) => {
    field[next++] = evaluate(lattice, touched(index, shape, spans));
  });
  return field;
}

function forEachVoxel([nx, ny, nz]: Triple, visit: (index: Triple) => void): void {
  for (let z = 0; z < nz; z++) for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) visit([x, y, z]);
}

/** The 64 control points that touch a voxel, with their weights. */
function touched(index: Triple, shape: Triple, spans: Triple): [string, number][] {
  const axes = index.map((i, a) => {
    const step = shape[a]! > 1 ? spans[a]! / (shape[a]! - 1) : 0;
    const position = i === shape[a]! - 1 && i > 0 ? spans[a]! - 1e-3 * step : i * step;
    const span = Math.floor(position);
    return [0, 1, 2, 3].map((k): [number, number] => [span + k, bump(position - span - k + 3)]);
  });
  return axes[2]!.flatMap(([k, wz]) =>
    axes[1]!.flatMap(([j, wy]) => axes[0]!.map(([i, wx]): [string, number] => [`${i},${j},${k}`, wx * wy * wz])),
  );
}

/** The cubic B-spline on [0, 4], by the recursion of Cox and de Boor. */
function bump(t: number, degree = 3): number {
  if (degree === 0) return t >= 0 && t < 1 ? 1 : 0;
  return (t * bump(t, degree - 1) + (degree + 1 - t) * bump(t - 1, degree - 1)) / degree;
}

function evaluate(lattice: Map<string, number>, touches: [string, number][]): number {
  return touches.reduce((sum, [point, b]) => sum + b * (lattice.get(point) ?? 0), 0);
}

/** Twice the spans, the same field: one axis after the other, N(t) = Σ binomial(4, k) / 8 · N(2t - k). */
function refine(lattice: Map<string, number>, spans: Triple): Map<string, number> {
  let fine = lattice;
  for (const axis of [0, 1, 2] as const) {
    const next = new Map<string, number>();
    for (const [point, value] of fine) {
      const index = point.split(",").map(Number);
      [1, 4, 6, 4, 1].forEach((share, k) => {
        const at = [...index];
        at[axis] = 2 * index[axis]! + k - 3;
        if (at[axis]! < 0 || at[axis]! >= 2 * spans[axis] + 3) return;
        next.set(at.join(), (next.get(at.join()) ?? 0) + (value * share) / 8);
      });
    }
    fine = next;
  }
  return fine;
}

/** E(u): the expected value after deconvolution, interpolated between bins. */
function sharpen(u: readonly number[], bins: number, width: number, noise: number): (u: number) => number {
  const [low, high] = [Math.min(...u), Math.max(...u)];
  const slope = (high - low) / (bins - 1);
  const size = 2 ** (Math.ceil(Math.log2(bins)) + 1);
  const offset = Math.floor((size - bins) / 2);
  const counts = new Array<number>(size).fill(0);
  for (const value of u) {
    const position = (value - low) / slope;
    const bin = Math.min(Math.floor(position), bins - 1);
    counts[bin + offset]! += bin === bins - 1 ? 1 : 1 - (position - bin);
    if (bin < bins - 1) counts[bin + 1 + offset]! += position - bin;
  }
  const w = width / slope;
  const gaussian = counts.map((_, i) => {
    const n = Math.min(i, size - i);
    return ((2 * Math.sqrt(Math.LN2 / Math.PI)) / w) * Math.exp((-4 * Math.LN2 * n * n) / (w * w));
  });
  // The Gaussian is even, so its transform and that of its Wiener inverse are sums of cosines.
  const cosines = (x: readonly number[]) =>
    x.map((_, k) => x.reduce((sum, value, i) => sum + value * Math.cos((2 * Math.PI * ((i * k) % size)) / size), 0));
  const wiener = cosines(cosines(gaussian).map((f) => f / (f * f + noise))).map((value) => value / size);
  const sharp = convolve(counts, wiener).map((value) => Math.max(value, 0));
  const above = convolve(
    sharp.map((value, i) => value * (low + (i - offset) * slope)),
    gaussian,
  );
  const below = convolve(sharp, gaussian);
  const table = above.map((value, i) => (below[i] === 0 ? 0 : value / below[i]!)).slice(offset, offset + bins);
  return (value) => {
    const position = (value - low) / slope;
    const bin = Math.floor(position);
    if (bin >= bins - 1) return table[bins - 1]!;
    return table[bin]! + (table[bin + 1]! - table[bin]!) * (position - bin);
  };
}

/** Circular. */
function convolve(a: readonly number[], b: readonly number[]): number[] {
  const n = a.length;
  return a.map((_, i) => a.reduce((sum, value, j) => sum + value * b[(i + n - j) % n]!, 0));
}
