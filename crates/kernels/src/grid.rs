//! Where voxels lie: shape, affine, and the index arithmetic of subsampling.

/// A regular grid. `affine` maps a voxel index to world millimetres (RAS+), a row per world axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Voxels along x, y, z; x is fastest in memory.
    pub shape: [usize; 3],
    /// World = affine · (i, j, k, 1).
    pub affine: [[f64; 4]; 3],
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

    /// The grid left after keeping every `factor`-th voxel: size ⌊n / factor⌋ and the first kept index.
    ///
    /// The kept voxels are centred, `(n-1)/2 - (⌊n/s⌋-1)/2 · s`, and rounded half up *after* the way
    /// through world coordinates that ITK's shrink filter takes in doubles. Where the exact value is
    /// a tie, that rounding error decides, so it is reproduced here operation by operation.
    pub fn shrunk(&self, factor: [usize; 3]) -> Shrunk {
        let shape = [0, 1, 2].map(|a| (self.shape[a] / factor[a]).max(1));
        let offset = self.shrink_offset(factor, shape);
        Shrunk { shape, offset, factor }
    }

    fn shrink_offset(&self, factor: [usize; 3], shape: [usize; 3]) -> [usize; 3] {
        let half = |n: usize| (n as f64 - 1.0) / 2.0;
        // ITK's world is LPS: x and y change sign against RAS. Its spacing is the header's, a float32.
        let sign = [-1.0, -1.0, 1.0];
        let length = self.spacing();
        let spacing = length.map(|mm| f64::from(mm as f32));
        let direction: [[f64; 3]; 3] =
            [0, 1, 2].map(|r| [0, 1, 2].map(|c| sign[r] * self.affine[r][c] / length[c]));
        let origin = [0, 1, 2].map(|r| sign[r] * self.affine[r][3]);
        let matrix = |spacing: [f64; 3]| direction.map(|row| [0, 1, 2].map(|c| row[c] * spacing[c]));
        let forward = matrix(spacing);
        let unscaled = inverse(direction);
        let backward = [0, 1, 2].map(|r| unscaled[r].map(|v| v / spacing[r]));
        let coarse = matrix([0, 1, 2].map(|a| spacing[a] * factor[a] as f64));
        let times =
            |m: [[f64; 3]; 3], at: [f64; 3]| m.map(|row| (0..3).fold(0.0, |sum, c| sum + row[c] * at[c]));
        let centre = times(forward, self.shape.map(half));
        let coarse_centre = times(coarse, shape.map(half));
        let first = [0, 1, 2].map(|a| origin[a] + ((centre[a] + origin[a]) - (coarse_centre[a] + origin[a])));
        let from_origin = [0, 1, 2].map(|a| first[a] - origin[a]);
        let index = times(backward, from_origin);
        [0, 1, 2].map(|a| {
            let rounded = (index[a] + 0.5).floor().max(0.0) as usize;
            let room = self.shape[a] - 1 - (shape[a] - 1) * factor[a];
            rounded.min(room)
        })
    }
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
}

/// The inverse by cofactors.
fn inverse(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
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
        Grid { shape, affine }
    }

    #[test]
    fn shrinking_by_one_keeps_every_voxel() {
        let shrunk = grid([5, 6, 7], 1.5).shrunk([1, 1, 1]);
        assert_eq!((shrunk.shape, shrunk.offset), ([5, 6, 7], [0, 0, 0]));
    }

    #[test]
    fn every_kept_voxel_lies_in_the_grid() {
        for n in 1..40 {
            for s in 1..9 {
                let shrunk = grid([n, 1, 3], 0.7).shrunk([s, s, s]);
                let last = shrunk.offset[0] + (shrunk.shape[0] - 1) * s;
                assert!(last < n, "{n} {s} {shrunk:?}");
            }
        }
    }

    #[test]
    fn the_inverse_inverts() {
        let m = [[2.0, 0.1, 0.0], [-0.3, 1.5, 0.2], [0.0, 0.4, -3.0]];
        let i = inverse(m);
        for r in 0..3 {
            for c in 0..3 {
                let sum: f64 = (0..3).map(|k| m[r][k] * i[k][c]).sum();
                assert!((sum - f64::from(u8::from(r == c))).abs() < 1e-12);
            }
        }
    }
}
