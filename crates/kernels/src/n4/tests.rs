//! The two passes against their definitions, voxel by voxel in `f64`: rows that end anywhere in their last lanes, masks
//! and weights that cross the borders of chunks, at every instruction set and number of threads.

use super::*;
use crate::moments::flat;
use crate::{
    grid::Shrunk,
    level::Level,
    parallel::Pool,
    select::{Select, Values},
};

/// An image with its mask and weights, all given by the voxel's index.
struct Phantom {
    shape: [usize; 3],
    voxels: Vec<f32>,
    mask: Vec<f32>,
    weight: Vec<f32>,
}

impl Phantom {
    fn new(shape: [usize; 3]) -> Phantom {
        let indices = 0..shape.iter().product::<usize>();
        Phantom {
            shape,
            voxels: indices.clone().map(|i| 50.0 + (i * 7919 % 1013) as f32).collect(),
            // The first voxel is always in; runs end anywhere.
            mask: indices.clone().map(|i| f32::from(u8::from(i / 23 % 5 != 3))).collect(),
            weight: indices.map(|i| (i * 31 % 11) as f32 * 0.25 + 0.25).collect(),
        }
    }

    /// The voxels that count, with their weight.
    fn included(&self, is_weighted: bool) -> Vec<([usize; 3], usize, f64)> {
        let [nx, ny, _] = self.shape;
        let weight = |i: usize| if is_weighted { f64::from(self.weight[i]) } else { 1.0 };
        let all = (0..self.voxels.len()).filter(|&i| self.mask[i] != 0.0);
        all.map(|i| ([i % nx, i / nx % ny, i / nx / ny], i, weight(i))).collect()
    }

    fn observe(&self, is_weighted: bool, run: &Run) -> Observations {
        let weight = is_weighted.then_some(&self.weight[..]);
        let shape = self.shape;
        let source = Source {
            voxels: &self.voxels,
            shape,
            select: Select::Other(Values::Floats(&self.mask), 0.0),
            weight,
        };
        let shrunk = Shrunk { shape, offset: [0; 3], factor: [1; 3], before: [0; 3], whole: shape };
        observe(&source, &shrunk, run).unwrap()
    }
}

/// Rows of one voxel to a little over two lane groups; rows that two strips share; the last two are cut into chunks of
/// several planes.
const SHAPES: [[usize; 3]; 11] = [
    [1, 1, 1],
    [2, 1, 1],
    [3, 5, 2],
    [15, 3, 2],
    [16, 2, 3],
    [17, 5, 3],
    [31, 1, 7],
    [33, 9, 4],
    [2049, 3, 2],
    [47, 31, 20],
    [16, 33, 65],
];

/// The 64 control points that touch a voxel, with their weights.
fn touched(axes: &Axes, [i, j, k]: [usize; 3]) -> Vec<(usize, f64)> {
    let [x, y, z] = &axes.0;
    let mut all = Vec::new();
    for (c, wz) in z.weights[k].iter().enumerate() {
        for (b, wy) in y.weights[j].iter().enumerate() {
            for (a, wx) in x.weights[i].iter().enumerate() {
                let row = (z.first[k] + c) * y.points + y.first[j] + b;
                all.push((row * x.points + x.first[i] + a, wx * wy * wz));
            }
        }
    }
    all
}

/// The one result of `work` on every level and number of threads.
fn everywhere<R: PartialEq + std::fmt::Debug>(work: impl Fn(&Run) -> R) -> R {
    let mut first = None;
    for name in Level::supported() {
        for threads in [1, 2, 3, 8] {
            let level = Level::named(name).unwrap();
            let run = Run { level, pool: Pool::new(threads).unwrap(), cancelled: &|| false };
            let result = work(&run);
            assert_eq!(&result, first.get_or_insert_with(|| work(&run)), "{name}, {threads} threads");
        }
    }
    first.unwrap()
}

