//! The different values among voxels, and how often each occurs.

use crate::at_levels;
use crate::order;
use crate::pack::{GROUP, side_by_side};
use crate::parallel::{CHUNKS, ranges};
use crate::run::{Cancelled, Run};
use crate::select::{BLOCK, Select};
use std::ops::Range;

/// Values in ascending order, each with the number of voxels that have it.
pub type Counts = Vec<(f32, u64)>;

/// The different values of the chosen voxels and their counts; or `None` where there are more than `most`. -0 counts as
/// 0; the voxels are finite.
pub fn distinct(voxels: &[f32], select: Select, most: usize, run: &Run) -> Result<Option<Counts>, Cancelled> {
    if let Some(counts) = whole(voxels, select, run)? {
        return Ok(Some(counts).filter(|counts| counts.len() <= most));
    }
    let mut lists = run.map_parts(ranges(voxels.len(), CHUNKS), |_, part| of_part(voxels, part, select))?;
    while lists.len() > 1 {
        let mut rest = lists.into_iter();
        let pairs = std::iter::from_fn(|| Some((rest.next()?, rest.next().unwrap_or_default())));
        lists = run.map_parts(pairs.collect(), |_, (a, b)| merged(a, b))?;
        if lists.iter().any(|list| list.len() > most) {
            return Ok(None);
        }
    }
    Ok(Some(lists.pop().unwrap_or_default()).filter(|list| list.len() <= most))
}

/// The same of whole numbers less than 2¹⁶ apart, as most images hold before anything has changed them, in one pass; or
/// `None` where they are others, which shows soon.
pub fn whole(voxels: &[f32], select: Select, run: &Run) -> Result<Option<Counts>, Cancelled> {
    // Counts have 32 bits.
    if u32::try_from(voxels.len()).is_err() {
        return Ok(None);
    }
    let none = || vec![[0; 4]; TABLE + 1];
    let (ends, tables) = run.map_parts_with(ranges(voxels.len(), CHUNKS), none, |table, part| {
        count(run.level, voxels, part, select, table)
    })?;
    let Some(ends) = ends.into_iter().collect::<Option<Vec<_>>>() else { return Ok(None) };
    let (low, high) = ends.into_iter().fold(NO_ENDS, |all, part| (all.0.min(part.0), all.1.max(part.1)));
    if i64::from(high) - i64::from(low) >= TABLE as i64 {
        return Ok(None);
    }
    let count = |value: i32| -> u64 {
        tables.iter().flat_map(|table| table[value as usize % TABLE]).map(u64::from).sum()
    };
    Ok(Some((low..=high).map(|value| (value as f32, count(value))).filter(|(_, n)| *n > 0).collect()))
}

const TABLE: usize = 1 << 16;
/// Up to here each whole number has an `f32` of its own.
const LARGEST: f32 = 16_777_216.0;
const NO_ENDS: (i32, i32) = (i32::MAX, i32::MIN);

at_levels! {
    /// Counts a part into a table, whose slots whole numbers share with those 2¹⁶ apart, in four parts, so that equal
    /// neighbours don't wait for each other; the last slot is for what fills up. Returns the smallest and the largest.
    fn count<L>(voxels: &[f32], part: Range<usize>, select: Select, table: &mut [[u32; 4]]) -> Option<(i32, i32)> {
        let (mut low, mut high) = NO_ENDS;
        let (mut room, mut slots) = ([0.0; BLOCK + GROUP], [0; BLOCK]);
        let mut blocks = select.blocks(voxels, part);
        while let Some((values, chosen, count)) = blocks.next() {
            let values = &side_by_side::<L>(values, chosen, count, &mut room)[..count];
            let mut others = 0;
            for (slot, value) in slots.iter_mut().zip(values) {
                // What is too large, or NaN, becomes what is not whole.
                let value = if value.abs() <= LARGEST { *value } else { 0.5 };
                // SAFETY: not NaN, and within what an `i32` holds.
                let number = unsafe { value.to_int_unchecked::<i32>() };
                others |= i32::from(number as f32 != value);
                (low, high) = (low.min(number), high.max(number));
                *slot = number as u32 % TABLE as u32;
            }
            if others != 0 || i64::from(high) - i64::from(low) >= TABLE as i64 {
                return None;
            }
            let end = count.next_multiple_of(4);
            slots[count..end].fill(TABLE as u32);
            for slots in slots[..end].as_chunks::<4>().0 {
                for quarter in 0..4 {
                    table[slots[quarter] as usize][quarter] += 1;
                }
            }
        }
        Some((low, high))
    }
}

