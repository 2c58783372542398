//! Means and deviations in a box around each voxel.
//!
//! Sums over a box are separable. Along z they run: the plane that enters the box is added to each column's sum, and the one
//! that leaves is subtracted. Along y and x they do the same within a plane. Nothing depends on the size of the box, and
//! each chunk of planes begins with sums of its own, so their rounding does not depend on the number of threads.

use crate::at_levels;
use crate::parallel::{CHUNKS, ranges};
use crate::run::{Cancelled, Run};
use std::ops::Range;

/// What becomes of a voxel v with the mean m and the deviation s of its box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Local {
    /// v - m.
    Mean,
    /// (v - m) / max(s, this), which is above 0.
    Deviation(f64),
}

/// Smallest and largest result.
pub type Extent = [f32; 2];

/// Writes to `to` the local normalisation of `voxels`, a channel of this shape. The box holds up to `reach` voxels on either
/// side of each along each axis; at a border it is cut off there. Deviations are the population's.
///
/// `origin` is near the voxels' mean: sums of squares are taken from there, so that a mean that is large against the
/// deviations costs no digits.
pub fn local(
    voxels: &[f32],
    shape: [usize; 3],
    reach: [usize; 3],
    origin: f64,
    kind: Local,
    to: &mut [f32],
    run: &Run,
) -> Result<Extent, Cancelled> {
    let plane = shape[0] * shape[1];
    let mut rest = to;
    let mut parts = Vec::new();
    // Each chunk sums up the planes of a whole box before its first.
    let count = (shape[2] / (2 * reach[2] + 1)).clamp(CHUNKS / 8, CHUNKS);
    for planes in ranges(shape[2], count) {
        let (part, after) = rest.split_at_mut(planes.len() * plane);
        parts.push((planes, part));
        rest = after;
    }
    let parts = run.map_parts(parts, |_, (planes, to)| {
        planes_of(run.level, voxels, shape, reach, origin, kind, planes, to)
    })?;
    Ok(parts.into_iter().fold([f32::INFINITY, f32::NEG_INFINITY], |all, part| {
        [all[0].min(part[0]) + 0.0, all[1].max(part[1]) + 0.0]
    }))
}

/// The places from `at - reach` to `at + reach` that there are among `count`.
#[inline(always)]
fn window(at: usize, reach: usize, count: usize) -> Range<usize> {
    at.saturating_sub(reach)..count.min(at + reach + 1)
}

at_levels! {
    fn planes_of(
        voxels: &[f32],
        shape: [usize; 3],
        reach: [usize; 3],
        origin: f64,
        kind: Local,
        planes: Range<usize>,
        to: &mut [f32],
    ) -> Extent {
        let [nx, ny, nz] = shape;
        let plane = nx * ny;
        // Sums of values and of squares: of columns along z, of boxes of y and z, and of whole boxes in a row.
        let (mut columns, mut slabs) = ([vec![0.0; plane], vec![0.0; plane]], [vec![0.0; nx], vec![0.0; nx]]);
        let mut boxes = [vec![0.0; nx], vec![0.0; nx]];
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        let mut held = window(planes.start, reach[2], nz);
        for z in held.clone() {
            add(&voxels[z * plane..][..plane], origin, 1.0, &mut columns);
        }
        for (z, to) in planes.zip(to.chunks_mut(plane)) {
            let wanted = window(z, reach[2], nz);
            if wanted.end > held.end {
                add(&voxels[held.end * plane..][..plane], origin, 1.0, &mut columns);
            }
            if wanted.start > held.start {
                add(&voxels[held.start * plane..][..plane], origin, -1.0, &mut columns);
            }
            held = wanted;
            let mut rows = 0..0;
            slabs.iter_mut().for_each(|sums| sums.fill(0.0));
            for (y, to) in to.chunks_mut(nx).enumerate() {
                let wanted = window(y, reach[1], ny);
                for which in 0..2 {
                    let (slab, column) = (&mut slabs[which], &columns[which]);
                    for row in rows.end..wanted.end {
                        let column = &column[row * nx..][..nx];
                        for x in 0..nx {
                            slab[x] += column[x];
                        }
                    }
                    for row in rows.start..wanted.start {
                        let column = &column[row * nx..][..nx];
                        for x in 0..nx {
                            slab[x] -= column[x];
                        }
                    }
                }
                rows = wanted;
                let [sums, squares] = &mut boxes;
                run_along(&slabs, reach[0], sums, squares);
                let from = &voxels[(z * ny + y) * nx..][..nx];
                let depth = (held.len() * rows.len()) as f64;
                for x in 0..nx {
                    let count = depth * window(x, reach[0], nx).len() as f64;
                    let mean = sums[x] / count;
                    let centred = f64::from(from[x]) - origin - mean;
                    let out = match kind {
                        Local::Mean => centred,
                        Local::Deviation(least) => {
                            let variance = squares[x] / count - mean * mean;
                            // What rounding leaves below 0 has no root.
                            let variance = if variance > 0.0 { variance } else { 0.0 };
                            let deviation = variance.sqrt();
                            centred / if deviation > least { deviation } else { least }
                        }
                    };
                    to[x] = out as f32;
                }
                for v in to.iter() {
                    low = if *v < low { *v } else { low };
                    high = if *v > high { *v } else { high };
                }
            }
        }
        [low, high]
    }
}

