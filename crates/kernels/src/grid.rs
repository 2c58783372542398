//! Where voxels lie: shape, affine, and the index arithmetic of subsampling.

use crate::svd;

/// A regular grid. `affine` maps a voxel index to world millimetres (RAS+), a row per world axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Voxels along x, y, z; x is fastest in memory.
    pub shape: [usize; 3],
    /// World = affine · (i, j, k, 1).
    pub affine: [[f64; 4]; 3],
    /// The same as ITK holds it, where a file's header told.
    pub itk: Option<Frame>,
}

/// A grid as ITK holds it: in LPS, its axes' unit vectors apart from the spacing. Rounding errors of these numbers
/// decide which voxels its shrink filter keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// World millimetres of the first voxel.
    pub origin: [f64; 3],
    /// Millimetres from voxel to voxel.
    pub spacing: [f64; 3],
    /// Rows of a matrix whose columns are the axes.
    pub direction: [[f64; 3]; 3],
}

impl Grid {
    /// The number of voxels.
    pub fn voxels(&self) -> usize {
        self.shape.iter().product()
    }

    /// The length in mm of a step along each axis.
    pub fn spacing(&self) -> [f64; 3] {
        [0, 1, 2].map(|axis| {
            let column = self.affine.map(|row| row[axis]);
            column.iter().map(|v| v * v).sum::<f64>().sqrt()
        })
    }

    /// Where this grid's voxels lie along the axes of `other`, as `index = start + step · i`; nothing where the
    /// axes of the two are not parallel.
    pub fn along(&self, other: &Grid) -> Option<[(f64, f64); 3]> {
        if self.shape == other.shape && self.affine == other.affine {
            return Some([(0.0, 1.0); 3]);
        }
        let columns = |affine: &[[f64; 4]; 3]| affine.map(|row| [row[0], row[1], row[2]]);
        let backward = cofactor_inverse(columns(&other.affine));
        let times = |at: [f64; 3]| backward.map(|row| (0..3).fold(0.0, |sum, c| sum + row[c] * at[c]));
        let start = times([0, 1, 2].map(|r| self.affine[r][3] - other.affine[r][3]));
        // Headers hold single precision: a thousandth of a voxel over the whole axis is none of theirs.
        let steps = [0, 1, 2].map(|a| times([0, 1, 2].map(|r| self.affine[r][a])));
        for (a, step) in steps.iter().enumerate() {
            for r in 0..3 {
                let drift = step[r].abs() * (self.shape[a] as f64 - 1.0);
                if !drift.is_finite() || (r != a && drift > 1e-3) {
                    return None;
                }
            }
        }
        Some([0, 1, 2].map(|a| (start[a], steps[a][a])))
    }

    /// The grid left after padding with zeros and then keeping every `factor`-th voxel: of ⌊n / factor⌋ kept
    /// ones, those that lie in the image.
    ///
    /// The kept voxels are centred, `(n-1)/2 - (⌊n/s⌋-1)/2 · s`, and rounded half up *after* the way
    /// through world coordinates that ITK's shrink filter takes in doubles. Where the exact value is
    /// a tie, that rounding error decides, so it is reproduced here operation by operation.
    pub fn shrunk(&self, factor: [usize; 3], padding: &Padding) -> Shrunk {
        let padded = [0, 1, 2].map(|a| padding.lower[a] + self.shape[a] + padding.upper[a]);
        let whole = [0, 1, 2].map(|a| (padded[a] / factor[a]).max(1));
        let frame = self.itk.clone().unwrap_or_else(|| self.frame());
        let first = frame.first_kept(factor, padding.lower, padded, whole);
        let before = [0, 1, 2].map(|a| first[a].min(0).unsigned_abs().div_ceil(factor[a]));
        let offset = [0, 1, 2].map(|a| (first[a] + (before[a] * factor[a]) as isize) as usize);
        let shape = [0, 1, 2].map(|a| {
            let room = self.shape[a].saturating_sub(offset[a]).div_ceil(factor[a]);
            room.min(whole[a].saturating_sub(before[a]))
        });
        Shrunk { shape, offset, factor, before, whole }
    }

    /// What ITK would hold, had it the affine from a header: its spacing is a `float32`, x and y change sign.
    fn frame(&self) -> Frame {
        let sign = [-1.0, -1.0, 1.0];
        let length = self.spacing();
        Frame {
            origin: [0, 1, 2].map(|r| sign[r] * self.affine[r][3]),
            spacing: length.map(|mm| f64::from(mm as f32)),
            direction: [0, 1, 2].map(|r| [0, 1, 2].map(|c| sign[r] * self.affine[r][c] / length[c])),
        }
    }
}

