//! The different values among voxels, and how often each occurs.

use crate::order;
use crate::parallel::{CHUNKS, ranges};
use crate::run::{Cancelled, Run};
use crate::select::{BLOCK, Select};
use std::ops::Range;

/// The different values of the chosen voxels in ascending order, each with the number of voxels that have it; or `None`
/// where there are more than `most`. -0 counts as 0; the voxels are finite.
pub fn distinct(
    voxels: &[f32],
    select: Select,
    most: usize,
    run: &Run,
) -> Result<Option<Vec<(f32, u64)>>, Cancelled> {
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

/// Whole numbers that lie this close together are counted in a table rather than sorted.
const TABLE: usize = 1 << 16;

fn of_part(voxels: &[f32], part: Range<usize>, select: Select) -> Vec<(f32, u64)> {
    let choice = select.among(voxels);
    let mut values = Vec::with_capacity(part.len());
    let mut chosen = [0; BLOCK];
    for first in part.clone().step_by(BLOCK) {
        let block = &voxels[first..part.end.min(first + BLOCK)];
        let chosen = &mut chosen[..block.len()];
        choice.row(first, 1, chosen);
        values.extend(block.iter().zip(&*chosen).filter(|(_, chosen)| **chosen != 0).map(|(v, _)| *v + 0.0));
    }
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    // Up to 2^24 all whole numbers have a place of their own.
    let is_whole = low >= -16_777_216.0 && high <= 16_777_216.0 && values.iter().all(|v| *v == v.trunc());
    if is_whole && ((high - low) as usize) < TABLE {
        let mut table = vec![0; (high - low) as usize + 1];
        for v in &values {
            table[(v - low) as usize] += 1;
        }
        let counts = table.into_iter().enumerate().filter(|(_, count)| *count > 0);
        return counts.map(|(i, count)| (low + i as f32, count)).collect();
    }
    order::sort(&mut values, |v| order::bits(f64::from(*v)));
    let runs = values.chunk_by(|a, b| a == b);
    runs.map(|run| (run[0], run.len() as u64)).collect()
}

fn merged(a: Vec<(f32, u64)>, b: Vec<(f32, u64)>) -> Vec<(f32, u64)> {
    let mut all: Vec<(f32, u64)> = Vec::with_capacity(a.len() + b.len());
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
}
