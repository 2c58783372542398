//! Exact percentiles, by selection: nothing is sorted but a sample.

use crate::at_levels;
use crate::moments::LANES;
use crate::pack::{Pack, bits};
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
    let guessed: Vec<Bracket> = percentiles.iter().map(|&p| Bracket::around(p / 100.0, &sample)).collect();
    let mut first = Pass::over(voxels, select, key, &guessed, run)?;
    let (count, not_finite) = (first.count, first.not_finite);
    if count == 0 || not_finite > 0 {
        return Ok(Percentiles { count, not_finite, values: vec![f64::NAN; percentiles.len()] });
    }
    let mut all = None;
    let mut values = Vec::with_capacity(percentiles.len());
    for (found, &p) in first.found.iter_mut().zip(percentiles) {
        let index = (count - 1) as f64 * (p / 100.0).clamp(0.0, 1.0);
        let ranks = [index.floor() as usize, index.ceil() as usize];
        let pair = match ranks.map(|rank| found.value(rank, key)) {
            [Some(low), Some(high)] => [low, high],
            _ => {
                if all.is_none() {
                    all = Some(Pass::over(voxels, select, key, &[Bracket::ALL], run)?);
                }
                let everything = &mut all.as_mut().expect("just made").found[0];
                ranks.map(|rank| everything.value(rank, key).expect("every rank is among all"))
            }
        };
        let [low, high] = pair;
        values.push(low + (high - low) * (index - index.floor()));
    }
    Ok(Percentiles { count, not_finite, values })
}

/// Values in the sample: more make brackets narrower, and sorting longer.
const SAMPLE: usize = 1 << 15;

/// The keys of chosen finite voxels from all over the image, in order.
fn sample(voxels: &[f32], select: Select, key: Key) -> Vec<f64> {
    // An odd step shares no factor with most row lengths.
    let step = (voxels.len() / SAMPLE) | 1;
    let choice = select.among(voxels);
    let places = (0..voxels.len()).step_by(step);
    let mut sample: Vec<f64> =
        places.filter(|&i| voxels[i].is_finite() && choice.includes(i)).map(|i| key.of(voxels[i])).collect();
    sample.sort_unstable_by(f64::total_cmp);
    sample
}

/// Two keys between which a rank is looked for.
#[derive(Clone, Copy, Debug, Default)]
struct Bracket {
    low: f64,
    high: f64,
}