impl Frame {
    /// The index of the first voxel that ITK keeps of the padded image, whose indices begin below 0.
    fn first_kept(
        &self,
        factor: [usize; 3],
        lower: [usize; 3],
        padded: [usize; 3],
        whole: [usize; 3],
    ) -> [isize; 3] {
        let half = |n: usize| (n as f64 - 1.0) / 2.0;
        let Frame { origin, spacing, direction } = self;
        let matrix = |spacing: [f64; 3]| direction.map(|row| [0, 1, 2].map(|c| row[c] * spacing[c]));
        let forward = matrix(*spacing);
        let backward = svd::inverse(forward).unwrap_or_else(|| cofactor_inverse(forward));
        let coarse = matrix([0, 1, 2].map(|a| spacing[a] * factor[a] as f64));
        let times =
            |m: [[f64; 3]; 3], at: [f64; 3]| m.map(|row| (0..3).fold(0.0, |sum, c| sum + row[c] * at[c]));
        let begin = [0, 1, 2].map(|a| -(lower[a] as f64));
        // Rounded up, so that it is a whole number of steps from the first voxel of the unpadded image.
        let coarse_begin = [0, 1, 2].map(|a| -((lower[a] / factor[a]) as f64));
        let centre = times(forward, [0, 1, 2].map(|a| begin[a] + half(padded[a])));
        let coarse_centre = times(coarse, [0, 1, 2].map(|a| coarse_begin[a] + half(whole[a])));
        let coarse_origin =
            [0, 1, 2].map(|a| origin[a] + ((centre[a] + origin[a]) - (coarse_centre[a] + origin[a])));
        let first = times(coarse, coarse_begin);
        let from_origin = [0, 1, 2].map(|a| (first[a] + coarse_origin[a]) - origin[a]);
        let index = times(backward, from_origin);
        [0, 1, 2].map(|a| {
            let rounded = (index[a] + 0.5).floor() as isize;
            let begin = coarse_begin[a] as isize * factor[a] as isize;
            let room = (padded[a] - 1 - (whole[a] - 1) * factor[a]) as isize - lower[a] as isize;
            // ITK's insurance against a negative index: it also bars what lies before the first whole step.
            rounded.max(begin).min(room)
        })
    }
}

/// Voxels of value 0, outside every mask, laid around an image.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Padding {
    /// Before the first voxel along each axis.
    pub lower: [usize; 3],
    /// After the last.
    pub upper: [usize; 3],
}

/// A subsampled grid: voxel `i` of it is voxel `offset + i * factor` of the full one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shrunk {
    /// Voxels along each axis.
    pub shape: [usize; 3],
    /// The full-grid index of its first voxel.
    pub offset: [usize; 3],
    /// Steps between kept voxels.
    pub factor: [usize; 3],
    /// Kept voxels that lie in the padding before the first.
    pub before: [usize; 3],
    /// Kept voxels with those in the padding on either side.
    pub whole: [usize; 3],
}

/// The inverse by cofactors.
fn cofactor_inverse(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let minor = |r: usize, c: usize| {
        let (r1, r2) = ((r + 1) % 3, (r + 2) % 3);
        let (c1, c2) = ((c + 1) % 3, (c + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let determinant = m[0][0] * minor(0, 0) + m[0][1] * minor(0, 1) + m[0][2] * minor(0, 2);
    [0, 1, 2].map(|r| [0, 1, 2].map(|c| minor(c, r) / determinant))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(shape: [usize; 3], spacing: f64) -> Grid {
        let s = spacing;
        let affine = [[s, 0.0, 0.0, 0.0], [0.0, s, 0.0, 0.0], [0.0, 0.0, s, 0.0]];
        Grid { shape, affine, itk: None }
    }

    #[test]
    fn shrinking_by_one_keeps_every_voxel() {
        let shrunk = grid([5, 6, 7], 1.5).shrunk([1, 1, 1], &Padding::default());
        assert_eq!((shrunk.shape, shrunk.offset), ([5, 6, 7], [0, 0, 0]));
    }

    #[test]
    fn every_kept_voxel_lies_in_the_grid() {
        for n in 1..40 {
            for s in 1..9 {
                let shrunk = grid([n, 1, 3], 0.7).shrunk([s, s, s], &Padding::default());
                let last = shrunk.offset[0] + (shrunk.shape[0] - 1) * s;
                assert!(last < n, "{n} {s} {shrunk:?}");
            }
        }
    }

    #[test]
    fn every_kept_voxel_of_a_padded_image_lies_where_a_step_from_the_first_does() {
        for n in 2..24 {
            for s in 1..=n.min(7) {
                for extra in 0..30 {
                    let lower = extra / 2;
                    let padding = Padding { lower: [lower, 0, 0], upper: [extra - lower, 0, 0] };
                    let shrunk = grid([n, 1, 3], 0.7).shrunk([s, 1, 1], &padding);
                    let (shape, offset) = (shrunk.shape[0], shrunk.offset[0]);
                    assert_eq!(shrunk.whole[0], ((n + extra) / s).max(1));
                    assert!(shape == 0 || offset + (shape - 1) * s < n, "{n} {s} {extra} {shrunk:?}");
                    assert!(shrunk.before[0] + shape <= shrunk.whole[0], "{n} {s} {extra} {shrunk:?}");
                    assert!(shape > 0, "{n} {s} {extra} {shrunk:?}");
                }
            }
        }
    }

    #[test]
    fn the_inverse_inverts() {
        let m = [[2.0, 0.1, 0.0], [-0.3, 1.5, 0.2], [0.0, 0.4, -3.0]];
        let i = cofactor_inverse(m);
        for r in 0..3 {
            for c in 0..3 {
                let sum: f64 = (0..3).map(|k| m[r][k] * i[k][c]).sum();
                assert!((sum - f64::from(u8::from(r == c))).abs() < 1e-12);
            }
        }
    }
}