#[test]
fn contraction_equals_the_sum_of_all_products() {
    let mut table = [0.0; FINE];
    table.iter_mut().enumerate().for_each(|(code, value)| *value = (code as f32 * 0.7).sin());
    for shape in SHAPES {
        let phantom = Phantom::new(shape);
        for is_weighted in [false, true] {
            for spans in [[1, 1, 1], [2, 1, 3]] {
                let axes = Axes::new(shape, spans);
                let bin = |value: f32| (value * 31.0) as usize % FINE;
                let got = everywhere(|run| {
                    let mut observations = phantom.observe(is_weighted, run);
                    for chunk in &mut observations.chunks {
                        // The lanes of NaN lie nowhere, whatever their code.
                        for (code, u) in chunk.codes.iter_mut().zip(flat(&chunk.u)) {
                            *code = if u.is_nan() { FINE - 1 } else { bin(*u) } as u16;
                        }
                    }
                    contract_all(&observations.chunks, &table, &axes, run).unwrap()
                });
                let [mut expected, mut scale] = [Lattice::zeros(got.points), Lattice::zeros(got.points)];
                for (index, i, weight) in phantom.included(is_weighted) {
                    let value = f64::from(table[bin(crate::math::ln(phantom.voxels[i]))]) * weight;
                    for (point, w) in touched(&axes, index) {
                        expected.values[point] += w * value;
                        scale.values[point] += w * value.abs();
                    }
                }
                for (i, got) in got.values.iter().enumerate() {
                    let difference = (got - expected.values[i]).abs();
                    // Rows of a plane are summed in single precision.
                    assert!(
                        difference <= 1e-6 * scale.values[i],
                        "{shape:?} {i}: {got} {}",
                        expected.values[i]
                    );
                }
            }
        }
    }
}

#[test]
fn an_advance_takes_the_field_away_and_counts_what_is_left() {
    for shape in SHAPES {
        let phantom = Phantom::new(shape);
        let axes = Axes::new(shape, [2, 1, 3]);
        // Within ½ ln 2, where exp(x) - 1 has its own polynomial, and beyond.
        for size in [0.3, 0.9] {
            let mut update = Lattice::zeros(axes.points());
            update
                .values
                .iter_mut()
                .enumerate()
                .for_each(|(i, value)| *value = size * (i as f64 * 1.7).sin());
            let (low, high) = (2.0, 9.0);
            let (left, counts, range, change) = everywhere(|run| {
                let mut observations = phantom.observe(false, run);
                let state = advance_all(&mut observations.chunks, &update, &axes, low, high, run).unwrap();
                let u = observations.chunks.iter().flat_map(|chunk| &chunk.u).flat_map(|block| block.0);
                let left: Vec<f32> = u.filter(|u| !u.is_nan()).collect();
                let change = state.change.mean_and_deviation(observations.included);
                (left, state.counts, (state.low, state.high), change)
            });
            let included = phantom.included(false);
            let fields: Vec<f64> = included
                .iter()
                .map(|(index, ..)| {
                    touched(&axes, *index).iter().map(|(point, w)| w * update.values[*point]).sum()
                })
                .collect();
            assert_eq!(left.len(), included.len());
            for ((left, (_, i, _)), field) in left.iter().zip(&included).zip(&fields) {
                let expected = f64::from(phantom.voxels[*i]).ln() - field;
                assert!((f64::from(*left) - expected).abs() < 2e-6, "{shape:?}: {left} {expected}");
            }
            let mut bins = vec![0; FINE];
            let rate = FINE as f32 / (high - low);
            left.iter().for_each(|u| bins[((u - low) * rate).clamp(0.0, (FINE - 1) as f32) as usize] += 1);
            assert_eq!(counts, bins);
            let extremes =
                left.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &u| (l.min(u), h.max(u)));
            assert_eq!(range, extremes);
            let n = fields.len() as f64;
            let mean = fields.iter().map(|field| (-field).exp() - 1.0).sum::<f64>() / n;
            let squares = fields.iter().map(|field| ((-field).exp() - 1.0 - mean).powi(2)).sum::<f64>();
            let deviation = if n > 1.0 { (squares / (n - 1.0)).sqrt() } else { 0.0 };
            assert!(
                (change.0 - mean).abs() < 1e-6 && (change.1 - deviation).abs() < 1e-6,
                "{shape:?} {change:?}"
            );
        }
    }
}

