//! Which voxels count: the one place that turns masks, labels and thresholds into a choice.

use crate::at_levels;
use crate::memory::{Kept, prefetch};
use crate::moments::LANES;
use crate::pack::bits;
use crate::parallel::{CHUNKS, ranges};
use crate::run::{Cancelled, Run};
use std::ops::Range;

/// Most voxels that a pass takes at a time, few enough that what it notes of them stays in the nearest cache.
pub const BLOCK: usize = 1024;

/// One value a voxel. Bytes are a mask's alone: they are a quarter of what has to be read.
#[derive(Clone, Copy)]
pub enum Values<'a> {
    #[allow(missing_docs)]
    Floats(&'a [f32]),
    #[allow(missing_docs)]
    Bytes(&'a [u8]),
}

impl<'a> Values<'a> {
    /// Those of `range`.
    pub fn part(self, range: Range<usize>) -> Values<'a> {
        match self {
            Values::Floats(all) => Values::Floats(&all[range]),
            Values::Bytes(all) => Values::Bytes(&all[range]),
        }
    }

    /// How many there are.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        match self {
            Values::Floats(all) => all.len(),
            Values::Bytes(all) => all.len(),
        }
    }

    /// The value of voxel `index`.
    pub fn at(&self, index: usize) -> f32 {
        match self {
            Values::Floats(all) => all[index],
            Values::Bytes(all) => f32::from(all[index]),
        }
    }

    /// The values from `first` on.
    pub fn copy(&self, first: usize, to: &mut [f32]) {
        match self {
            Values::Floats(all) => to.copy_from_slice(&all[first..first + to.len()]),
            Values::Bytes(all) => {
                to.iter_mut().zip(&all[first..]).for_each(|(to, byte)| *to = f32::from(*byte))
            }
        }
    }
}