fn of_part(voxels: &[f32], part: Range<usize>, select: Select) -> Counts {
    let choice = select.among(voxels);
    let mut values = Vec::with_capacity(part.len());
    let mut chosen = [0; BLOCK];
    for first in part.clone().step_by(BLOCK) {
        let block = &voxels[first..part.end.min(first + BLOCK)];
        let chosen = &mut chosen[..block.len()];
        choice.row(first, 1, chosen);
        let chosen = block.iter().zip(&*chosen).filter(|(_, chosen)| **chosen != 0);
        values.extend(chosen.map(|(v, _)| f64::from(*v + 0.0)));
    }
    order::sort(&mut values);
    let runs = values.chunk_by(|a, b| a == b);
    runs.map(|run| (run[0] as f32, run.len() as u64)).collect()
}

fn merged(a: Counts, b: Counts) -> Counts {
    let mut all: Counts = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
    loop {
        let next = match (a.peek(), b.peek()) {
            (None, None) => return all,
            (Some(x), Some(y)) if x.0 <= y.0 => a.next(),
            (Some(_), None) => a.next(),
            _ => b.next(),
        };
        let Some((value, count)) = next else { return all };
        match all.last_mut() {
            Some(last) if last.0 == value => last.1 += count,
            _ => all.push((value, count)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;
    use crate::parallel::Pool;
    use crate::select::Values;
    use std::collections::BTreeMap;

    #[test]
    fn each_value_is_counted_once() {
        let whole: Vec<f32> = (0..70_001).map(|i| ((i * 7919) % 2003) as f32 - 1000.0).collect();
        let cases: Vec<Vec<f32>> = vec![
            vec![],
            vec![3.5],
            vec![0.0, -0.0, 1.0, -0.0],
            whole.iter().map(|v| v * 0.7).collect(),
            whole.iter().map(|v| v * 70.0).collect(),
            whole.iter().map(|v| v + 0.5).collect(),
            // Whole in all parts but the last, whose values lie too far from the others.
            whole.iter().enumerate().map(|(i, v)| v + if i > 69_990 { 65_536.0 } else { 0.0 }).collect(),
            whole,
        ];
        for threads in [1, 2, 8] {
            let run = Run { level: Level::best(), pool: Pool::new(threads).unwrap(), cancelled: &|| false };
            for voxels in &cases {
                let mask: Vec<u8> = (0..voxels.len()).map(|i| u8::from(i % 5 != 1)).collect();
                let mut expected = BTreeMap::<i64, u64>::new();
                for (v, _) in voxels.iter().zip(&mask).filter(|(_, chosen)| **chosen == 1) {
                    // Values of these cases are told apart by their thousandths.
                    *expected.entry((f64::from(*v) * 1000.0).round() as i64).or_default() += 1;
                }
                let select = Select::Other(Values::Bytes(&mask), 0.0);
                let found = distinct(voxels, select, 1 << 20, &run).unwrap().unwrap();
                let places = found.iter().map(|(v, n)| ((f64::from(*v) * 1000.0).round() as i64, *n));
                assert_eq!(places.collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
                assert!(found.iter().all(|(v, _)| v.to_bits() != (-0.0_f32).to_bits()));
                if found.len() > 1 {
                    assert_eq!(distinct(voxels, select, found.len() - 1, &run).unwrap(), None);
                }
            }
        }
    }

    #[test]
    fn whole_numbers_are_told_from_others() {
        let all = |voxels: &[f32]| {
            let mut first = None;
            for (name, threads) in
                Level::supported().into_iter().flat_map(|name| [1, 2, 8].map(|n| (name, n)))
            {
                let pool = Pool::new(threads).unwrap();
                let run = Run { level: Level::named(name).unwrap(), pool, cancelled: &|| false };
                let found = whole(voxels, Select::Above(-40_000.0), &run).unwrap();
                assert_eq!(&found, first.get_or_insert_with(|| found.clone()), "{name} {threads}");
            }
            first.unwrap()
        };
        assert_eq!(all(&[]), Some(vec![]));
        assert_eq!(all(&[-50_000.0, f32::NAN, f32::NEG_INFINITY]), Some(vec![]));
        let between: Vec<f32> = (0..100_000).map(|i| [1.0, -50_000.5, 2.0, f32::NAN][i % 4]).collect();
        assert_eq!(all(&between), Some(vec![(1.0, 25_000), (2.0, 25_000)]));
        assert_eq!(
            all(&[-0.0, 0.0, -30_000.0, 35_535.0]),
            Some(vec![(-30_000.0, 1), (0.0, 2), (35_535.0, 1)])
        );
        for others in [[-30_000.0, 35_536.0], [0.0, 0.5], [0.0, f32::INFINITY], [0.0, 16_777_218.0]] {
            assert_eq!(all(&others), None, "{others:?}");
            let far: Vec<f32> = (0..100_000).map(|i| others[usize::from(i == 99_999)]).collect();
            assert_eq!(all(&far), None, "{others:?}");
        }
        let large: Vec<f32> = (0..100_000).map(|i| 16_777_000.0 + (i % 217) as f32).collect();
        let found = all(&large).unwrap();
        assert_eq!((found.len(), found[216]), (217, (16_777_216.0, 460)));
    }
}
