//! Sums, means and deviations of chosen voxels.

use crate::at_levels;
use crate::pack::{self, side_by_side};
use crate::parallel::{CHUNKS, ranges};
use crate::run::{Cancelled, Run};
use crate::select::{BLOCK, Select};
use std::ops::Range;

/// Lanes that accumulate apart and fold in a fixed order, whatever the instruction set.
pub const LANES: usize = 16;

/// Lanes that a loop with several sums takes at a time. Engines that run WebAssembly have sixteen registers of four
/// lanes, and the compiler does not know: what is too much for them is stored and read again at every turn.
pub const GROUP: usize = if cfg!(target_arch = "wasm32") { LANES / 2 } else { LANES };

/// A value for every lane, aligned to the widest vectors: one that crosses a cache line costs twice.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub struct Lanes<T>(pub [T; LANES]);

/// Zeros in blocks, at least `length` of them.
pub fn aligned(length: usize) -> Vec<Lanes<f32>> {
    vec![Lanes::default(); length.div_ceil(LANES)]
}

/// Blocks as one array.
#[inline(always)]
pub fn flat<T>(blocks: &[Lanes<T>]) -> &[T] {
    // SAFETY: an array of lanes lies in memory as its lanes do, and the length is theirs.
    unsafe { std::slice::from_raw_parts(blocks.as_ptr().cast(), size_of_val(blocks) / size_of::<T>()) }
}

/// Blocks as one array.
#[inline(always)]
pub fn flat_mut<T>(blocks: &mut [Lanes<T>]) -> &mut [T] {
    // SAFETY: as above.
    unsafe {
        std::slice::from_raw_parts_mut(blocks.as_mut_ptr().cast(), size_of_val(blocks) / size_of::<T>())
    }
}

/// Mean and spread of chosen voxels. Both are NaN for none, and where a chosen voxel is NaN or infinite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// How many voxels were chosen.
    pub count: usize,
    /// Their mean, in the voxels' unit.
    pub mean: f64,
    /// Σ (v - mean)², in the unit's square. Exactly 0 where all are equal.
    pub squares: f64,
}

impl Moments {
    const NONE: Moments = Moments { count: 0, mean: f64::NAN, squares: f64::NAN };

    /// Σ (v - mean)² / (count - ddof): the population's variance with 0, the unbiased estimate with 1. NaN where
    /// count ≤ ddof.
    pub fn variance(&self, ddof: usize) -> f64 {
        if self.count > ddof { self.squares / (self.count - ddof) as f64 } else { f64::NAN }
    }

    /// Those of `count` deviations from an origin, by their sum and that of their squares.
    fn about(origin: f64, count: usize, sum: f64, squares: f64) -> Moments {
        let n = count as f64;
        // No finite `f32` has a square that overflows `f64`.
        let (mean, squares) = if sum.is_finite() {
            (origin + sum / n, (squares - sum * (sum / n)).max(0.0))
        } else {
            (f64::NAN, f64::NAN)
        };
        Moments { count, mean, squares }
    }

    /// The moments of both together (Chan, Golub and LeVeque 1983, doi:10.1080/00031305.1983.10483115).
    fn and(self, later: Moments) -> Moments {
        match (self.count, later.count) {
            (_, 0) => self,
            (0, _) => later,
            (a, b) => {
                let (a, b) = (a as f64, b as f64);
                let gap = later.mean - self.mean;
                Moments {
                    count: self.count + later.count,
                    mean: self.mean + gap * (b / (a + b)),
                    squares: self.squares + later.squares + gap * gap * (a / (a + b) * b),
                }
            }
        }
    }
}

/// Mean and spread of the chosen voxels of an image.
///
/// Deviations are taken in `f64` from the first chosen voxel of a chunk, and chunks are joined by their means: a mean
/// that is large against the spread costs no digits. One pass, no allocation.
pub fn moments(voxels: &[f32], select: Select, run: &Run) -> Result<Moments, Cancelled> {
    let parts = ranges(voxels.len(), CHUNKS);
    let parts = run.map_parts(parts, |_, part| moments_of(run.level, voxels, part, select))?;
    Ok(parts.into_iter().fold(Moments::NONE, Moments::and))
}

/// Mean and spread of voxels that were counted by value.
pub fn moments_of_counts(counts: &[(f32, u64)]) -> Moments {
    let Some((origin, _)) = counts.first() else { return Moments::NONE };
    let (mut count, mut sum, mut squares) = (0, 0.0, 0.0);
    for (value, times) in counts {
        let deviation = f64::from(*value) - f64::from(*origin);
        count += times;
        sum += deviation * *times as f64;
        squares += deviation * deviation * *times as f64;
    }
    Moments::about(f64::from(*origin), count as usize, sum, squares)
}

