//! Uniform cubic B-splines on a lattice: weights, refinement, and separable expansion.
//!
//! On a regular grid the weights of a voxel are products of one weight per axis, so a lattice is
//! expanded axis by axis: over x once, over z once a plane, and over y as four multiply-adds a voxel.

use crate::moments::LANES;

/// The four weights of every sample along one axis.
pub struct Axis {
    /// Control points: spans + 3.
    pub points: usize,
    /// The first of the four control points that touch a sample.
    pub first: Vec<usize>,
    /// Their weights, which sum to 1.
    pub weights: Vec<[f64; 4]>,
    /// The same in single precision.
    pub narrow: Vec<[f32; 4]>,
}

impl Axis {
    /// `samples` positions stretched over `spans` polynomial pieces: sample i lies at i·spans/(samples-1).
    ///
    /// The last sample would fall on the far edge, where no piece begins; it is moved in by 1e-3 of a
    /// sample, as ITK does. A single sample lies at 0: the axis then adds nothing to the fit.
    pub fn new(samples: usize, spans: usize) -> Axis {
        Axis::placed(samples, spans, Placement::stretched(samples))
    }

    /// `samples` positions, placed on the line that is stretched over `spans` polynomial pieces.
    ///
    /// A position beyond an end takes the value there: the spline has no pieces outside.
    #[inline(never)]
    pub fn placed(samples: usize, spans: usize, placement: Placement) -> Axis {
        let Placement { start, step, extent } = placement;
        let scale = if extent > 0.0 { spans as f64 / extent } else { 0.0 };
        let end = spans as f64 - 1e-3 * scale;
        let (mut first, mut weights) = (Vec::with_capacity(samples), Vec::with_capacity(samples));
        for sample in 0..samples {
            // Not `clamp`, whose panic would bring a printer of floats into the WebAssembly module.
            let position = ((start + sample as f64 * step) * scale).max(0.0).min(end);
            let span = position.floor().min(spans as f64 - 1.0);
            first.push(span as usize);
            weights.push(cubic(position - span));
        }
        Axis::of(spans + 3, first, weights)
    }

    /// The number of samples.
    pub fn samples(&self) -> usize {
        self.first.len()
    }

    /// `each` of the weights, such as their squares.
    pub fn map(&self, each: impl Fn(&[f64; 4]) -> [f64; 4]) -> Axis {
        Axis::of(self.points, self.first.clone(), self.weights.iter().map(each).collect())
    }

    fn of(points: usize, first: Vec<usize>, weights: Vec<[f64; 4]>) -> Axis {
        let narrow = weights.iter().map(|weights| weights.map(|weight| weight as f32)).collect();
        Axis { points, first, weights, narrow }
    }
}

/// Where samples lie on a line from 0 to `extent`, which the spline is stretched over: sample i at start + i·step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Of the first sample.
    pub start: f64,
    /// From one sample to the next.
    pub step: f64,
    /// The far end of the line; 0 where there is but one place.
    pub extent: f64,
}

impl Placement {
    /// Samples 0 to `samples` - 1, which reach from end to end.
    pub fn stretched(samples: usize) -> Placement {
        Placement { start: 0.0, step: 1.0, extent: samples as f64 - 1.0 }
    }
}

/// The three axes of a grid of voxels.
pub struct Axes(pub [Axis; 3]);

impl Axes {
    /// `shape` voxels stretched over `spans` polynomial pieces an axis.
    pub fn new(shape: [usize; 3], spans: [usize; 3]) -> Axes {
        Axes([0, 1, 2].map(|a| Axis::new(shape[a], spans[a])))
    }

    /// `shape` voxels, placed on lines that are stretched over `spans` polynomial pieces an axis.
    pub fn placed(shape: [usize; 3], spans: [usize; 3], placement: &[Placement; 3]) -> Axes {
        Axes([0, 1, 2].map(|a| Axis::placed(shape[a], spans[a], placement[a])))
    }

    /// `each` of the weights of all axes.
    pub fn map(&self, each: impl Fn(&[f64; 4]) -> [f64; 4]) -> Axes {
        let [x, y, z] = &self.0;
        Axes([x.map(&each), y.map(&each), z.map(&each)])
    }

    /// Control points along x, y, z.
    pub fn points(&self) -> [usize; 3] {
        [0, 1, 2].map(|a| self.0[a].points)
    }
}

