//! Exact percentiles, by selection: nothing is sorted but a sample.

use crate::at_levels;
use crate::histogram::{last_rank, of_rank, rank};
use crate::memory::prefetch;
use crate::moments::LANES;
use crate::order;
use crate::pack::{GROUP, Pack, side_by_side};
use crate::parallel::{CHUNKS, ranges};
use crate::run::{Cancelled, Run};
use crate::select::{BLOCK, Select};
use std::ops::Range;

/// Percentiles of chosen voxels.
#[derive(Clone, Debug, PartialEq)]
pub struct Percentiles {
    /// How many voxels were chosen.
    pub count: usize,
    /// How many of them are NaN or infinite. Where there are any, `values` means nothing.
    pub not_finite: usize,
    /// In the order asked for; NaN where no voxel was chosen.
    pub values: Vec<f64>,
}

/// The percentiles (0 to 100) of the chosen voxels, interpolated linearly between neighbours in order: with n values
/// x₀ ≤ x₁ ≤ …, that of p is x at the index (n - 1) p / 100 (type 7 of Hyndman and Fan 1996,
/// doi:10.1080/00031305.1996.10473566; what numpy does).
///
/// A sample tells between which two values each rank is likely to lie. One pass counts what lies below them and keeps
/// what lies between. Where the sample misled, a second pass keeps everything. The result is exact either way, and so
/// the same bits on every instruction set and any number of threads.
pub fn percentiles(
    voxels: &[f32],
    select: Select,
    percentiles: &[f64],
    run: &Run,
) -> Result<Percentiles, Cancelled> {
    find(voxels, select, Key::Value, percentiles, run)
}

/// The percentiles of the chosen voxels' distances from `centre`, which is finite. Distances are those of double
/// precision.
pub fn percentiles_of_distance(
    voxels: &[f32],
    select: Select,
    centre: f64,
    percentiles: &[f64],
    run: &Run,
) -> Result<Percentiles, Cancelled> {
    find(voxels, select, Key::Distance(centre), percentiles, run)
}

/// What voxels are in order of.
#[derive(Clone, Copy)]
enum Key {
    Value,
    /// How far they are from this number.
    Distance(f64),
}

impl Key {
    fn of(self, voxel: f32) -> f64 {
        match self {
            Key::Value => f64::from(voxel),
            Key::Distance(centre) => (f64::from(voxel) - centre).abs(),
        }
    }
}

fn find(
    voxels: &[f32],
    select: Select,
    key: Key,
    percentiles: &[f64],
    run: &Run,
) -> Result<Percentiles, Cancelled> {
    let sample = sample(voxels, select, key);
    let mut brackets = Vec::new();
    for &p in percentiles {
        Bracket::around(p / 100.0, &sample, &mut brackets);
    }
    let first = Pass::over(voxels, select, key, &brackets, run)?;
    let (count, not_finite) = (first.count, first.not_finite);
    if count == 0 || not_finite > 0 {
        return Ok(Percentiles { count, not_finite, values: vec![f64::NAN; percentiles.len()] });
    }
    let mut all = None;
    let mut values = Vec::with_capacity(percentiles.len());
    for &p in percentiles {
        let ranks = Ranks::of(p, count);
        let found = match first.values(ranks.around, key) {
            Some(values) => values,
            None => {
                if all.is_none() {
                    all = Some(Pass::over(voxels, select, key, &[Bracket::ALL], run)?);
                }
                let all = all.as_ref().expect("just made");
                all.values(ranks.around, key).expect("every rank is among all")
            }
        };
        values.push(ranks.between(found));
    }
    Ok(Percentiles { count, not_finite, values })
}

/// A percentile of voxels that were counted by value, in ascending order; at least one.
pub fn percentile_of_counts(counts: &[(f32, u64)], p: f64) -> f64 {
    let count = counts.iter().map(|(_, times)| *times as usize).sum();
    let ranks = Ranks::of(p, count);
    ranks.between(ranks.around.map(|rank| {
        let mut before = 0;
        let is_here = |(_, times): &&(f32, u64)| {
            before += *times as usize;
            rank < before
        };
        counts.iter().find(is_here).map_or(f64::NAN, |(value, _)| f64::from(*value))
    }))
}

