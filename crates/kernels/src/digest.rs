//! The digest that names a volume's content.

use crate::select::Values;
use sha2::{Digest, Sha256};

/// SHA-256, in hexadecimal, of a volume before it is converted to any file's type.
///
/// Hashed are, all little-endian: nx, ny, nz and the channels as `u64`; the twelve numbers of the
/// affine, row by row, as `f64` (-0 as 0); the voxels as `f32` (every NaN as the one NaN 7fc00000).
#[inline(never)]
pub fn volume(shape: [usize; 3], channels: usize, affine: &[[f64; 4]; 3], voxels: Values) -> String {
    let mut hash = Sha256::new();
    for n in shape.into_iter().chain([channels]) {
        add(&mut hash, &(n as u64).to_le_bytes());
    }
    for value in affine.iter().flatten() {
        add(&mut hash, &(value + 0.0).to_le_bytes());
    }
    let mut bytes = [0_u8; 4096];
    let mut part = [0.0; 1024];
    for first in (0..voxels.len()).step_by(part.len()) {
        let part = &mut part[..(voxels.len() - first).min(1024)];
        voxels.copy(first, part);
        for (to, voxel) in bytes.chunks_exact_mut(4).zip(&*part) {
            let canonical = if voxel.is_nan() { 0x7fc0_0000 } else { voxel.to_bits() };
            to.copy_from_slice(&canonical.to_le_bytes());
        }
        add(&mut hash, &bytes[..part.len() * 4]);
    }
    let digits = hash.finalize().into_iter().flat_map(|byte| [byte >> 4, byte % 16]);
    digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
}

/// Once for all, which would else be compiled for each.
#[inline(never)]
fn add(hash: &mut Sha256, bytes: &[u8]) {
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFFINE: [[f64; 4]; 3] = [[1.0, 0.0, 0.0, 0.0]; 3];

    #[test]
    fn every_nan_has_the_same_digest_and_signed_zeros_of_voxels_differ() {
        let of = |voxel: f32| volume([1, 1, 1], 1, &AFFINE, Values::Floats(&[voxel]));
        assert_eq!(of(f32::NAN), of(f32::from_bits(0xffc0_0001)));
        assert_ne!(of(0.0), of(-0.0));
    }

    #[test]
    fn shape_and_affine_count() {
        let voxels = Values::Floats(&[1.0; 6]);
        let first = volume([2, 3, 1], 1, &AFFINE, voxels);
        assert_ne!(first, volume([3, 2, 1], 1, &AFFINE, voxels));
        let mut moved = AFFINE;
        moved[0][3] = 1.0;
        assert_ne!(first, volume([2, 3, 1], 1, &moved, voxels));
    }
    #[test]
    fn bytes_have_the_digest_of_the_numbers_they_stand_for() {
        for length in [1, 1023, 1024, 1025, 5000] {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 7) as u8).collect();
            let floats: Vec<f32> = bytes.iter().map(|byte| f32::from(*byte)).collect();
            let of = |voxels| volume([length, 1, 1], 1, &AFFINE, voxels);
            assert_eq!(of(Values::Bytes(&bytes)), of(Values::Floats(&floats)));
        }
    }
}
