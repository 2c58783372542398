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
    /// Those whose own value is above the threshold.
    Above(f32),
}

impl Select<'_> {
    /// Whether voxel `index`, of value `value`, is chosen.
    #[inline(always)]
    pub fn includes(&self, index: usize, value: f32) -> bool {
        match self {
            Select::All => true,
            Select::Label(mask, label) => mask[index] == *label,
            Select::NonZero(mask) => mask[index] != 0.0,
            Select::Above(threshold) => value > *threshold,
        }
    }

    /// 1 for the chosen and 0 for the other voxels of the row that starts at `first`; returns how many are chosen.
    #[inline(always)]
    pub fn row(&self, first: usize, values: &[f32], chosen: &mut [f32]) -> usize {
        self.strided_row(first, 1, values, chosen)
    }

    /// The same for every `step`-th voxel from `first` on.
    #[inline(always)]
    pub fn strided_row(&self, first: usize, step: usize, values: &[f32], chosen: &mut [f32]) -> usize {
        match *self {
            Select::All => chosen.fill(1.0),
            Select::Label(mask, label) => flag_strided(mask, first, step, chosen, |value| value == label),
            Select::NonZero(mask) => flag_strided(mask, first, step, chosen, |value| value != 0.0),
            Select::Above(threshold) => flag_strided(values, 0, 1, chosen, |value| value > threshold),
        }
        chosen.iter().map(|chosen| u32::from(chosen.to_bits() != 0)).sum::<u32>() as usize
    }

    /// The blocks of `range` that hold chosen voxels, in order.
    #[inline(always)]
    pub fn blocks<'a>(&'a self, voxels: &'a [f32], range: Range<usize>) -> Blocks<'a> {
        Blocks { select: self, voxels, range, chosen: [0.0; BLOCK], last: [0.0; BLOCK] }
    }
}

/// Blocks of chosen voxels, one after the other.
///
/// Not an iterator, which could not lend what it keeps; nor a function that takes a closure: that stays a call, which
/// is compiled for the baseline only.
pub struct Blocks<'a> {
    select: &'a Select<'a>,
    voxels: &'a [f32],
    range: Range<usize>,
    chosen: [f32; BLOCK],
    last: [f32; BLOCK],
}

impl Blocks<'_> {
    /// The next block: its values, filled up to whole lanes; which of them are chosen, as [`Select::row`] says it; and
    /// how many are. What fills up is not chosen.
    #[inline(always)]
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<(&[f32], &[f32], usize)> {
        while !self.range.is_empty() {
            let first = self.range.start;
            self.range.start = self.range.end.min(first + BLOCK);
            let mut values = &self.voxels[first..self.range.start];
            let (length, padded) = (values.len(), values.len().next_multiple_of(LANES));
            let count = self.select.row(first, values, &mut self.chosen[..length]);
            if count == 0 {
                continue;
            }
            self.chosen[length..padded].fill(0.0);
            if length < padded {
                self.last[..length].copy_from_slice(values);
                values = &self.last[..padded];
            }
            return Some((values, &self.chosen[..padded], count));
        }
        None
    }
}

/// 1 where the value holds and 0 elsewhere. A step of one, the common case, is a loop that vectorises.
#[inline(always)]
fn flag_strided(from: &[f32], first: usize, step: usize, chosen: &mut [f32], holds: impl Fn(f32) -> bool) {
    if step == 1 {
        for (to, value) in chosen.iter_mut().zip(&from[first..]) {
            *to = if holds(*value) { 1.0 } else { 0.0 };
        }
    } else {
        for (to, value) in chosen.iter_mut().zip(from[first..].iter().step_by(step)) {
            *to = if holds(*value) { 1.0 } else { 0.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_the_same_as_its_voxels() {
        let mask = [0.0, 1.0, 2.0, 1.0, f32::NAN, 0.0];
        let image = [5.0, 6.0, f32::NAN, 8.0];
        for select in [Select::All, Select::Label(&mask, 1.0), Select::NonZero(&mask), Select::Above(5.5)] {
            let mut chosen = [9.0; 4];
            let count = select.row(1, &image, &mut chosen);
            assert_eq!(count, chosen.iter().filter(|chosen| **chosen == 1.0).count());
            for x in 0..4 {
                assert_eq!(chosen[x] == 1.0, select.includes(1 + x, image[x]));
            }
            let (every_second, mut chosen) = ([image[0], image[2]], [9.0; 2]);
            select.strided_row(1, 2, &every_second, &mut chosen);
            for x in 0..2 {
                assert_eq!(chosen[x] == 1.0, select.includes(1 + 2 * x, image[2 * x]));
            }
        }
    }
}