at_levels! {
    fn moments_of<L>(voxels: &[f32], range: Range<usize>, select: Select) -> Moments {
        let (mut sums, mut count, mut origin) = (Sums::default(), 0, 0.0);
        let mut room = [0.0; BLOCK + pack::GROUP];
        let mut blocks = select.blocks(voxels, range);
        while let Some((values, chosen, more)) = blocks.next() {
            let values = side_by_side::<L>(values, chosen, more, &mut room);
            if count == 0 {
                origin = f64::from(values[0]);
            }
            count += more;
            let (whole, rest) = values[..more].as_chunks();
            for values in whole {
                sums.add_exact(&values.map(|value| f64::from(value) - origin));
            }
            if !rest.is_empty() {
                let mut deviations = [0.0; LANES];
                deviations.iter_mut().zip(rest).for_each(|(to, value)| *to = f64::from(*value) - origin);
                sums.add_exact(&deviations);
            }
        }
        if count == 0 {
            return Moments::NONE;
        }
        let (sum, squares) = sums.fold();
        Moments::about(origin, count, sum, squares)
    }
}

/// Sums of the values and their squares. Two lanes of values share one, so that the sums fit the registers of
/// all instruction sets.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Sums {
    sum: [f64; LANES / 2],
    squares: [f64; LANES / 2],
}

impl Default for Sums {
    fn default() -> Sums {
        Sums { sum: [0.0; LANES / 2], squares: [0.0; LANES / 2] }
    }
}

impl Sums {
    /// Adds sixteen values.
    #[inline(always)]
    pub fn add(&mut self, values: &Lanes<f32>) {
        self.add_exact(&values.0.map(f64::from));
    }

    #[inline(always)]
    fn add_exact(&mut self, values: &[f64; LANES]) {
        for lane in 0..LANES / 2 {
            let (a, b) = (values[lane], values[lane + LANES / 2]);
            self.sum[lane] += a + b;
            self.squares[lane] += a * a + b * b;
        }
    }

    /// Adds the lanes of sums that come after these.
    pub fn merge(&mut self, later: &Sums) {
        for lane in 0..LANES / 2 {
            self.sum[lane] += later.sum[lane];
            self.squares[lane] += later.squares[lane];
        }
    }

    /// The sum and the sum of squares, lanes folded as a fixed tree.
    pub fn fold(&self) -> (f64, f64) {
        (tree(&self.sum), tree(&self.squares))
    }

    /// Mean and sample standard deviation (n - 1) of `count` values; 0 deviation for fewer than two.
    pub fn mean_and_deviation(&self, count: usize) -> (f64, f64) {
        let (sum, squares) = self.fold();
        let n = count as f64;
        let mean = sum / n;
        let variance = if count > 1 { ((squares - sum * mean) / (n - 1.0)).max(0.0) } else { 0.0 };
        (mean, variance.sqrt())
    }
}

/// The sum of lanes, folded as a fixed tree.
pub fn tree(lanes: &[f64; LANES / 2]) -> f64 {
    let mut lanes = *lanes;
    let mut width = lanes.len() / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_known_numbers() {
        let mut sums = Sums::default();
        let values = Lanes(std::array::from_fn(|i| i as f32));
        sums.add(&values);
        // 0 … 15: mean 7.5, sample variance n(n+1)/12 = 22.666…
        let (mean, deviation) = sums.mean_and_deviation(LANES);
        assert_eq!(mean, 7.5);
        assert!((deviation - (16.0 * 17.0 / 12.0_f64).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn merging_equals_adding_in_the_same_lanes() {
        let values = Lanes(std::array::from_fn(|i| (i as f32).sin()));
        let (mut one, mut two) = (Sums::default(), Sums::default());
        one.add(&values);
        two.add(&values);
        one.merge(&two);
        let mut both = Sums::default();
        both.add(&values);
        both.add(&values);
        assert_eq!(one.fold(), both.fold());
    }

    #[test]
    fn moments_of_counts_are_those_of_the_voxels() {
        let run = crate::run::Run {
            level: crate::level::Level::best(),
            pool: crate::parallel::Pool::new(2).unwrap(),
            cancelled: &|| false,
        };
        let voxels: Vec<f32> = (0..50_000).map(|i| (i * 7919 % 101) as f32 + 1000.0).collect();
        let counts = crate::distinct::distinct(&voxels, Select::All, 1000, &run).unwrap().unwrap();
        let (found, expected) = (moments_of_counts(&counts), moments(&voxels, Select::All, &run).unwrap());
        assert_eq!(found.count, expected.count);
        assert!((found.mean - expected.mean).abs() < 1e-12 * expected.mean);
        assert!((found.squares - expected.squares).abs() < 1e-12 * expected.squares);
        assert_eq!(moments_of_counts(&[(7.0, 3)]).squares, 0.0);
        assert!(moments_of_counts(&[]).mean.is_nan());
    }
}
