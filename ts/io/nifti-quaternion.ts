/**
 * NIfTI's quaternion: a rotation by its last three numbers, the first one following from the length being 1.
 *
 * For that a half turn is told from nearly a half turn badly in `float32`: up to 0.07° are lost. The writer checks.
 */
import type { Affine, Triple } from "../volume.ts";

/** What a header says by its quaternion. */
export interface Qform {
  readonly quaternion: Triple;
  /** 1, or -1 where the third axis is turned round, since a quaternion cannot mirror. */
  readonly qfac: 1 | -1;
  readonly spacing: Triple;
  readonly offset: Triple;
}

/**
 * The affine, as nibabel 5.4 computes it. What misses from length 1 is taken for rounding where it is less than
 * three roundings of the version's numbers; a longer quaternion is made one of length 1.
 */
export function fromQform({ quaternion, qfac, spacing, offset }: Qform, version: 1 | 2): Affine {
  let [b, c, d] = quaternion;
  let a = 0;
  const squared = b * b + c * c + d * d;
  if (1 - squared < 3 * 2 ** (version === 1 ? -23 : -52)) {
    const length = Math.sqrt(squared);
    [b, c, d] = [b / length, c / length, d / length];
  } else {
    a = Math.sqrt(1 - squared);
  }
  const [sx, sy, sz] = [spacing[0], spacing[1], spacing[2] * qfac];
  const [x, y, z] = offset;
  return [
    [(1 - 2 * (c * c + d * d)) * sx, 2 * (b * c - a * d) * sy, 2 * (b * d + a * c) * sz, x],
    [2 * (b * c + a * d) * sx, (1 - 2 * (b * b + d * d)) * sy, 2 * (c * d - a * b) * sz, y],
    [2 * (b * d - a * c) * sx, 2 * (c * d + a * b) * sy, (1 - 2 * (b * b + c * c)) * sz, z],
  ];
}

/** The quaternion of a direction matrix; one that is not a rotation or its mirror image gives what is near it. */
export function toQuaternion(direction: readonly [Triple, Triple, Triple]): { quaternion: Triple; qfac: 1 | -1 } {
  const [[r00, r01, m02], [r10, r11, m12], [r20, r21, m22]] = direction;
  const qfac =
    r00 * (r11 * m22 - m12 * r21) - r01 * (r10 * m22 - m12 * r20) + m02 * (r10 * r21 - r11 * r20) < 0 ? -1 : 1;
  const [r02, r12, r22] = [m02 * qfac, m12 * qfac, m22 * qfac];
  // Four ways to the same numbers; the one that divides by the largest is exact (Shepperd 1978).
  const candidates: [number, number, number, number][] = [
    [1 + r00 + r11 + r22, r21 - r12, r02 - r20, r10 - r01],
    [r21 - r12, 1 + r00 - r11 - r22, r01 + r10, r02 + r20],
    [r02 - r20, r01 + r10, 1 - r00 + r11 - r22, r12 + r21],
    [r10 - r01, r02 + r20, r12 + r21, 1 - r00 - r11 + r22],
  ];
  const largest = [0, 1, 2, 3].reduce((best, k) => (candidates[k]![k]! > candidates[best]![best]! ? k : best));
  const [a, b, c, d] = candidates[largest]!;
  // The first number is not stored and taken as positive.
  const scale = (a < 0 ? -1 : 1) / Math.hypot(a, b, c, d);
  return { quaternion: [b * scale, c * scale, d * scale], qfac };
}