/// Adds a plane's values and squares, or takes them away.
#[inline(always)]
fn add(plane: &[f32], origin: f64, sign: f64, [sums, squares]: &mut [Vec<f64>; 2]) {
    let (sums, squares) = (&mut sums[..plane.len()], &mut squares[..plane.len()]);
    for i in 0..plane.len() {
        let v = f64::from(plane[i]) - origin;
        sums[i] += sign * v;
        squares[i] += sign * (v * v);
    }
}

/// Sums of both along a row.
#[inline(always)]
fn run_along([a, b]: &[Vec<f64>; 2], reach: usize, sums: &mut [f64], squares: &mut [f64]) {
    let count = a.len();
    let (mut sum, mut square) = (0.0, 0.0);
    for x in 0..reach.min(count) {
        sum += a[x];
        square += b[x];
    }
    for x in 0..count {
        if x + reach < count {
            sum += a[x + reach];
            square += b[x + reach];
        }
        if x > reach {
            sum -= a[x - reach - 1];
            square -= b[x - reach - 1];
        }
        sums[x] = sum;
        squares[x] = square;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;
    use crate::parallel::Pool;

    /// Of each box anew.
    fn slow(voxels: &[f32], shape: [usize; 3], reach: [usize; 3], at: [usize; 3]) -> [f64; 3] {
        let windows: [_; 3] = std::array::from_fn(|axis| window(at[axis], reach[axis], shape[axis]));
        let place = |x, y, z| f64::from(voxels[(z * shape[1] + y) * shape[0] + x]);
        let mut values = Vec::new();
        for z in windows[2].clone() {
            for y in windows[1].clone() {
                values.extend(windows[0].clone().map(|x| place(x, y, z)));
            }
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
        [place(at[0], at[1], at[2]), mean, (squares / values.len() as f64).sqrt()]
    }

    #[test]
    fn each_box_is_summed() {
        let near = |a: f32, b: f64| (f64::from(a) - b).abs() <= 1.3e-7 * b.abs() + 1e-9;
        for (shape, reach) in [
            ([1, 1, 1], [3, 3, 3]),
            ([17, 5, 1], [2, 1, 4]),
            ([33, 9, 70], [1, 0, 2]),
            ([8, 21, 5], [40, 4, 40]),
            ([3, 2, 130], [0, 0, 0]),
        ] {
            let count = shape.iter().product::<usize>();
            let offset = 5000.0;
            let voxels: Vec<f32> =
                (0..count).map(|i| ((i * 7919) % 2003) as f32 * 0.63 - 100.0 + offset).collect();
            for kind in [Local::Mean, Local::Deviation(60.0)] {
                let mut first = None;
                for name in Level::supported() {
                    for threads in [1, 3] {
                        let level = Level::named(name).unwrap();
                        let run = Run { level, pool: Pool::new(threads).unwrap(), cancelled: &|| false };
                        let mut to = vec![0.0; count];
                        let extent = local(&voxels, shape, reach, 5100.0, kind, &mut to, &run).unwrap();
                        let bits = to.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                        assert_eq!(first.get_or_insert_with(|| bits.clone()), &bits);
                        for (i, out) in to.iter().enumerate() {
                            let at = [i % shape[0], i / shape[0] % shape[1], i / shape[0] / shape[1]];
                            let [v, mean, deviation] = slow(&voxels, shape, reach, at);
                            let exact = match kind {
                                Local::Mean => v - mean,
                                Local::Deviation(least) => (v - mean) / deviation.max(least),
                            };
                            assert!(near(*out, exact), "{shape:?} {reach:?} {at:?} {kind:?}: {out} {exact}");
                        }
                        let low = to.iter().copied().fold(f32::INFINITY, f32::min);
                        assert_eq!(extent[0], low);
                    }
                }
            }
        }
    }
}
