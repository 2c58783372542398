//! Which voxels count: the one place that turns masks, labels and thresholds into a choice.

use crate::moments::LANES;
use std::ops::Range;

/// Most voxels that a pass takes at a time, few enough that what it notes of them stays in the nearest cache.
pub const BLOCK: usize = 1024;

/// A choice among the voxels of an image.
#[derive(Clone, Copy)]
pub enum Select<'a> {
    /// Every voxel.
    All,
    /// Those whose mask value equals the label.
    Label(&'a [f32], f32),
    /// Those whose mask value is not 0.
    NonZero(&'a [f32]),
    /// Those whose own value is above the threshold, which is finite.
    Above(f32),
}

impl<'a> Select<'a> {
    /// The choice among `voxels`, as kernels make it.
    #[inline(always)]
    pub fn among(self, voxels: &'a [f32]) -> Choice<'a> {
        let (inf, minus_inf) = (f32::INFINITY, f32::NEG_INFINITY);
        match self {
            Select::All => Choice { tested: voxels, low: inf, high: minus_inf, is_outside: 1 },
            Select::Label(mask, label) => Choice { tested: mask, low: label, high: label, is_outside: 0 },
            Select::NonZero(mask) => Choice { tested: mask, low: 0.0, high: 0.0, is_outside: 1 },
            Select::Above(threshold) => {
                Choice { tested: voxels, low: threshold.next_up(), high: inf, is_outside: 0 }
            }
        }
    }

    /// The blocks of `range` that hold chosen voxels, in order.
    #[inline(always)]
    pub fn blocks(self, voxels: &'a [f32], range: Range<usize>) -> Blocks<'a> {
        Blocks { choice: self.among(voxels), voxels, range, chosen: [0; BLOCK], last: [0.0; BLOCK] }
    }
}

/// The voxels whose tested value lies in a range, or those whose does not: one test for all kinds of choice, so that
/// kernels have no case for each.
#[derive(Clone, Copy)]
pub struct Choice<'a> {
    /// A mask, or the image itself.
    tested: &'a [f32],
    low: f32,
    high: f32,
    /// 1 where the values outside the range are chosen, NaN among them; 0 where those inside are.
    is_outside: u32,
}

impl Choice<'_> {
    /// Whether voxel `index` is chosen.
    pub fn includes(&self, index: usize) -> bool {
        self.flag(self.tested[index]) != 0
    }

    /// 1 for the chosen and 0 for the other voxels of the row that starts at `first` and takes every `step`-th;
    /// returns how many are chosen.
    #[inline(always)]
    pub fn row(&self, first: usize, step: usize, chosen: &mut [u32]) -> usize {
        let from = &self.tested[first..];
        // A step of one is a loop that vectorises.
        if step == 1 {
            for (to, value) in chosen.iter_mut().zip(from) {
                *to = self.flag(*value);
            }
        } else {
            for (to, value) in chosen.iter_mut().zip(from.iter().step_by(step)) {
                *to = self.flag(*value);
            }
        }
        chosen.iter().sum::<u32>() as usize
    }

    #[inline(always)]
    fn flag(&self, value: f32) -> u32 {
        let is_inside = if value >= self.low { 1 } else { 0 } & if value <= self.high { 1 } else { 0 };
        is_inside ^ self.is_outside
    }
}

/// Blocks of chosen voxels, one after the other.
///
/// Not an iterator, which could not lend what it keeps; nor a function that takes a closure: that stays a call, which
/// is compiled for the baseline only.
pub struct Blocks<'a> {
    choice: Choice<'a>,
    voxels: &'a [f32],
    range: Range<usize>,
    chosen: [u32; BLOCK],
    last: [f32; BLOCK],
}

impl Blocks<'_> {
    /// The next block: its values, filled up to whole lanes; which of them are chosen, as [`Choice::row`] says it; and
    /// how many are. What fills up is not chosen.
    #[inline(always)]
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<(&[f32], &[u32], usize)> {
        while !self.range.is_empty() {
            let first = self.range.start;
            self.range.start = self.range.end.min(first + BLOCK);
            let mut values = &self.voxels[first..self.range.start];
            let (length, padded) = (values.len(), values.len().next_multiple_of(LANES));
            let count = self.choice.row(first, 1, &mut self.chosen[..length]);
            if count == 0 {
                continue;
            }
            self.chosen[length..padded].fill(0);
            if length < padded {
                self.last[..length].copy_from_slice(values);
                values = &self.last[..padded];
            }
            return Some((values, &self.chosen[..padded], count));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [f32; 8] = [0.0, 1.0, 2.0, 1.0, f32::NAN, -0.0, f32::INFINITY, f32::NEG_INFINITY];

    #[test]
    fn each_choice_is_what_its_name_says() {
        let chosen = |select: Select| {
            let choice = select.among(&VALUES);
            (0..8).filter(|&i| choice.includes(i)).collect::<Vec<_>>()
        };
        assert_eq!(chosen(Select::All), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(chosen(Select::Label(&VALUES, 1.0)), [1, 3]);
        assert_eq!(chosen(Select::Label(&VALUES, 0.0)), [0, 5]);
        assert_eq!(chosen(Select::NonZero(&VALUES)), [1, 2, 3, 4, 6, 7]);
        assert_eq!(chosen(Select::Above(1.0)), [2, 6]);
        assert_eq!(chosen(Select::Above(0.999_999_94)), [1, 2, 3, 6]);
    }

    #[test]
    fn rows_say_the_same_as_voxels() {
        let image: Vec<f32> = VALUES.repeat(5);
        for select in [Select::All, Select::Label(&image, 1.0), Select::NonZero(&image), Select::Above(1.0)] {
            let choice = select.among(&image);
            for first in 0..8 {
                for step in [1, 3] {
                    let mut chosen = [9; 7];
                    let count = choice.row(first, step, &mut chosen);
                    assert_eq!(count, chosen.iter().filter(|chosen| **chosen == 1).count());
                    for (i, chosen) in chosen.iter().enumerate() {
                        assert_eq!(*chosen, u32::from(choice.includes(first + step * i)));
                    }
                }
            }
        }
    }
}
