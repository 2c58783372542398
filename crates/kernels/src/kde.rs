//! Gaussian kernel densities of chosen voxels on a grid of values.
//!
//! Voxels are counted once, by linear binning (Fan and Marron 1994, doi:10.1080/10618600.1994.10474629): each is shared
//! between the two nodes that it lies between, in proportion to its nearness. The sums are whole numbers, so the order
//! of the voxels does not matter.

use crate::at_levels;
use crate::fourier::{Complex, Fourier};
use crate::math::exp_f64;
use crate::parallel::{CHUNKS, ranges};
use crate::run::{Cancelled, Run};
use crate::select::{BLOCK, Select};
use std::f64::consts::PI;
use std::ops::Range;

/// Numbers that a density is of.
#[derive(Clone, Copy)]
pub enum Numbers<'a> {
    #[allow(missing_docs)]
    Voxels(&'a [f32], Select<'a>),
    /// Voxels that were counted by value.
    Counted(&'a [(f32, u64)]),
}

impl Numbers<'_> {
    fn shares(self, low: f64, step: f64, intervals: usize, run: &Run) -> Result<Vec<Share>, Cancelled> {
        match self {
            Numbers::Voxels(voxels, select) => shares(voxels, select, low, step, intervals, run),
            Numbers::Counted(counts) => {
                let mut shares = vec![[0; 2]; intervals + 1];
                for (value, times) in counts {
                    let (slot, place) = interval(*value, low, 1.0 / step, intervals as f64);
                    shares[slot as usize][0] += times;
                    shares[slot as usize][1] += times * place as u64;
                }
                Ok(shares)
            }
        }
    }
}

/// Σ exp(-½ ((x - v) / h)²) over the chosen voxels v, for each of `points` ≥ 2 values x from `low` to `high`, which
/// bound the voxels; h is the bandwidth. (A density once divided by n h √(2π).)
///
/// Voxels are shared between `NODES` or more to a bandwidth, unless that makes more than `MOST_NODES`. Nodes `step` apart
/// add a variance of step²/6 on average, by which the kernel is narrowed: what remains is an error below 1e-4.
pub fn gaussian(
    numbers: Numbers,
    [low, high]: [f64; 2],
    points: usize,
    bandwidth: f64,
    run: &Run,
) -> Result<Vec<f64>, Cancelled> {
    let spacing = (high - low) / (points - 1) as f64;
    let finer = (NODES * spacing / bandwidth).ceil().min((MOST_NODES / points) as f64).max(1.0) as usize;
    let step = spacing / finer as f64;
    let shares = numbers.shares(low, step, (points - 1) * finer, run)?;
    let weights = nodes(&shares);
    let squared = bandwidth * bandwidth;
    let narrowed = (squared - step * step / 6.0).max(squared / 4.0);
    // Beyond, the kernel is 0 in double precision.
    let reach = ((2.0 * 700.0 * narrowed).sqrt() / step).min(weights.len() as f64) as usize;
    let kernel: Vec<f64> = (0..=reach)
        .map(|distance| {
            let away = distance as f64 * step;
            exp_f64(-0.5 * away * away / narrowed)
        })
        .collect();
    let at = |point: usize| {
        let middle = point * finer;
        let first = middle.saturating_sub(reach);
        let near = &weights[first..weights.len().min(middle + reach + 1)];
        near.iter().enumerate().map(|(i, weight)| weight * kernel[middle.abs_diff(first + i)]).sum()
    };
    Ok((0..points).map(at).collect())
}

const NODES: f64 = 32.0;
const MOST_NODES: usize = 1 << 18;

/// A density on a regular grid, up to a factor.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// The first value.
    pub low: f64,
    /// From one value to the next.
    pub step: f64,
    /// The densities there.
    pub density: Vec<f64>,
}

