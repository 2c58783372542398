//! Histograms of a fixed number of equal bins, and Otsu's threshold.

use crate::at_levels;
use crate::parallel::{CHUNKS, ranges};
use crate::run::{Cancelled, Run};
use crate::select::{BLOCK, Select};

/// Smallest and largest finite value of the chosen voxels, and how many of them are not finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Smallest; infinity where no value is finite. Never -0.
    pub low: f32,
    /// Largest; minus infinity where no value is finite. Never -0.
    pub high: f32,
    /// NaN and infinite values.
    pub not_finite: usize,
}

/// The finite range of the chosen voxels. Exact, so the order of the pass does not matter.
pub fn range(voxels: &[f32], select: Select, run: &Run) -> Result<Range, Cancelled> {
    let parts = ranges(voxels.len(), CHUNKS);
    let parts = run.map_parts(parts, |_, part| range_of(run.level, voxels, part, select))?;
    let low = parts.iter().fold(f32::INFINITY, |low, part| if part.low < low { part.low } else { low });
    let high =
        parts.iter().fold(f32::NEG_INFINITY, |high, part| if part.high > high { part.high } else { high });
    let not_finite = parts.iter().map(|part| part.not_finite).sum();
    // -0 and 0 are equal, so which comes of a comparison does depend on the order: adding 0 makes both 0.
    Ok(Range { low: low + 0.0, high: high + 0.0, not_finite })
}

/// Equal bins between two values.
///
/// Bin i is [low + i w, low + (i+1) w) with w = (high - low) / count, its edges as rounding of
/// `(v - low) · (count / (high - low))` in `f64` puts them; the last holds `high` as well.
#[derive(Clone, Copy, Debug)]
pub struct Bins {
    low: f64,
    high: f64,
    count: usize,
}

impl Bins {
    /// 1 to 2²⁴ bins of [low, high]; `None` for another number, or unless both ends are finite and low < high.
    pub fn new(low: f64, high: f64, count: usize) -> Option<Bins> {
        let is_range = low < high && (high - low).is_finite();
        (is_range && (1..=1 << 24).contains(&count)).then_some(Bins { low, high, count })
    }

    /// Where bin `bin` begins, and the one before it ends.
    pub fn edge(&self, bin: usize) -> f64 {
        self.low + bin as f64 * self.width()
    }

    /// The middle of bin `bin`.
    pub fn centre(&self, bin: usize) -> f64 {
        self.low + (bin as f64 + 0.5) * self.width()
    }

    fn width(&self) -> f64 {
        (self.high - self.low) / self.count as f64
    }

    /// A slot for what lies below, one for each bin, one for what lies above, one for NaN, one for what is not chosen.
    fn slots(&self) -> usize {
        self.count + 4
    }

    #[inline(always)]
    fn slot(&self, value: f32) -> i32 {
        let (value, last) = (f64::from(value), self.count as f64 - 1.0);
        let bin = (value - self.low) * (self.count as f64 / (self.high - self.low));
        let bin = if bin < last { bin } else { last };
        let bin = if value < self.low { -1.0 } else { bin };
        let bin = if value > self.high { last + 1.0 } else { bin };
        let bin = if value.is_nan() { last + 2.0 } else { bin };
        // SAFETY: -1 ≤ bin ≤ 2^24 + 1, and not NaN.
        unsafe { bin.to_int_unchecked::<i32>() + 1 }
    }
}

/// What fell into each bin, and what into none: voxels, or the sum of their weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram<T> {
    /// Of each bin.
    pub bins: Vec<T>,
    /// Values below the first bin, minus infinity among them.
    pub below: T,
    /// Values above the last bin, infinity among them.
    pub above: T,
    /// Values that are NaN.
    pub nan: T,
}

impl<T: Copy> Histogram<T> {
    /// Of all slots but the last.
    fn of(slots: &[T], bins: Bins) -> Histogram<T> {
        let after = bins.count + 1;
        Histogram {
            bins: slots[1..after].to_vec(),
            below: slots[0],
            above: slots[after],
            nan: slots[after + 1],
        }
    }
}

