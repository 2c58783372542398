/**
 * Singular values of a 3×3 matrix in single precision, to the last bit as ITK has them: LINPACK's `ssvdc`, by which it
 * tells whether an sform and a qform are alike. For equal voxel sizes the vectors are a matter of rounding, and so of the
 * order of operations. `crates/kernels/src/svd.rs` is the same routine in double precision, with its comments.
 */
import type { Triple } from "../volume.ts";

/** A column each. */
type Columns = [Triple, Triple, Triple];

const f = Math.fround;
const axes = [0, 1, 2] as const;

/** Left vectors and singular values of the matrix of these rows; nothing where one is negligible beside another. */
export function singularValues(rows: readonly Triple[]): { vectors: Columns; values: Triple } | undefined {
  const x = axes.map((c) => rows.map((row) => f(row[c]))) as Columns;
  const u: Columns = [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 1],
  ];
  const s: Triple = [0, 0, 0];
  const e: Triple = [0, 0, 0];
  for (const l of [0, 1] as const) {
    s[l] = reflection(x[l], l);
    for (let j = l + 1; j < 3; j++) {
      if (s[l] !== 0) reflect(x[l], x[j]!, l);
      e[j] = x[j]![l];
    }
    u[l] = [...x[l]];
    if (l > 0) continue;
    e[0] = reflection(e, 1);
    if (e[0] === 0) continue;
    const work: Triple = [0, 0, 0];
    for (const j of [1, 2] as const) add(e[j], x[j], work, 1);
    for (const j of [1, 2] as const) add(f(-e[j] / e[1]), work, x[j], 1);
  }
  [s[2], e[1], e[2]] = [x[2][2], x[2][1], 0];

  for (const l of [1, 0] as const) {
    const own = u[l];
    u[l] = [0, 0, 0];
    if (s[l] !== 0) {
      for (let j = l + 1; j < 3; j++) reflect(own, u[j]!, l);
      for (let i = l; i < 3; i++) u[l][i] = -own[i]!;
    }
    u[l][l] = f(u[l][l] + 1);
  }

  for (let [m, steps] = [3, 0]; m > 0; ) {
    const last = m - 1;
    let first = last;
    while (first > 0 && !isNegligible(e[first - 1]!, f(Math.abs(s[first - 1]!) + Math.abs(s[first]!)))) first--;
    if (first > 0) e[first - 1] = 0;
    if (first < last) {
      for (let l = first; l <= last; l++) {
        const beside = f((l < last ? Math.abs(e[l]!) : 0) + (l > first ? Math.abs(e[l - 1]!) : 0));
        if (isNegligible(s[l]!, beside)) return undefined;
      }
      if (++steps > 30) return undefined;
      step(s, e, u, first, last);
      continue;
    }
    s[last] = Math.abs(s[last]!);
    for (let l = last; l < 2 && s[l]! < s[l + 1]!; l++) {
      [s[l], s[l + 1]] = [s[l + 1]!, s[l]!];
      [u[l], u[l + 1]] = [u[l + 1]!, u[l]!];
    }
    [m, steps] = [m - 1, 0];
  }
  return { vectors: u, values: s };
}

/** One implicit QR step. */
function step(s: Triple, e: Triple, u: Columns, first: number, last: number): void {
  const ends = [s[last]!, s[last - 1]!, e[last - 1]!, s[first]!, e[first]!];
  const scale = Math.max(...ends.map(Math.abs));
  const [sm, smm1, emm1, sl, el] = ends.map((each) => f(each / scale)) as [number, number, number, number, number];
  const b = f(f(f(f(smm1 + sm) * f(smm1 - sm)) + f(emm1 * emm1)) / 2);
  const c = f(f(sm * emm1) * f(sm * emm1));
  let shift = 0;
  if (b !== 0 || c !== 0) {
    const root = f(Math.sqrt(f(f(b * b) + c)));
    shift = f(c / f(b + (b < 0 ? -root : root)));
  }
  let [above, beside] = [f(f(f(sl + sm) * f(sl - sm)) + shift), f(sl * el)];
  for (let k = first; k < last; k++) {
    let [r, cos, sin] = rotation(above, beside);
    if (k > first) e[k - 1] = r;
    [above, e[k]] = [f(f(cos * s[k]!) + f(sin * e[k]!)), f(f(cos * e[k]!) - f(sin * s[k]!))];
    [beside, s[k + 1]] = [f(sin * s[k + 1]!), f(cos * s[k + 1]!)];
    [r, cos, sin] = rotation(above, beside);
    s[k] = r;
    [above, s[k + 1]] = [f(f(cos * e[k]!) + f(sin * s[k + 1]!)), f(f(-sin * e[k]!) + f(cos * s[k + 1]!))];
    [beside, e[k + 1]] = [f(sin * e[k + 1]!), f(cos * e[k + 1]!)];
    for (const i of axes) {
      const [p, q] = [u[k]![i], u[k + 1]![i]];
      [u[k]![i], u[k + 1]![i]] = [f(f(cos * p) + f(sin * q)), f(f(cos * q) - f(sin * p))];
    }
  }
  e[last - 1] = above;
}

function reflection(column: Triple, from: 1 | 0): number {
  const length = norm(column.slice(from));
  if (length === 0) return 0;
  const signed = column[from] < 0 ? -length : length;
  const factor = f(1 / signed);
  for (let i = from; i < 3; i++) column[i] = f(column[i]! * factor);
  column[from] = f(column[from] + 1);
  return -signed;
}

function reflect(by: Triple, column: Triple, from: number): void {
  let product = 0;
  for (let i = from; i < 3; i++) product = f(product + f(by[i]! * column[i]!));
  add(f(-product / by[from]!), by, column, from);
}

function add(factor: number, what: Triple, to: Triple, from: number): void {
  for (let i = from; i < 3; i++) to[i] = f(to[i]! + f(factor * what[i]!));
}

/** Roots are taken in double precision and rounded with what they are multiplied by. */
function rotation(a: number, b: number): [r: number, cos: number, sin: number] {
  const scale = f(Math.abs(a) + Math.abs(b));
  if (scale === 0) return [0, 1, 0];
  const [p, q] = [f(a / scale), f(b / scale)];
  const length = f(scale * Math.sqrt(f(f(p * p) + f(q * q))));
  const r = (Math.abs(a) > Math.abs(b) ? a : b) < 0 ? -length : length;
  return [r, f(a / r), f(b / r)];
}

function norm(column: readonly number[]): number {
  let [scale, sum] = [0, 1];
  for (const each of column.map(Math.abs)) {
    if (each === 0) continue;
    const ratio = scale < each ? f(scale / each) : f(each / scale);
    sum = scale < each ? f(f(sum * f(ratio * ratio)) + 1) : f(sum + f(ratio * ratio));
    scale = Math.max(scale, each);
  }
  return f(scale * Math.sqrt(sum));
}

const isNegligible = (value: number, beside: number) => f(beside + Math.abs(value)) === beside;