/// The density as the `kdensityfft` of statsmodels computes it: Silverman's AS 176 (1982, doi:10.2307/2347084) on
/// linear bins, over `points`, a power of two and at least 4, from 3 bandwidths below `low` to 3 above `high`, which
/// bound the voxels.
///
/// Kept as it is there: the grid is closed to a ring, and voxels of its first two intervals are left out, in which some
/// lie only where the bandwidth is small against the range.
pub fn silverman(
    numbers: Numbers,
    [low, high]: [f64; 2],
    points: usize,
    bandwidth: f64,
    run: &Run,
) -> Result<Grid, Cancelled> {
    let (low, high) = (low - 3.0 * bandwidth, high + 3.0 * bandwidth);
    let step = (high - low) / (points - 1) as f64;
    let mut shares = numbers.shares(low, step, points - 1, run)?;
    shares[..2].fill([0; 2]);
    let mut weights = Complex { re: nodes(&shares), im: vec![0.0; points] };
    let (fourier, mut spare) = (Fourier::new(points), Complex::zeros(points));
    fourier.forward(run.level, &mut weights, &mut spare);
    let width = PI * bandwidth / (high - low);
    for i in 0..points {
        let frequency = i.min(points - i) as f64;
        // The transform of the kernel, over that of the bins.
        let bins = PI * frequency / points as f64;
        let factor = exp_f64(-2.0 * width * width * frequency * frequency) / (1.0 - bins * bins / 3.0);
        weights.re[i] *= factor;
        weights.im[i] *= factor;
    }
    fourier.inverse(run.level, &mut weights, &mut spare);
    Ok(Grid { low, step, density: weights.re })
}

/// Parts of an interval that a voxel's place in it is rounded to.
const PARTS: u64 = 1 << 16;

/// How many voxels lie in an interval, and the sum of their distances from its lower end, in `PARTS` of it.
type Share = [u64; 2];

/// The weights of all nodes: of the ends of each interval.
fn nodes(shares: &[Share]) -> Vec<f64> {
    let mut weights = vec![0.0; shares.len()];
    for (i, [count, sum]) in shares.iter().enumerate() {
        let upper = *sum as f64 / PARTS as f64;
        weights[i] += *count as f64 - upper;
        // What lies on the last node has nothing to give to one beyond it.
        if let Some(weight) = weights.get_mut(i + 1) {
            *weight += upper;
        }
    }
    weights
}

/// A count and a sum in one number each, in four parts, so that equal neighbours don't wait for each other.
type Packed = [u64; 4];

/// Where a packed number's count begins: sums of 2²⁴ places stay below it.
const COUNT: u32 = 40;

struct Table {
    packed: Vec<Packed>,
    /// Voxels that `packed` has room for.
    room: usize,
    shares: Vec<Share>,
}

impl Table {
    /// Less in tests, which would otherwise need as many voxels to see it filled.
    const ROOM: usize = if cfg!(test) { 1 << 10 } else { 1 << 24 };

    fn new(intervals: usize) -> Table {
        // One for what lies on the last node, and one for what is not chosen.
        Table {
            packed: vec![Packed::default(); intervals + 2],
            room: Table::ROOM,
            shares: vec![[0; 2]; intervals + 1],
        }
    }

    fn unpack(&mut self) {
        for ([count, sum], packed) in self.shares.iter_mut().zip(&self.packed) {
            *count += packed.iter().map(|packed| packed >> COUNT).sum::<u64>();
            *sum += packed.iter().map(|packed| packed & ((1 << COUNT) - 1)).sum::<u64>();
        }
        self.packed.fill(Packed::default());
        self.room = Table::ROOM;
    }
}