/// Where a percentile lies among sorted values: between two ranks, or on one.
struct Ranks {
    around: [usize; 2],
    fraction: f64,
}

impl Ranks {
    fn of(p: f64, count: usize) -> Ranks {
        let index = (count - 1) as f64 * (p / 100.0).clamp(0.0, 1.0);
        Ranks { around: [index.floor() as usize, index.ceil() as usize], fraction: index - index.floor() }
    }

    fn between(&self, [low, high]: [f64; 2]) -> f64 {
        low + (high - low) * self.fraction
    }
}

/// Values in the sample: more make brackets narrower, and sorting longer.
const SAMPLE: usize = 1 << 15;

/// The keys of chosen finite voxels from all over the image, in order.
fn sample(voxels: &[f32], select: Select, key: Key) -> Vec<f64> {
    // An odd step shares no factor with most row lengths.
    let step = (voxels.len() / SAMPLE) | 1;
    let choice = select.among(voxels);
    let mut sample = Vec::with_capacity(SAMPLE + 1);
    for i in (0..voxels.len()).step_by(step) {
        // Each lies in a cache line of its own, and to wait for these one by one is most of the work.
        prefetch(voxels, i + 16 * step, 1);
        choice.prefetch(i + 16 * step, 1);
        if voxels[i].is_finite() && choice.includes(i) {
            sample.push(key.of(voxels[i]));
        }
    }
    order::sort(&mut sample);
    sample
}

/// Keys among which a rank is looked for, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bracket {
    low: f64,
    high: f64,
}

impl Bracket {
    const ALL: Bracket = Bracket { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// Where the sample has the fraction `p`, and four standard deviations of its rank to either side. An end that
    /// many voxels share is a bracket of its own, of which nothing need be kept.
    fn around(p: f64, sample: &[f64], brackets: &mut Vec<Bracket>) {
        let last = sample.len() as f64 - 1.0;
        let (at, reach) = (p * last, 4.0 * (p * (1.0 - p) * last).max(0.0).sqrt() + 2.0);
        let value = |index: f64, beyond: f64| {
            if (0.0..=last).contains(&index) { sample[index as usize] } else { beyond }
        };
        let mut bracket = Bracket {
            low: value((at - reach).floor(), f64::NEG_INFINITY),
            high: value((at + reach).ceil(), f64::INFINITY),
        };
        let is_shared = |key: f64| {
            let equal = sample.iter().map(|other| u32::from(*other == key)).sum::<u32>();
            f64::from(equal) > reach
        };
        let mut add = |bracket| {
            if !brackets.contains(&bracket) {
                brackets.push(bracket);
            }
        };
        if is_shared(bracket.low) {
            add(Bracket { low: bracket.low, high: bracket.low });
            bracket.low = bracket.low.next_up();
        }
        if is_shared(bracket.high) {
            add(Bracket { low: bracket.high, high: bracket.high });
            bracket.high = bracket.high.next_down();
        }
        if bracket.low <= bracket.high {
            add(bracket);
        }
    }

    /// The voxels of keys below, and those of keys to the upper end.
    fn cuts(&self, key: Key) -> [Cut; 2] {
        [Cut::new(key, |key| key < self.low), Cut::new(key, |key| key <= self.high)]
    }
}

/// All voxels above a value and up to another one. NaN is above and below nothing.
#[derive(Clone, Copy)]
struct Cut {
    above: f32,
    up_to: f32,
}

impl Cut {
    /// The voxels of whose keys `is` holds: of all keys up to some.
    fn new(key: Key, is: impl Fn(f64) -> bool) -> Cut {
        let is = |voxel| is(key.of(voxel));
        let [lowest, highest] = [f32::NEG_INFINITY, f32::INFINITY].map(rank);
        match key {
            Key::Value => Cut { above: f32::NAN, up_to: of_rank(last_rank(lowest - 1, highest + 1, is)) },
            Key::Distance(centre) => {
                let middle = rank(centre as f32);
                Cut {
                    above: of_rank(last_rank(middle, lowest - 1, is) - 1),
                    up_to: of_rank(last_rank(middle - 1, highest + 1, is)),
                }
            }
        }
    }