/// A slot's total, in four parts, so that equal neighbours don't wait for each other.
type Quarters<T> = [T; 4];

/// How many of the chosen voxels fall into each bin. Exact. A table of the bins for each thread.
pub fn histogram(voxels: &[f32], select: Select, bins: Bins, run: &Run) -> Result<Histogram<u64>, Cancelled> {
    let none = || vec![Quarters::<u64>::default(); bins.slots()];
    let (_, tables) = run.map_parts_with(ranges(voxels.len(), CHUNKS), none, |table, part| {
        count(run.level, voxels, part, select, bins, table);
    })?;
    let slot = |slot: usize| tables.iter().flat_map(|table| table[slot]).sum();
    Ok(Histogram::of(&(0..bins.slots()).map(slot).collect::<Vec<u64>>(), bins))
}

/// The same of voxels that were counted by value.
pub fn histogram_of_counts(counts: &[(f32, u64)], bins: Bins) -> Histogram<u64> {
    let mut slots = vec![0; bins.slots()];
    for (value, times) in counts {
        slots[bins.slot(*value) as usize] += times;
    }
    Histogram::of(&slots, bins)
}

/// The sum of the weights of the voxels in each bin; `weights` is as long as `voxels`.
///
/// Sums in `f64`, in an order that follows from the number of voxels alone. A weight that is NaN makes its bin NaN. A
/// table of the bins for each chunk.
pub fn weighted_histogram(
    voxels: &[f32],
    weights: &[f32],
    bins: Bins,
    run: &Run,
) -> Result<Histogram<f64>, Cancelled> {
    let parts = ranges(voxels.len(), CHUNKS);
    let tables =
        run.map_parts(parts, |_, part| weigh(run.level, &voxels[part.clone()], &weights[part], bins))?;
    let mut slots = vec![0.0; bins.slots()];
    for table in &tables {
        for (sum, [a, b, c, d]) in slots.iter_mut().zip(table) {
            *sum += (a + b) + (c + d);
        }
    }
    Ok(Histogram::of(&slots, bins))
}

/// Where a value stands among all there are: integers, unlike floating point numbers, are compared in vectors.
#[inline(always)]
pub fn rank(value: f32) -> i32 {
    rank_of_bits(value.to_bits() as i32)
}

/// Negative numbers have their other bits the wrong way round. Its own inverse.
#[inline(always)]
pub fn rank_of_bits(bits: i32) -> i32 {
    bits ^ ((bits >> 31) & i32::MAX)
}

/// The value that stands there.
#[inline(always)]
pub fn of_rank(rank: i32) -> f32 {
    f32::from_bits(rank_of_bits(rank) as u32)
}

/// The last rank from `from` towards `to`, at most, whose value `is` holds of, where it holds of all up to that one;
/// of `from` it is not asked.
pub fn last_rank(from: i32, to: i32, is: impl Fn(f32) -> bool) -> i32 {
    let (mut yes, mut no) = (i64::from(from), i64::from(to));
    while (no - yes).abs() > 1 {
        let middle = (yes + no) / 2;
        if is(of_rank(middle as i32)) { yes = middle } else { no = middle }
    }
    yes as i32
}

/// The ranks of the smallest and the largest of finite values.
#[derive(Clone, Copy)]
pub(crate) struct Extremes([i32; 2]);

impl Extremes {
    pub const NONE: Extremes = Extremes([i32::MAX, i32::MIN]);