#[test]
fn a_correction_divides_and_measures_every_chosen_voxel() {
    for shape in SHAPES {
        let phantom = Phantom::new(shape);
        let count = phantom.voxels.len();
        let masked = Select::Other(Values::Floats(&phantom.mask), 0.0);
        // The middle of the voxels, so that many lie near it.
        let mut sorted = phantom.voxels.clone();
        sorted.sort_by(f32::total_cmp);
        let above = Select::Above(sorted[count / 2].next_down());
        // With small fields and large ones, which take two ways; with voxels at the very end, masks, and voxels chosen by value.
        for (size, select) in [(0.3, Select::All), (0.3, masked), (0.3, above), (0.9, Select::All)] {
            let mut lattice = Lattice::zeros([5, 4, 6]);
            let values = lattice.values.iter_mut().enumerate();
            values.for_each(|(i, value)| *value = size * (i as f64 * 1.7).sin());
            let axes = Axes::new(shape, [2, 1, 3]);
            let (image, field, told) = everywhere(|run| {
                let source = Source { voxels: &phantom.voxels, shape, select, weight: None };
                let placement = shape.map(Placement::stretched);
                let correction = |in_place| Correction {
                    lattice: &lattice,
                    placement,
                    keep_outside: false,
                    preserve_range: false,
                    in_place,
                };
                let [mut image, mut field] = [(); 2].map(|()| vec![0.0; count]);
                let to = Corrected { image: &mut image, field: &mut field, log_field: &mut [] };
                let told = correct(&source, &correction(false), to, run).unwrap();
                let mut place = phantom.voxels.clone();
                let to = Corrected { image: &mut place, field: &mut [], log_field: &mut [] };
                let again = correct(&Source { voxels: &[], ..source }, &correction(true), to, run).unwrap();
                let told = [told, again]
                    .map(|told| (told.voxels, told.before, told.after, told.field_low, told.field_high));
                assert_eq!((&image, told[0]), (&place, told[1]));
                (image, field, told[0])
            });
            let chosen: Vec<usize> = (0..count)
                .filter(|&i| match select {
                    Select::All => true,
                    Select::Above(threshold) => phantom.voxels[i] > threshold,
                    _ => phantom.mask[i] != 0.0,
                })
                .collect();
            for i in 0..count {
                let index = [i % shape[0], i / shape[0] % shape[1], i / shape[0] / shape[1]];
                let log: f64 = touched(&axes, index).iter().map(|(p, w)| w * lattice.values[*p]).sum();
                assert!((f64::from(field[i]) - log.exp()).abs() < 2e-6 * log.exp(), "{shape:?} {i}");
                assert_eq!(image[i], phantom.voxels[i] / field[i], "{shape:?} {i}");
            }
            let moments = |voxels: &[f32]| {
                let n = chosen.len() as f64;
                let mean = chosen.iter().map(|&i| f64::from(voxels[i])).sum::<f64>() / n;
                let squares: f64 = chosen.iter().map(|&i| (f64::from(voxels[i]) - mean).powi(2)).sum();
                (mean, if n > 1.0 { (squares / (n - 1.0)).sqrt() } else { 0.0 })
            };
            let alike = |a: (f64, f64), b: (f64, f64)| {
                (a.0 - b.0).abs() <= 1e-12 * b.0.abs() && (a.1 - b.1).abs() <= 1e-7 * b.0.abs()
            };
            assert_eq!(told.0, chosen.len());
            assert!(alike(told.1, moments(&phantom.voxels)), "{shape:?} {told:?}");
            assert!(alike(told.2, moments(&image)), "{shape:?} {told:?}");
            let fields = chosen.iter().map(|&i| field[i]);
            let extremes = fields.fold((f32::INFINITY, 0.0_f32), |(l, h), f| (l.min(f), h.max(f)));
            if !chosen.is_empty() {
                assert_eq!((told.3, told.4), extremes, "{shape:?}");
            }
        }
    }
}