/// The shares of each of `intervals` of width `step` from `low` on, and of the last one's end. The chosen voxels are
/// finite; those beyond the ends count as being there.
fn shares(
    voxels: &[f32],
    select: Select,
    low: f64,
    step: f64,
    intervals: usize,
    run: &Run,
) -> Result<Vec<Share>, Cancelled> {
    let parts = ranges(voxels.len(), CHUNKS.max(voxels.len().div_ceil(Table::ROOM)));
    let (_, mut tables) = run.map_parts_with(
        parts,
        || Table::new(intervals),
        |table, part| {
            if table.room < part.len() {
                table.unpack();
            }
            table.room -= part.len();
            count(run.level, voxels, part, select, low, 1.0 / step, &mut table.packed);
        },
    )?;
    let mut sum = vec![[0; 2]; intervals + 1];
    for table in &mut tables {
        table.unpack();
        for (sum, share) in sum.iter_mut().zip(&table.shares) {
            *sum = [sum[0] + share[0], sum[1] + share[1]];
        }
    }
    Ok(sum)
}

/// The interval that a value lies in, and its place there. Values beyond the ends lie on them; `last` is the number of
/// intervals, which an `i32` holds.
#[inline(always)]
fn interval(value: f32, low: f64, density: f64, last: f64) -> (i32, i32) {
    let at = (f64::from(value) - low) * density;
    let at = if at > 0.0 { at } else { 0.0 };
    let at = if at < last { at } else { last };
    // SAFETY: not NaN, and from 0 to the number of intervals.
    let slot = unsafe { at.to_int_unchecked::<i32>() };
    // SAFETY: 0 ≤ at - slot < 1.
    let place = unsafe { ((at - f64::from(slot)) * PARTS as f64 + 0.5).to_int_unchecked::<i32>() };
    (slot, place)
}