    /// Adds the finite ones of the `count` values that are chosen, and says how many of these are not finite.
    #[inline(always)]
    pub fn add(&mut self, values: &[f32], chosen: &[u8], count: usize) -> usize {
        let Extremes([low, high]) = self;
        if count == values.len() {
            // Three numbers that tell all: among negative values, whose bits run the other way, the smallest has the
            // largest bits of all, and the largest the least.
            let (mut least, mut most, mut most_unsigned) = (i32::MAX, i32::MIN, 0);
            for value in values {
                least = least.min(value.to_bits() as i32);
                most = most.max(value.to_bits() as i32);
                most_unsigned = most_unsigned.max(value.to_bits());
            }
            if most < f32::INFINITY.to_bits() as i32 && most_unsigned < f32::NEG_INFINITY.to_bits() {
                *low = (*low).min(rank_of_bits(if most_unsigned as i32 >= 0 {
                    least
                } else {
                    most_unsigned as i32
                }));
                *high = (*high).max(rank_of_bits(if most >= 0 { most } else { least }));
                return 0;
            }
        }
        let mut finite = 0_u32;
        for i in 0..values.len() {
            let keep = (chosen[i] != 0) & (values[i].abs() < f32::INFINITY);
            finite += u32::from(keep);
            *low = (*low).min(if keep { rank(values[i]) } else { i32::MAX });
            *high = (*high).max(if keep { rank(values[i]) } else { i32::MIN });
        }
        count - finite as usize
    }

    /// Both; infinity and minus infinity of none. Never -0: which zero comes of a comparison depends on the order.
    pub fn values(self) -> [f32; 2] {
        if self.0 == Extremes::NONE.0 {
            [f32::INFINITY, f32::NEG_INFINITY]
        } else {
            self.0.map(|rank| of_rank(rank) + 0.0)
        }
    }
}

at_levels! {
    fn range_of(voxels: &[f32], part: std::ops::Range<usize>, select: Select) -> Range {
        let (mut extremes, mut not_finite) = (Extremes::NONE, 0);
        let mut blocks = select.blocks(voxels, part);
        while let Some((values, chosen, count)) = blocks.next() {
            not_finite += extremes.add(values, chosen, count);
        }
        let [low, high] = extremes.values();
        Range { low, high, not_finite }
    }

    fn count(voxels: &[f32], part: std::ops::Range<usize>, select: Select, bins: Bins, table: &mut [Quarters<u64>]) {
        let mut slots = [0; BLOCK];
        let mut blocks = select.blocks(voxels, part);
        while let Some((values, chosen, _)) = blocks.next() {
            let slots = &mut slots[..values.len()];
            for i in 0..values.len() {
                let slot = bins.slot(values[i]);
                slots[i] = if chosen[i] != 0 { slot } else { bins.count as i32 + 3 };
            }
            for slots in slots.as_chunks::<4>().0 {
                for quarter in 0..4 {
                    table[slots[quarter] as usize][quarter] += 1;
                }
            }
        }
    }

    fn weigh(voxels: &[f32], weights: &[f32], bins: Bins) -> Vec<Quarters<f64>> {
        let mut table = vec![Quarters::default(); bins.slots()];
        let mut slots = [0; BLOCK];
        for (values, weights) in voxels.chunks(BLOCK).zip(weights.chunks(BLOCK)) {
            for (slot, value) in slots.iter_mut().zip(values) {
                *slot = bins.slot(*value);
            }
            for (i, weight) in weights.iter().enumerate() {
                table[slots[i] as usize][i % 4] += f64::from(*weight);
            }
        }
        table
    }
}

/// The last bin of the lower class: the cut that makes the variance between the two classes largest
/// (Otsu 1979, doi:10.1109/TSMC.1979.4310076). Bin i stands for the value `centre(i)`. Of equal cuts
/// the first is taken. `None` for fewer than two filled bins.
pub fn otsu(counts: &[u64], centre: impl Fn(usize) -> f64) -> Option<usize> {
    let total: u64 = counts.iter().sum();
    let sum: f64 = counts.iter().enumerate().map(|(i, &n)| n as f64 * centre(i)).sum();
    let (mut below, mut sum_below) = (0_u64, 0.0);
    let mut best: Option<(usize, f64)> = None;
    for (i, &n) in counts.iter().enumerate() {
        below += n;
        sum_below += n as f64 * centre(i);
        let above = total - below;
        if below == 0 || above == 0 {
            continue;
        }
        let gap = sum_below / below as f64 - (sum - sum_below) / above as f64;
        let variance = below as f64 * above as f64 * gap * gap;
        if best.is_none_or(|(_, most)| variance > most) {
            best = Some((i, variance));
        }
    }
    best.map(|(i, _)| i)
}
