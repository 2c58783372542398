//! Which voxels count: the one place that turns masks, labels and thresholds into a choice.

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
        let flag = |yes: bool| if yes { 1.0_f32 } else { 0.0 };
        match self {
            Select::All => chosen.fill(1.0),
            Select::Label(mask, label) => {
                for (to, value) in chosen.iter_mut().zip(&mask[first..first + values.len()]) {
                    *to = flag(value == label);
                }
            }
            Select::NonZero(mask) => {
                for (to, value) in chosen.iter_mut().zip(&mask[first..first + values.len()]) {
                    *to = flag(*value != 0.0);
                }
            }
            Select::Above(threshold) => {
                for (to, value) in chosen.iter_mut().zip(values) {
                    *to = flag(value > threshold);
                }
            }
        }
        chosen.iter().map(|chosen| u32::from(chosen.to_bits() != 0)).sum::<u32>() as usize
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
        }
    }
}