at_levels! {
    fn count(voxels: &[f32], part: Range<usize>, select: Select, low: f64, density: f64, table: &mut [Packed]) {
        assert!(table.len() <= i32::MAX as usize, "{} intervals", table.len());
        let (last, none) = ((table.len() - 2) as f64, table.len() as i32 - 1);
        let (mut slots, mut places) = ([0; BLOCK], [0; BLOCK]);
        let mut blocks = select.blocks(voxels, part);
        while let Some((values, chosen, _)) = blocks.next() {
            let length = values.len();
            let (slots, places) = (&mut slots[..length], &mut places[..length]);
            for i in 0..length {
                let (slot, place) = interval(values[i], low, density, last);
                places[i] = place;
                slots[i] = if chosen[i] != 0 { slot } else { none };
            }
            for (slots, places) in slots.as_chunks::<4>().0.iter().zip(places.as_chunks::<4>().0) {
                for quarter in 0..4 {
                    table[slots[quarter] as usize][quarter] += (1 << COUNT) + places[quarter] as u64;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;
    use crate::parallel::Pool;
    use crate::select::Values;

    fn everywhere<T: PartialEq + std::fmt::Debug>(density: impl Fn(&Run) -> T) -> T {
        let mut first = None;
        for name in Level::supported() {
            for threads in [1, 2, 3, 8] {
                let pool = Pool::new(threads).unwrap();
                let run = Run { level: Level::named(name).unwrap(), pool, cancelled: &|| false };
                let found = density(&run);
                assert_eq!(&found, first.get_or_insert_with(|| density(&run)), "{name} {threads}");
            }
        }
        first.unwrap()
    }

    /// Two humps, some noise between them, and a mask with holes.
    fn humps(count: usize) -> (Vec<f32>, Vec<u8>) {
        let mut state = 1_u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 24)
        };
        let value = |i: usize, next: &mut dyn FnMut() -> f64| {
            let hump = (next() + next() + next() + next()) * 30.0;
            (if i.is_multiple_of(3) { hump + 40.0 } else { hump + 130.0 }) as f32
        };
        let voxels = (0..count).map(|i| value(i, &mut next)).collect();
        (voxels, (0..count).map(|i| u8::from(i % 37 < 29)).collect())
    }

    fn bounds(values: &[f64]) -> [f64; 2] {
        values.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| [low.min(*v), high.max(*v)])
    }

    #[test]
    fn a_density_is_the_sum_of_its_kernels() {
        for (count, bandwidth) in [(5000, 6.0), (30_011, 1.5)] {
            let (voxels, mask) = humps(count);
            let chosen: Vec<f64> =
                (0..count).filter(|&i| mask[i] == 1).map(|i| f64::from(voxels[i])).collect();
            let [low, high] = bounds(&chosen);
            let select = Select::Other(Values::Bytes(&mask), 0.0);
            let found = everywhere(|run| {
                gaussian(Numbers::Voxels(&voxels, select), [low, high], 80, bandwidth, run).unwrap()
            });
            for (i, found) in found.into_iter().enumerate() {
                let x = low + (high - low) * i as f64 / 79.0;
                let slow: f64 = chosen.iter().map(|v| libm::exp(-0.5 * ((x - v) / bandwidth).powi(2))).sum();
                assert!((found / slow - 1.0).abs() < 1e-4, "{i}: {found} {slow}");
            }
            let run = Run { level: Level::best(), pool: Pool::new(2).unwrap(), cancelled: &|| false };
            let counts = crate::distinct::distinct(&voxels, select, 1 << 20, &run).unwrap().unwrap();
            let counted = gaussian(Numbers::Counted(&counts), [low, high], 80, bandwidth, &run);
            let voxels = gaussian(Numbers::Voxels(&voxels, select), [low, high], 80, bandwidth, &run);
            assert_eq!(counted, voxels);
        }
    }

    /// As statsmodels says it, term by term.
    #[test]
    fn silverman_is_a_convolution_on_a_ring() {
        let (voxels, mask) = humps(70_001);
        let chosen: Vec<f64> = (0..70_001).filter(|&i| mask[i] == 1).map(|i| f64::from(voxels[i])).collect();
        let select = Select::Other(Values::Bytes(&mask), 0.0);
        let [low, high] = bounds(&chosen);
        for bandwidth in [high / 80.0, 0.01] {
            let grid = everywhere(|run| {
                silverman(Numbers::Voxels(&voxels, select), [low, high], 128, bandwidth, run).unwrap()
            });
            let (a, b) = (low - 3.0 * bandwidth, high + 3.0 * bandwidth);
            assert_eq!((grid.low, grid.step), (a, (b - a) / 127.0));
            let mut bins = [0.0; 128];
            for at in chosen.iter().map(|v| (v - a) / grid.step).filter(|at| *at >= 2.0) {
                let left = at.floor();
                bins[left as usize] += 1.0 - (at - left);
                bins[left as usize + 1] += at - left;
            }
            let kernel = |distance: usize| -> f64 {
                let term = |j: usize| {
                    let f = j.min(128 - j) as f64;
                    let gauss = libm::exp(-2.0 * (PI * bandwidth / (b - a)).powi(2) * f * f);
                    let turn = 2.0 * PI * (j * distance % 128) as f64 / 128.0;
                    gauss / (1.0 - (f * PI / 128.0).powi(2) / 3.0) * libm::cos(turn)
                };
                (0..128).map(term).sum()
            };
            let kernels: Vec<f64> = (0..128).map(kernel).collect();
            let most = grid.density.iter().fold(0.0, |most, v| v.max(most));
            for i in 0..128 {
                let slow: f64 = (0..128).map(|j| bins[j] * kernels[(i + 128 - j) % 128]).sum();
                assert!((grid.density[i] - slow).abs() < 1e-6 * most, "{i}: {} {slow}", grid.density[i]);
            }
        }
    }

    #[test]
    fn voxels_on_nodes_and_ends_count_once() {
        let run = Run { level: Level::best(), pool: Pool::new(1).unwrap(), cancelled: &|| false };
        let shares = shares(&[0.0, 1.0, 1.5, 4.0, 9.0, -3.0], Select::All, 0.0, 1.0, 4, &run).unwrap();
        assert_eq!(shares, [[2, 0], [2, PARTS / 2], [0, 0], [0, 0], [2, 0]]);
        assert_eq!(nodes(&shares), [2.0, 1.5, 0.5, 0.0, 2.0]);
    }
}