    #[inline(always)]
    fn mask<L: Pack>(&self, values: &[f32; GROUP]) -> u64 {
        let at_most = |limit: f32| {
            let mut mask = 0;
            for (i, values) in values.as_chunks().0.iter().enumerate() {
                mask |= u64::from(L::at_most(values, limit)) << (i * LANES);
            }
            mask
        };
        let mask = at_most(self.up_to);
        if self.above.is_nan() { mask } else { mask & !at_most(self.above) }
    }
}

/// What a pass found of one bracket.
#[derive(Default)]
struct Found {
    /// Voxels of keys below the lower end; and at most the upper end.
    below: usize,
    up_to: usize,
    /// Those between, unless they are all equal.
    kept: Vec<f32>,
}

struct Pass {
    count: usize,
    not_finite: usize,
    found: Vec<(Bracket, Found)>,
}

impl Pass {
    fn over(
        voxels: &[f32],
        select: Select,
        key: Key,
        brackets: &[Bracket],
        run: &Run,
    ) -> Result<Pass, Cancelled> {
        let cuts: Vec<_> =
            brackets.iter().map(|bracket| (bracket.cuts(key), bracket.low < bracket.high)).collect();
        let parts = ranges(voxels.len(), CHUNKS);
        let parts = run.map_parts(parts, |_, part| pass(run.level, voxels, part, select, &cuts))?;
        let found = brackets.iter().map(|bracket| (*bracket, Found::default())).collect();
        let mut sum = Pass { count: 0, not_finite: 0, found };
        for (count, not_finite, found) in parts {
            sum.count += count;
            sum.not_finite += not_finite;
            for ((_, sum), part) in sum.found.iter_mut().zip(found) {
                sum.below += part.below;
                sum.up_to += part.up_to;
                sum.kept.extend(part.kept);
            }
        }
        Ok(sum)
    }

