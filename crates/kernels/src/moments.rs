//! Sums, means and deviations of chosen voxels.

/// Lanes that accumulate apart and fold in a fixed order, whatever the instruction set.
pub const LANES: usize = 16;

/// A value for every lane, aligned to the widest vectors: one that crosses a cache line costs twice.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub struct Lanes<T>(pub [T; LANES]);

/// Blocks as one array.
#[inline(always)]
pub fn flat<T>(blocks: &[Lanes<T>]) -> &[T] {
    // SAFETY: an array of lanes lies in memory as its lanes do, and the length is theirs.
    unsafe { std::slice::from_raw_parts(blocks.as_ptr().cast(), size_of_val(blocks) / size_of::<T>()) }
}

/// Blocks as one array.
#[inline(always)]
pub fn flat_mut<T>(blocks: &mut [Lanes<T>]) -> &mut [T] {
    // SAFETY: as above.
    unsafe {
        std::slice::from_raw_parts_mut(blocks.as_mut_ptr().cast(), size_of_val(blocks) / size_of::<T>())
    }
}

/// Sums of the values and their squares, a lane each.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Sums {
    sum: [f64; LANES],
    squares: [f64; LANES],
}

impl Default for Sums {
    fn default() -> Sums {
        Sums { sum: [0.0; LANES], squares: [0.0; LANES] }
    }
}

impl Sums {
    /// Adds sixteen values.
    #[inline(always)]
    pub fn add(&mut self, values: &Lanes<f32>) {
        for lane in 0..LANES {
            let value = f64::from(values.0[lane]);
            self.sum[lane] += value;
            self.squares[lane] += value * value;
        }
    }

    /// Adds the lanes of sums that come after these.
    pub fn merge(&mut self, later: &Sums) {
        for lane in 0..LANES {
            self.sum[lane] += later.sum[lane];
            self.squares[lane] += later.squares[lane];
        }
    }

    /// The sum and the sum of squares, lanes folded as a fixed tree.
    pub fn fold(&self) -> (f64, f64) {
        (tree(&self.sum), tree(&self.squares))
    }

    /// Mean and sample standard deviation (n - 1) of `count` values; 0 deviation for fewer than two.
    pub fn mean_and_deviation(&self, count: usize) -> (f64, f64) {
        let (sum, squares) = self.fold();
        let n = count as f64;
        let mean = sum / n;
        let variance = if count > 1 { ((squares - sum * mean) / (n - 1.0)).max(0.0) } else { 0.0 };
        (mean, variance.sqrt())
    }
}

fn tree(lanes: &[f64; LANES]) -> f64 {
    let mut lanes = *lanes;
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_known_numbers() {
        let mut sums = Sums::default();
        let values = Lanes(std::array::from_fn(|i| i as f32));
        sums.add(&values);
        // 0 … 15: mean 7.5, sample variance n(n+1)/12 = 22.666…
        let (mean, deviation) = sums.mean_and_deviation(LANES);
        assert_eq!(mean, 7.5);
        assert!((deviation - (16.0 * 17.0 / 12.0_f64).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn merging_equals_adding_in_the_same_lanes() {
        let values = Lanes(std::array::from_fn(|i| (i as f32).sin()));
        let (mut one, mut two) = (Sums::default(), Sums::default());
        one.add(&values);
        two.add(&values);
        one.merge(&two);
        let mut both = Sums::default();
        both.add(&values);
        both.add(&values);
        assert_eq!(one.fold(), both.fold());
    }
}
