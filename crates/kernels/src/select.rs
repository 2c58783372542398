//! Which voxels count: the one place that turns masks, labels and thresholds into a choice.

use crate::moments::{LANES, Lanes};

/// A choice among the voxels of an image: those whose tested value lies in a range, or those whose does not.
///
/// One test serves all kinds of choice, so that kernels have no case for each.
#[derive(Clone, Copy)]
pub struct Select<'a> {
    /// A mask, or the image itself.
    tested: &'a [f32],
    low: f32,
    high: f32,
    /// 1 where the values outside the range are chosen, NaN among them; 0 where those inside are.
    is_outside: u32,
}

impl<'a> Select<'a> {
    /// Every voxel of `image`.
    pub fn all(image: &'a [f32]) -> Select<'a> {
        Select { tested: image, low: f32::INFINITY, high: f32::NEG_INFINITY, is_outside: 1 }
    }

    /// Those whose mask value equals the label.
    pub fn label(mask: &'a [f32], label: f32) -> Select<'a> {
        Select { tested: mask, low: label, high: label, is_outside: 0 }
    }

    /// Those whose mask value is not 0.
    pub fn non_zero(mask: &'a [f32]) -> Select<'a> {
        Select { tested: mask, low: 0.0, high: 0.0, is_outside: 1 }
    }

    /// Those whose own value is above the threshold, which is finite.
    pub fn above(image: &'a [f32], threshold: f32) -> Select<'a> {
        Select { tested: image, low: threshold.next_up(), high: f32::INFINITY, is_outside: 0 }
    }

    /// Whether voxel `index` is chosen.
    pub fn includes(&self, index: usize) -> bool {
        self.flag(self.tested[index]) != 0
    }

    /// 1 for the chosen and 0 for the other voxels among the sixteen from `first` on.
    #[inline(always)]
    pub fn lanes(&self, first: usize) -> Lanes<u32> {
        let tested: &[f32; LANES] = self.tested[first..first + LANES].try_into().unwrap();
        let mut chosen = Lanes([0; LANES]);
        for i in 0..LANES {
            chosen.0[i] = self.flag(tested[i]);
        }
        chosen
    }

    /// The same for fewer voxels than sixteen; 0 beyond them.
    #[inline(always)]
    pub fn part(&self, first: usize, count: usize) -> Lanes<u32> {
        let mut chosen = Lanes([0; LANES]);
        for (to, value) in chosen.0.iter_mut().zip(&self.tested[first..first + count]) {
            *to = self.flag(*value);
        }
        chosen
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

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [f32; 8] = [0.0, 1.0, 2.0, 1.0, f32::NAN, -0.0, f32::INFINITY, f32::NEG_INFINITY];

    #[test]
    fn each_choice_is_what_its_name_says() {
        let chosen = |select: Select| (0..8).filter(|&i| select.includes(i)).collect::<Vec<_>>();
        assert_eq!(chosen(Select::all(&VALUES)), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(chosen(Select::label(&VALUES, 1.0)), [1, 3]);
        assert_eq!(chosen(Select::label(&VALUES, 0.0)), [0, 5]);
        assert_eq!(chosen(Select::non_zero(&VALUES)), [1, 2, 3, 4, 6, 7]);
        assert_eq!(chosen(Select::above(&VALUES, 1.0)), [2, 6]);
        assert_eq!(chosen(Select::above(&VALUES, 0.999_999_94)), [1, 2, 3, 6]);
    }

    #[test]
    fn rows_and_lanes_say_the_same_as_voxels() {
        let image: Vec<f32> = VALUES.repeat(5);
        for select in [Select::all(&image), Select::label(&image, 1.0), Select::non_zero(&image)] {
            for first in 0..8 {
                for i in 0..LANES {
                    let expected = u32::from(select.includes(first + i));
                    assert_eq!(select.lanes(first).0[i], expected);
                    assert_eq!(select.part(first, 9).0[i], if i < 9 { expected } else { 0 });
                }
                for step in [1, 3] {
                    let mut chosen = [9; 7];
                    let count = select.row(first, step, &mut chosen);
                    assert_eq!(count, chosen.iter().filter(|chosen| **chosen == 1).count());
                    for (i, chosen) in chosen.iter().enumerate() {
                        assert_eq!(*chosen, u32::from(select.includes(first + step * i)));
                    }
                }
            }
        }
    }
}