    /// The keys of a rank, and of the same or the next one; or nothing where they lie in no bracket.
    fn values(&self, [rank, next]: [usize; 2], key: Key) -> Option<[f64; 2]> {
        let (bracket, found) =
            self.found.iter().find(|(_, found)| (found.below..found.up_to).contains(&rank))?;
        let values = if bracket.low < bracket.high {
            let kept = found.kept.iter().map(|voxel| order::bits(key.of(*voxel)));
            order::nth_and_next(kept.collect(), rank - found.below).map(order::of_bits)
        } else {
            [bracket.low; 2]
        };
        // -0 and 0 are equal, and which of them comes first would be left to chance.
        let [value, after] = values.map(|value| value + 0.0);
        if rank == next {
            return Some([value; 2]);
        }
        let after = if next < found.up_to { after } else { self.values([next; 2], key)?[0] };
        Some([value, after])
    }
}

at_levels! {
    fn pass<L>(
        voxels: &[f32],
        range: Range<usize>,
        select: Select,
        cuts: &[([Cut; 2], bool)],
    ) -> (usize, usize, Vec<Found>) {
        let (mut all, mut not_finite) = (0, 0);
        let mut found: Vec<Found> = cuts.iter().map(|_| Found::default()).collect();
        let mut room = [0.0; BLOCK + GROUP];
        let mut blocks = select.blocks(voxels, range);
        while let Some((values, chosen, count)) = blocks.next() {
            all += count;
            let values = side_by_side::<L>(values, chosen, count, &mut room);
            let most = values[..count].iter().fold(0, |most, value| most.max(value.to_bits() << 1));
            if most >= f32::INFINITY.to_bits() << 1 {
                not_finite += values[..count].iter().filter(|value| !value.is_finite()).count();
            }
            for ((cuts, is_kept), found) in cuts.iter().zip(&mut found) {
                let (mut counts, mut inside) = ([0; 2], [0; BLOCK / GROUP]);
                for (inside, values) in inside.iter_mut().zip(values.as_chunks::<GROUP>().0) {
                    let [below, up_to] = [cuts[0].mask::<L>(values), cuts[1].mask::<L>(values)];
                    counts = [counts[0] + below.count_ones(), counts[1] + up_to.count_ones()];
                    *inside = up_to & !below;
                }
                // Not while counting, which has no branches that a processor would foretell wrongly.
                if *is_kept && counts[0] < counts[1] {
                    for (mut inside, values) in inside.into_iter().zip(values.as_chunks::<GROUP>().0) {
                        while inside != 0 {
                            found.kept.push(values[inside.trailing_zeros() as usize]);
                            inside &= inside - 1;
                        }
                    }
                }
                found.below += counts[0] as usize;
                found.up_to += counts[1] as usize;
            }
        }
        (all, not_finite, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;
    use crate::parallel::Pool;
    use crate::select::Values;

    /// As the definition says, from sorted values.
    fn slow(values: &[f32], p: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f32::total_cmp);
        let index = (sorted.len() as f64 - 1.0) * (p / 100.0);
        let [low, high] = [index.floor(), index.ceil()].map(|i| f64::from(sorted[i as usize]));
        low + (high - low) * index.fract()
    }

    fn everywhere(voxels: &[f32], select: Select, wanted: &[f64]) -> Percentiles {
        let mut first = None;
        for name in Level::supported() {
            for threads in [1, 2, 3, 8] {
                let pool = Pool::new(threads).unwrap();
                let run = Run { level: Level::named(name).unwrap(), pool, cancelled: &|| false };
                let found = percentiles(voxels, select, wanted, &run).unwrap();
                let bits = |found: &Percentiles| found.values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                let first = first.get_or_insert_with(|| found.clone());
                assert_eq!((bits(&found), found.count), (bits(first), first.count), "{name} {threads}");
            }
        }
        first.unwrap()
    }

    /// Numbers without a pattern that a sample could follow.
    fn noise(count: usize) -> Vec<f32> {
        let mut state = 1_u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 1000.0 - 8000.0
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    const WANTED: [f64; 8] = [0.0, 0.1, 1.0, 25.0, 50.0, 66.6, 99.5, 100.0];

    #[test]
    fn percentiles_of_counts_are_those_of_the_voxels() {
        let run = Run { level: Level::best(), pool: Pool::new(2).unwrap(), cancelled: &|| false };
        for count in [1_usize, 2, 7, 10_000] {
            let voxels: Vec<f32> = (0..count).map(|i| (i * 7919 % 101) as f32 - 20.0).collect();
            let counts = crate::distinct::distinct(&voxels, Select::All, 1000, &run).unwrap().unwrap();
            for p in [0.0, 0.5, 37.3, 50.0, 99.9, 100.0] {
                let expected = percentiles(&voxels, Select::All, &[p], &run).unwrap().values[0];
                assert_eq!(percentile_of_counts(&counts, p), expected, "{count} {p}");
            }
        }
    }

    #[test]
    fn percentiles_are_those_of_sorted_values() {
        let mut cases: Vec<Vec<f32>> =
            [1, 2, 3, 15, 16, 17, 1023, 1025, 100_003].into_iter().map(noise).collect();
        // Few values, many times; two values; one; and a pattern that the sample's step follows.
        cases.push(noise(200_000).into_iter().map(|v| (v / 1000.0).round()).collect());
        cases.push((0..70_000).map(|i| if i < 35_001 { -0.0 } else { 7.0 }).collect());
        cases.push(vec![3.5; 70_000]);
        cases.push((0..3 * 32_768).map(|i| if i % 3 == 0 { -9.0 } else { i as f32 }).collect());
        for voxels in cases {
            let found = everywhere(&voxels, Select::All, &WANTED);
            assert_eq!((found.count, found.not_finite), (voxels.len(), 0));
            for (value, p) in found.values.iter().zip(WANTED) {
                assert_eq!(*value, slow(&voxels, p), "{p} of {}", voxels.len());
            }
        }
    }

    #[test]
    fn values_that_many_voxels_share() {
        // The shared one below, in and above the rank's surroundings, and as the most common of all.
        for (share, p) in [(0.3, 30.0), (0.3, 29.0), (0.3, 31.0), (0.7, 50.0), (0.01, 99.0), (0.01, 98.9)] {
            for sign in [1.0, -1.0] {
                let other = noise(100_003);
                let is_low = |i: usize| (i * 7919 % 100_003) as f64 >= share * 100_003.0;
                let voxels: Vec<f32> =
                    (0..100_003).map(|i| sign * if is_low(i) { other[i] } else { -9000.0 }).collect();
                let found = everywhere(&voxels, Select::All, &[p, 100.0 - p]);
                assert_eq!(found.values, [slow(&voxels, p), slow(&voxels, 100.0 - p)], "{share} {p}");
            }
        }
    }

    #[test]
    fn only_chosen_voxels_count() {
        let mut voxels = noise(70_000);
        let mask: Vec<u8> = (0..voxels.len()).map(|i| u8::from(i % 7 < 3 && i > 900)).collect();
        let chosen: Vec<f32> = (0..voxels.len()).filter(|&i| mask[i] == 1).map(|i| voxels[i]).collect();
        voxels[3] = f32::NAN;
        let found = everywhere(&voxels, Select::Other(Values::Bytes(&mask), 0.0), &WANTED);
        assert_eq!((found.count, found.not_finite), (chosen.len(), 0));
        for (value, p) in found.values.iter().zip(WANTED) {
            assert_eq!(*value, slow(&chosen, p), "{p}");
        }
    }

    #[test]
    fn distances_are_those_of_double_precision() {
        // Distances from 1e-9 that single precision does not tell apart, on both sides; and noise.
        let next = |i: u32| f32::from_bits(1.0_f32.to_bits() + i % 5);
        let close = (0..70_001).map(|i| if i % 2 == 0 { next(i) } else { -next(i) });
        for (voxels, centre) in
            [(close.collect::<Vec<f32>>(), 1e-9), (noise(70_003), 12.125), (vec![2.0; 9], 2.0)]
        {
            let mut sorted: Vec<f64> = voxels.iter().map(|v| (f64::from(*v) - centre).abs()).collect();
            sorted.sort_by(f64::total_cmp);
            for name in Level::supported() {
                let run = Run {
                    level: Level::named(name).unwrap(),
                    pool: Pool::new(2).unwrap(),
                    cancelled: &|| false,
                };
                let found =
                    percentiles_of_distance(&voxels, Select::All, centre, &[0.0, 50.0, 99.9], &run).unwrap();
                let index = |p: f64| (sorted.len() - 1) as f64 * p;
                for (value, p) in found.values.iter().zip([0.0, 0.5, 0.999]) {
                    let at = index(p);
                    let [low, high] = [at.floor(), at.ceil()].map(|i| sorted[i as usize]);
                    assert_eq!(*value, low + (high - low) * at.fract(), "{name} {p}");
                }
            }
        }
    }

    #[test]
    fn none_chosen_and_not_finite() {
        let nothing = everywhere(&[1.0, 2.0], Select::Above(5.0), &[50.0]);
        assert!(nothing.count == 0 && nothing.values[0].is_nan());
        let voxels = [1.0, f32::NAN, f32::INFINITY, 4.0];
        assert_eq!(everywhere(&voxels, Select::All, &[50.0]).not_finite, 2);
    }
}