/// The four pieces of the uniform cubic B-spline at `t` in [0, 1].
fn cubic(t: f64) -> [f64; 4] {
    let s = 1.0 - t;
    [
        s * s * s / 6.0,
        ((3.0 * t - 6.0) * t * t + 4.0) / 6.0,
        ((3.0 * s - 6.0) * s * s + 4.0) / 6.0,
        t * t * t / 6.0,
    ]
}

/// Control points of a field, x fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Lattice {
    /// Control points along x, y, z.
    pub points: [usize; 3],
    /// One value a control point.
    pub values: Vec<f64>,
}

impl Lattice {
    /// A lattice of zeros.
    pub fn zeros(points: [usize; 3]) -> Lattice {
        Lattice { points, values: vec![0.0; points.iter().product()] }
    }

    /// Adds another lattice of the same shape.
    pub fn add(&mut self, other: &Lattice) {
        for (value, more) in self.values.iter_mut().zip(&other.values) {
            *value += more;
        }
    }

    /// Smallest and largest control point: the field stays between them.
    pub fn range(&self) -> (f64, f64) {
        self.values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)))
    }

    /// The same field on twice the spans along every axis.
    pub fn refined(&self) -> Lattice {
        [0, 1, 2].into_iter().fold(self.clone(), |lattice, axis| lattice.refined_along(axis))
    }

    /// Knot insertion at the middle of every span: even points are means of two, odd ones 1-6-1 of three.
    #[inline(never)]
    fn refined_along(&self, axis: usize) -> Lattice {
        let spans = self.points[axis] - 3;
        let mut points = self.points;
        points[axis] = 2 * spans + 3;
        let mut fine = Lattice::zeros(points);
        let stride: usize = self.points[..axis].iter().product();
        let outer: usize = self.points[axis + 1..].iter().product();
        for o in 0..outer {
            for s in 0..stride {
                let old = |i: usize| self.values[(o * self.points[axis] + i) * stride + s];
                for i in 0..points[axis] {
                    let h = i / 2;
                    let value = if i % 2 == 0 {
                        (old(h) + old(h + 1)) * 0.5
                    } else {
                        (old(h) + 6.0 * old(h + 1) + old(h + 2)) * 0.125
                    };
                    fine.values[(o * points[axis] + i) * stride + s] = value;
                }
            }
        }
        fine
    }
}

/// A lattice expanded along x, ready to be expanded plane by plane.
pub struct Expansion<'a> {
    z: &'a Axis,
    rows: usize,
    stride: usize,
    /// [z point][y point][x], rows padded to whole lanes.
    values: Vec<f32>,
}