/// A choice among the voxels of an image.
#[derive(Clone, Copy)]
pub enum Select<'a> {
    /// Every voxel.
    All,
    /// Those whose mask value equals the label.
    Label(Values<'a>, f32),
    /// Those whose mask value is another one, NaN among them.
    Other(Values<'a>, f32),
    /// Those whose own value is above the threshold, which is finite.
    Above(f32),
    /// Those whose own value lies between these two, or is one of them.
    Within(f32, f32),
}

impl<'a> Select<'a> {
    /// The choice among `voxels`, as kernels make it.
    #[inline(always)]
    pub fn among(self, voxels: &'a [f32]) -> Choice<'a> {
        let inside = |tested| Choice { tested, is_outside: 0 };
        let outside = |tested| Choice { tested, is_outside: 1 };
        match self {
            Select::All => outside(Tested::Nothing),
            Select::Label(mask, label) => inside(Tested::of(mask, label)),
            Select::Other(mask, value) => outside(Tested::of(mask, value)),
            Select::Above(threshold) => inside(Tested::Floats(voxels, threshold.next_up(), f32::INFINITY)),
            Select::Within(low, high) => inside(Tested::Floats(voxels, low, high)),
        }
    }

    /// The same choice among the voxels of `range` alone.
    pub fn part(self, range: Range<usize>) -> Select<'a> {
        match self {
            Select::Label(mask, label) => Select::Label(mask.part(range), label),
            Select::Other(mask, value) => Select::Other(mask.part(range), value),
            whole => whole,
        }
    }

    /// How many of `voxels` are chosen.
    pub fn count(self, voxels: &'a [f32], run: &Run) -> Result<usize, Cancelled> {
        let choice = self.among(voxels);
        let parts = ranges(voxels.len(), CHUNKS);
        Ok(run.map_parts(parts, |_, part| count(run.level, choice, part))?.into_iter().sum())
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
    tested: Tested<'a>,
    /// 1 where the values outside the range are chosen, NaN among them; 0 where those inside are.
    is_outside: u8,
}

/// A mask, or the image itself, and the least and the largest value of a range; or nothing, which is in no range.
#[derive(Clone, Copy)]
enum Tested<'a> {
    Nothing,
    Floats(&'a [f32], f32, f32),
    Bytes(&'a [u8], u8, u8),
}

impl<'a> Tested<'a> {
    /// A mask and the range of one value.
    #[inline(always)]
    fn of(mask: Values<'a>, value: f32) -> Tested<'a> {
        match mask {
            Values::Floats(all) => Tested::Floats(all, value, value),
            Values::Bytes(all) if f32::from(value as u8) == value => {
                Tested::Bytes(all, value as u8, value as u8)
            }
            // No byte is this value.
            Values::Bytes(all) => Tested::Bytes(all, 1, 0),
        }
    }
}

impl Choice<'_> {
    /// Whether voxel `index` is chosen.
    pub fn includes(&self, index: usize) -> bool {
        let is_inside = match self.tested {
            Tested::Nothing => false,
            Tested::Floats(all, low, high) => (low..=high).contains(&all[index]),
            Tested::Bytes(all, low, high) => (low..=high).contains(&all[index]),
        };
        is_inside != (self.is_outside != 0)
    }

    /// 1 for the chosen and 0 for the other voxels of the row that starts at `first` and takes every `step`-th;
    /// returns how many are chosen.
    // WebAssembly has one level, so a call costs nothing there, and a copy in each kernel much of the module.
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub fn row(&self, first: usize, step: usize, chosen: &mut [u8]) -> usize {
        match self.tested {
            Tested::Nothing => {
                chosen.fill(1);
                return chosen.len();
            }
            Tested::Floats(all, low, high) => self.flags(&all[first..], step, low, high, chosen),
            Tested::Bytes(all, low, high) => self.flags(&all[first..], step, low, high, chosen),
        }
        // In numbers no wider than need be: vectors hold more of them.
        chosen
            .chunks(1 << 15)
            .map(|part| usize::from(part.iter().map(|&chosen| u16::from(chosen)).sum::<u16>()))
            .sum()
    }

    /// Has `count` tested values from `first` on fetched.
    #[inline(always)]
    pub fn prefetch(&self, first: usize, count: usize) {
        match self.tested {
            Tested::Nothing => {}
            Tested::Floats(all, ..) => prefetch(all, first, count),
            Tested::Bytes(all, ..) => prefetch(all, first, count),
        }
    }

    #[inline(always)]
    fn flags<T: Copy + PartialOrd>(&self, from: &[T], step: usize, low: T, high: T, chosen: &mut [u8]) {
        let flag = |value: T| {
            let is_inside = if value >= low { 1 } else { 0 } & if value <= high { 1 } else { 0 };
            is_inside ^ self.is_outside
        };
        // A step of one is a loop that vectorises.
        if step == 1 {
            for (to, value) in chosen.iter_mut().zip(from) {
                *to = flag(*value);
            }
        } else {
            for (to, value) in chosen.iter_mut().zip(from.iter().step_by(step)) {
                *to = flag(*value);
            }
        }
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
    chosen: [u8; BLOCK],
    last: [f32; BLOCK],
}

impl Blocks<'_> {
    /// The next block: its values, filled up to whole lanes; which of them are chosen, as [`Choice::row`] says it; and
    /// how many are. What fills up is not chosen.
    #[inline(always)]
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<(&[f32], &[u8], usize)> {
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

/// The chosen among `voxels`, side by side in their order: their values in `from`, which is as long.
pub fn chosen(voxels: &[f32], select: Select, from: &[f32], run: &Run) -> Result<Kept, Cancelled> {
    let choice = select.among(voxels);
    let parts = ranges(voxels.len(), CHUNKS);
    let counts = run.map_parts(parts.clone(), |_, part| count(run.level, choice, part))?;
    let mut gathered = Kept::new(counts.iter().sum());
    let (mut rest, mut places) = (&mut gathered[..], Vec::new());
    for (part, count) in parts.into_iter().zip(counts) {
        let (to, after) = rest.split_at_mut(count);
        places.push((part, to));
        rest = after;
    }
    run.map_parts(places, |_, (part, to)| gather(run.level, choice, from, part, to))?;
    Ok(gathered)
}

/// Writes 1 for the voxels that all choices include, and 0 for the others.
pub fn mark(choices: &[Choice], to: &mut [f32], run: &Run) -> Result<(), Cancelled> {
    let size = to.len().div_ceil(CHUNKS).max(1);
    run.map_parts(to.chunks_mut(size).collect(), |index, to: &mut [f32]| {
        let mut chosen = [0; BLOCK];
        for (block, to) in to.chunks_mut(BLOCK).enumerate() {
            to.fill(1.0);
            for choice in choices {
                choice.row(index * size + block * BLOCK, 1, &mut chosen[..to.len()]);
                to.iter_mut().zip(&chosen).for_each(|(to, chosen)| *to *= f32::from(*chosen));
            }
        }
    })?;
    Ok(())
}

at_levels! {
    fn count(choice: Choice, part: Range<usize>) -> usize {
        let (mut chosen, mut count) = ([0; BLOCK], 0);
        let mut first = part.start;
        // Not by an iterator's closure, which would be compiled for the baseline.
        while first < part.end {
            let end = part.end.min(first + BLOCK);
            count += choice.row(first, 1, &mut chosen[..end - first]);
            first = end;
        }
        count
    }

    fn gather<L>(choice: Choice, from: &[f32], part: Range<usize>, to: &mut [f32]) {
        let (mut at, mut chosen, mut packed) = (0, [0; BLOCK], [0.0; LANES]);
        for first in part.clone().step_by(BLOCK) {
            let values = &from[first..part.end.min(first + BLOCK)];
            let chosen = &mut chosen[..values.len()];
            if choice.row(first, 1, chosen) == 0 {
                continue;
            }
            let (whole, rest) = values.as_chunks::<LANES>();
            let (flags, last) = chosen.as_chunks::<LANES>();
            for (values, flags) in whole.iter().zip(flags) {
                let mask = bits(flags);
                let count = mask.count_ones() as usize;
                // What comes after is overwritten by the next.
                match to[at..].first_chunk_mut() {
                    Some(to) => L::pack(values, mask, to),
                    None => {
                        L::pack(values, mask, &mut packed);
                        to[at..at + count].copy_from_slice(&packed[..count]);
                    }
                }
                at += count;
            }
            for (value, _) in rest.iter().zip(last).filter(|(_, chosen)| **chosen != 0) {
                to[at] = *value;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;
    use crate::parallel::Pool;

    const VALUES: [f32; 8] = [0.0, 1.0, 2.0, 1.0, f32::NAN, -0.0, f32::INFINITY, f32::NEG_INFINITY];

    #[test]
    fn each_choice_is_what_its_name_says() {
        let chosen = |select: Select| {
            let choice = select.among(&VALUES);
            (0..8).filter(|&i| choice.includes(i)).collect::<Vec<_>>()
        };
        assert_eq!(chosen(Select::All), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(chosen(Select::Label(Values::Floats(&VALUES), 1.0)), [1, 3]);
        assert_eq!(chosen(Select::Label(Values::Floats(&VALUES), 0.0)), [0, 5]);
        assert_eq!(chosen(Select::Other(Values::Floats(&VALUES), 0.0)), [1, 2, 3, 4, 6, 7]);
        let bytes = Values::Bytes(&[0, 1, 2, 1, 255, 0, 3, 0]);
        assert_eq!(chosen(Select::Label(bytes, 255.0)), [4]);
        assert_eq!(chosen(Select::Label(bytes, 0.5)), []);
        assert_eq!(chosen(Select::Other(bytes, 0.0)), [1, 2, 3, 4, 6]);
        assert_eq!(chosen(Select::Other(bytes, 1.0)), [0, 2, 4, 5, 6, 7]);
        assert_eq!(chosen(Select::Other(Values::Floats(&VALUES), 1.0)), [0, 2, 4, 5, 6, 7]);
        assert_eq!(chosen(Select::Above(1.0)), [2, 6]);
        assert_eq!(chosen(Select::Above(0.999_999_94)), [1, 2, 3, 6]);
        assert_eq!(chosen(Select::Within(0.0, 1.0)), [0, 1, 3, 5]);
    }

    #[test]
    fn a_part_is_chosen_from_as_the_whole_is() {
        let image: Vec<f32> = VALUES.repeat(1000);
        let bytes: Vec<u8> = image.iter().map(|value| *value as u8).collect();
        for threads in [1, 2, 8] {
            let run = Run { level: Level::best(), pool: Pool::new(threads).unwrap(), cancelled: &|| false };
            for mask in [Values::Floats(&image), Values::Bytes(&bytes)] {
                for select in
                    [Select::All, Select::Label(mask, 1.0), Select::Other(mask, 1.0), Select::Above(0.5)]
                {
                    let choice = select.among(&image);
                    for range in [0..8000, 1..1, 5..6, 1000..5001] {
                        let expected = range.clone().filter(|&i| choice.includes(i)).count();
                        let part = select.part(range.clone()).count(&image[range], &run);
                        assert_eq!(part.unwrap(), expected);
                    }
                }
            }
        }
    }

    #[test]
    fn rows_say_the_same_as_voxels() {
        let image: Vec<f32> = VALUES.repeat(5);
        let bytes: Vec<u8> = image.iter().map(|value| *value as u8).collect();
        let mut selections = vec![Select::All, Select::Above(1.0)];
        for mask in [Values::Floats(&image), Values::Bytes(&bytes)] {
            selections.extend([Select::Label(mask, 1.0), Select::Other(mask, 0.0)]);
        }
        for select in selections {
            let choice = select.among(&image);
            for first in 0..8 {
                for step in [1, 3] {
                    let mut chosen = [9; 7];
                    let count = choice.row(first, step, &mut chosen);
                    assert_eq!(count, chosen.iter().filter(|chosen| **chosen == 1).count());
                    for (i, chosen) in chosen.iter().enumerate() {
                        assert_eq!(*chosen, u8::from(choice.includes(first + step * i)));
                    }
                }
            }
        }
    }

    #[test]
    fn the_chosen_come_side_by_side_and_marked() {
        let image: Vec<f32> = (0..70_001).map(|i| ((i * 7919) % 2003) as f32).collect();
        let other: Vec<f32> = image.iter().map(|value| -value).collect();
        let bytes: Vec<u8> = (0..image.len()).map(|i| u8::from(i % 37 < 29)).collect();
        for name in Level::supported() {
            let run =
                Run { level: Level::named(name).unwrap(), pool: Pool::new(2).unwrap(), cancelled: &|| false };
            let (mask, within) = (Select::Label(Values::Bytes(&bytes), 1.0), Select::Within(100.0, 900.0));
            for select in [Select::All, mask, within] {
                let choice = select.among(&image);
                let expected = |from: &[f32]| -> Vec<f32> {
                    (0..from.len()).filter(|&i| choice.includes(i)).map(|i| from[i]).collect()
                };
                assert_eq!(chosen(&image, select, &image, &run).unwrap()[..], expected(&image));
                assert_eq!(chosen(&image, select, &other, &run).unwrap()[..], expected(&other));
            }
            let choices = [mask, within].map(|select| select.among(&image));
            let mut marks = vec![7.0; image.len()];
            mark(&choices, &mut marks, &run).unwrap();
            for (i, mark) in marks.into_iter().enumerate() {
                assert_eq!(mark, f32::from(u8::from(choices.iter().all(|choice| choice.includes(i)))));
            }
        }
    }
}