impl Bracket {
    const ALL: Bracket = Bracket { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// Where the sample has the fraction `p`, and four standard deviations of its rank to either side.
    fn around(p: f64, sample: &[f64]) -> Bracket {
        let last = sample.len() as f64 - 1.0;
        let (at, reach) = (p * last, 4.0 * (p * (1.0 - p) * last).max(0.0).sqrt() + 2.0);
        let value = |index: f64, beyond: f64| {
            if (0.0..=last).contains(&index) { sample[index as usize] } else { beyond }
        };
        Bracket {
            low: value((at - reach).floor(), f64::NEG_INFINITY),
            high: value((at + reach).ceil(), f64::INFINITY),
        }
    }
}

/// What a pass found of one bracket.
#[derive(Default)]
struct Found {
    bracket: Bracket,
    /// Voxels of keys below the lower end; at most the lower end; at most the upper end.
    below: usize,
    to_low: usize,
    to_high: usize,
    /// Those between the ends.
    between: Vec<f32>,
}

impl Found {
    /// The key of this rank, or nothing where it lies outside the bracket.
    fn value(&mut self, rank: usize, key: Key) -> Option<f64> {
        let value = match rank {
            _ if rank < self.below || rank >= self.to_high => return None,
            _ if rank < self.to_low => self.bracket.low,
            _ if rank - self.to_low < self.between.len() => {
                let by_key = |a: &f32, b: &f32| key.of(*a).total_cmp(&key.of(*b));
                key.of(*self.between.select_nth_unstable_by(rank - self.to_low, by_key).1)
            }
            _ => self.bracket.high,
        };
        // -0 and 0 are equal, and which of them comes first would be left to chance.
        Some(value + 0.0)
    }
}

struct Pass {
    count: usize,
    not_finite: usize,
    found: Vec<Found>,
}

impl Pass {
    fn over(
        voxels: &[f32],
        select: Select,
        key: Key,
        brackets: &[Bracket],
        run: &Run,
    ) -> Result<Pass, Cancelled> {
        let parts = ranges(voxels.len(), CHUNKS);
        let parts = run.map_parts(parts, |_, part| pass(run.level, voxels, part, select, key, brackets))?;
        let found = brackets.iter().map(|bracket| Found { bracket: *bracket, ..Found::default() });
        let mut sum = Pass { count: 0, not_finite: 0, found: found.collect() };
        for part in parts {
            sum.count += part.count;
            sum.not_finite += part.not_finite;
            for (sum, part) in sum.found.iter_mut().zip(part.found) {
                sum.below += part.below;
                sum.to_low += part.to_low;
                sum.to_high += part.to_high;
                sum.between.extend(part.between);
            }
        }
        Ok(sum)
    }
}

at_levels! {
    fn pass<L>(voxels: &[f32], range: Range<usize>, select: Select, key: Key, brackets: &[Bracket]) -> Pass {
        let found = brackets.iter().map(|_| Found::default()).collect();
        let mut pass = Pass { count: 0, not_finite: 0, found };
        let (mut room, mut flags) = ([0.0; BLOCK + LANES], [0; BLOCK]);
        let mut blocks = select.blocks(voxels, range);
        while let Some((values, chosen, count)) = blocks.next() {
            pass.count += count;
            let values = side_by_side::<L>(values, chosen, count, &mut room);
            let finite = values.iter().map(|value| u32::from(value.abs() < f32::INFINITY)).sum::<u32>();
            pass.not_finite += count - finite as usize;
            for (bracket, found) in brackets.iter().zip(&mut pass.found) {
                let Bracket { low, high } = *bracket;
                match key {
                    // Ends that come from voxels are voxels' values still.
                    Key::Value => tally::<L, f32>(values, &mut flags, |v| v, [low as f32, high as f32], found),
                    Key::Distance(centre) => {
                        let distance = |v| (f64::from(v) - centre).abs();
                        tally::<L, f64>(values, &mut flags, distance, [low, high], found);
                    }
                }
            }
        }
        pass
    }
}

/// Counts and keeps what a bracket divides.
#[inline(always)]
fn tally<L: Pack, T: PartialOrd + Copy>(
    values: &[f32],
    flags: &mut [u8; BLOCK],
    key: impl Fn(f32) -> T + Copy,
    [low, high]: [T; 2],
    found: &mut Found,
) {
    let [mut below, mut to_low, mut below_high, mut to_high] = [0_u32; 4];
    for value in values {
        below += u32::from(key(*value) < low);
        to_low += u32::from(key(*value) <= low);
        below_high += u32::from(key(*value) < high);
        to_high += u32::from(key(*value) <= high);
    }
    found.below += below as usize;
    found.to_low += to_low as usize;
    found.to_high += to_high as usize;
    if below_high <= to_low {
        return;
    }
    let flags = &mut flags[..values.len()];
    for i in 0..values.len() {
        flags[i] = if key(values[i]) > low { 1 } else { 0 } & if key(values[i]) < high { 1 } else { 0 };
    }
    let mut packed = [0.0; LANES];
    for (values, flags) in values.as_chunks().0.iter().zip(flags.as_chunks().0) {
        let mask = bits(flags);
        if mask != 0 {
            L::pack(values, mask, &mut packed);
            found.between.extend_from_slice(&packed[..mask.count_ones() as usize]);
        }
    }
}

/// The `count` chosen values, in `room` where they are not all, filled up to whole lanes by NaN, which is neither less nor
/// more than anything.
#[inline(always)]
fn side_by_side<'a, L: Pack>(
    values: &'a [f32],
    chosen: &[u8],
    count: usize,
    room: &'a mut [f32; BLOCK + LANES],
) -> &'a [f32] {
    if count == values.len() {
        return values;
    }
    let mut at = 0;
    for (values, chosen) in values.as_chunks().0.iter().zip(chosen.as_chunks().0) {
        let mask = bits(chosen);
        // Room for whole lanes is left behind the last of a block.
        L::pack(values, mask, room[at..].first_chunk_mut().expect("lanes beyond the block"));
        at += mask.count_ones() as usize;
    }
    let end = count.next_multiple_of(LANES);
    room[count..end].fill(f32::NAN);
    &room[..end]
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
        let close = (0..70_001).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 } * (1.0 + (i % 5) as f32 * 1e-6));
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