impl<'a> Expansion<'a> {
    /// Expands `lattice` along x.
    pub fn new(lattice: &Lattice, x: &Axis, z: &'a Axis) -> Expansion<'a> {
        let stride = padded(x.samples());
        let [px, py, pz] = lattice.points;
        let mut values = vec![0.0; stride * py * pz];
        for (row, out) in lattice.values.chunks_exact(px).zip(values.chunks_exact_mut(stride)) {
            for sample in 0..x.samples() {
                let (w, p) = (&x.weights[sample], &row[x.first[sample]..x.first[sample] + 4]);
                out[sample] = (w[0] * p[0] + w[1] * p[1] + w[2] * p[2] + w[3] * p[3]) as f32;
            }
        }
        Expansion { z, rows: py, stride, values }
    }

    /// The length of a plane: y points times padded x.
    pub fn plane_size(&self) -> usize {
        self.rows * self.stride
    }

    /// x samples padded to whole lanes.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Expands plane `z` along z: one row of x values for every control point along y.
    #[inline(always)]
    pub fn plane(&self, z: usize, out: &mut [f32]) {
        let size = self.plane_size();
        let w = self.z.weights[z].map(|weight| weight as f32);
        let from = &self.values[self.z.first[z] * size..][..4 * size];
        combine([0, 1, 2, 3].map(|a| &from[a * size..]), w, &mut out[..size]);
    }
}

/// The sum of four rows, each times its weight.
#[inline(always)]
fn combine(rows: [&[f32]; 4], w: [f32; 4], out: &mut [f32]) {
    let [p0, p1, p2, p3] = rows;
    for ((((out, p0), p1), p2), p3) in out.iter_mut().zip(p0).zip(p1).zip(p2).zip(p3) {
        *out = (w[0] * p0 + w[1] * p1) + (w[2] * p2 + w[3] * p3);
    }
}

/// The four rows of a plane that touch one y, and their weights.
pub struct Row<'a> {
    rows: [&'a [f32]; 4],
    weights: [f32; 4],
}

impl<'a> Row<'a> {
    /// The rows of `plane` for sample `y`.
    #[inline(always)]
    pub fn new(plane: &'a [f32], stride: usize, y_axis: &Axis, y: usize) -> Row<'a> {
        let from = &plane[y_axis.first[y] * stride..][..4 * stride];
        Row {
            rows: [
                &from[..stride],
                &from[stride..2 * stride],
                &from[2 * stride..3 * stride],
                &from[3 * stride..],
            ],
            weights: y_axis.narrow[y],
        }
    }

    /// The field at the voxels from `x` on.
    #[inline(always)]
    pub fn expand(&self, x: usize, out: &mut [f32]) {
        combine(self.rows.map(|row| &row[x..]), self.weights, out);
    }
}

/// `n` rounded up to whole lanes.
pub fn padded(n: usize) -> usize {
    n.div_ceil(LANES) * LANES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lattice(points: [usize; 3]) -> Lattice {
        let values = (0..points.iter().product::<usize>()).map(|i| ((i * 29) % 17) as f64 - 8.0).collect();
        Lattice { points, values }
    }

    /// The field at one voxel by the definition: all 64 products.
    fn at(lattice: &Lattice, axes: &[Axis; 3], voxel: [usize; 3]) -> f64 {
        let mut sum = 0.0;
        for (c, wz) in axes[2].weights[voxel[2]].iter().enumerate() {
            for (b, wy) in axes[1].weights[voxel[1]].iter().enumerate() {
                for (a, wx) in axes[0].weights[voxel[0]].iter().enumerate() {
                    let [i, j, k] = [
                        a + axes[0].first[voxel[0]],
                        b + axes[1].first[voxel[1]],
                        c + axes[2].first[voxel[2]],
                    ];
                    sum += wx * wy * wz * lattice.values[(k * lattice.points[1] + j) * lattice.points[0] + i];
                }
            }
        }
        sum
    }

    #[test]
    fn weights_sum_to_one_and_reproduce_a_line() {
        for samples in [1, 2, 3, 17, 176] {
            let axis = Axis::new(samples, 4);
            for i in 0..samples {
                let w = axis.weights[i];
                assert!((w.iter().sum::<f64>() - 1.0).abs() < 1e-14);
                // Control point p of a line lies at p - 1.
                let line: f64 = (0..4).map(|a| w[a] * ((axis.first[i] + a) as f64 - 1.0)).sum();
                let expected = if samples > 1 { 4.0 * i as f64 / (samples - 1) as f64 } else { 0.0 };
                assert!((line - expected).abs() <= 4.1e-3, "{line} {expected}");
            }
        }
    }

    #[test]
    fn expansion_equals_the_definition() {
        let shape = [19, 7, 5];
        let lattice = lattice([7, 5, 4]);
        let axes = [Axis::new(shape[0], 4), Axis::new(shape[1], 2), Axis::new(shape[2], 1)];
        let expansion = Expansion::new(&lattice, &axes[0], &axes[2]);
        let mut plane = vec![0.0; expansion.plane_size()];
        for z in 0..shape[2] {
            expansion.plane(z, &mut plane);
            for y in 0..shape[1] {
                let mut row = vec![0.0; expansion.stride()];
                Row::new(&plane, expansion.stride(), &axes[1], y).expand(0, &mut row);
                for x in 0..shape[0] {
                    assert!((f64::from(row[x]) - at(&lattice, &axes, [x, y, z])).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn refinement_leaves_the_field_unchanged() {
        let coarse = lattice([4, 6, 5]);
        let fine = coarse.refined();
        assert_eq!(fine.points, [5, 9, 7]);
        let axes = |scale: usize| [Axis::new(9, scale), Axis::new(9, 3 * scale), Axis::new(9, 2 * scale)];
        for voxel in [[0, 0, 0], [1, 2, 3], [4, 4, 4], [7, 6, 5], [8, 8, 8]] {
            let difference = at(&coarse, &axes(1), voxel) - at(&fine, &axes(2), voxel);
            assert!(difference.abs() < 1e-12, "{difference}");
        }
    }
}
