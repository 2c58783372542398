//! Stored voxels of a file to `f32` and back: byte order, number type, slope and intercept.

use crate::memory::array;
use crate::parallel::{CHUNKS, ranges};
use crate::run::{Cancelled, Run};

/// How a file stores a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Stored {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl Stored {
    /// The type called `name` (`uint8` … `float64`).
    pub fn named(name: &str) -> Option<Stored> {
        Some(match name {
            "uint8" => Stored::U8,
            "int8" => Stored::I8,
            "uint16" => Stored::U16,
            "int16" => Stored::I16,
            "uint32" => Stored::U32,
            "int32" => Stored::I32,
            "uint64" => Stored::U64,
            "int64" => Stored::I64,
            "float32" => Stored::F32,
            "float64" => Stored::F64,
            _ => return None,
        })
    }

    /// Bytes a number takes.
    pub fn bytes(self) -> usize {
        match self {
            Stored::U8 | Stored::I8 => 1,
            Stored::U16 | Stored::I16 => 2,
            Stored::U32 | Stored::I32 | Stored::F32 => 4,
            Stored::U64 | Stored::I64 | Stored::F64 => 8,
        }
    }
}

/// The converted voxels and what `f32` could not hold of them.
pub struct Converted {
    /// One value a voxel.
    pub voxels: Vec<f32>,
    /// Integers that `f32` rounded (beyond 2^24).
    pub rounded: usize,
    /// Finite values beyond the range of `f32`, which became infinite.
    pub overflowed: usize,
}

/// Bytes that are read at a time, a whole number of numbers of each type: big-endian ones are turned around before, so
/// that there is one loop a type.
const BLOCK: usize = 4096;

/// `value * slope + intercept` of every stored number, computed in `f64` and rounded once.
///
/// `scale` of `None` means that the numbers are taken as they are. Trailing bytes that make no
/// whole number are ignored. One pass, one allocation, which all threads touch first where it is fresh.
pub fn to_f32(
    bytes: &[u8],
    stored: Stored,
    big_endian: bool,
    scale: Option<(f64, f64)>,
    run: &Run,
) -> Result<Converted, Cancelled> {
    let size = stored.bytes();
    let mut converted = Converted { voxels: array(bytes.len() / size), rounded: 0, overflowed: 0 };
    let mut rest = &mut converted.voxels[..];
    let mut parts = Vec::new();
    for range in ranges(rest.len(), CHUNKS) {
        let (voxels, after) = rest.split_at_mut(range.len());
        parts.push((voxels, &bytes[range.start * size..range.end * size]));
        rest = after;
    }
    for (rounded, overflowed) in
        run.map_parts(parts, |_, (voxels, bytes)| part(voxels, bytes, stored, big_endian, scale))?
    {
        converted.rounded += rounded;
        converted.overflowed += overflowed;
    }
    Ok(converted)
}

/// As many numbers as there are voxels. Returns how many were rounded, and how many overflowed.
#[inline(never)]
fn part(
    voxels: &mut [f32],
    bytes: &[u8],
    stored: Stored,
    big_endian: bool,
    scale: Option<(f64, f64)>,
) -> (usize, usize) {
    let size = stored.bytes();
    let (mut all_rounded, mut all_overflowed) = (0, 0);
    let mut turned = [0; BLOCK];
    for (voxels, bytes) in voxels.chunks_mut(BLOCK / size).zip(bytes.chunks(BLOCK)) {
        let mut bytes = &bytes[..voxels.len() * size];
        if big_endian && size > 1 {
            let turned = &mut turned[..bytes.len()];
            turned.copy_from_slice(bytes);
            match size {
                2 => turned.as_chunks_mut::<2>().0.iter_mut().for_each(|raw| raw.reverse()),
                4 => turned.as_chunks_mut::<4>().0.iter_mut().for_each(|raw| raw.reverse()),
                _ => turned.as_chunks_mut::<8>().0.iter_mut().for_each(|raw| raw.reverse()),
            }
            bytes = turned;
        }
        let (rounded, overflowed) = block(voxels, bytes, stored, scale);
        all_rounded += rounded;
        all_overflowed += overflowed;
    }
    (all_rounded, all_overflowed)
}

/// A block of little-endian numbers. Returns how many were rounded, and how many overflowed.
fn block(voxels: &mut [f32], bytes: &[u8], stored: Stored, scale: Option<(f64, f64)>) -> (usize, usize) {
    let (mut rounded, mut overflowed) = (0, 0);
    macro_rules! read {
        ($type:ty, $integer:expr) => {{
            let values = bytes.as_chunks().0.iter().map(|raw| <$type>::from_le_bytes(*raw));
            let each = voxels.iter_mut().zip(values);
            match scale {
                None => {
                    for (voxel, value) in each {
                        *voxel = value as f32;
                        if $integer && size_of::<$type>() >= 4 {
                            let wide = value as f64;
                            // The largest of 64 bits is no `f64`, and the next one comes back as the largest.
                            let is_exact =
                                size_of::<$type>() < 8 || (wide as $type == value && value != <$type>::MAX);
                            let is_kept = f64::from(*voxel) == wide && is_exact;
                            rounded += usize::from(!is_kept);
                        }
                        if size_of::<$type>() == 8 {
                            overflowed += usize::from(voxel.is_infinite() && (value as f64).is_finite());
                        }
                    }
                }
                Some((slope, intercept)) => {
                    for (voxel, value) in each {
                        let exact = value as f64;
                        *voxel = (exact * slope + intercept) as f32;
                        overflowed += usize::from(voxel.is_infinite() && exact.is_finite());
                    }
                }
            }
        }};
    }
    match stored {
        Stored::U8 => read!(u8, true),
        Stored::I8 => read!(i8, true),
        Stored::U16 => read!(u16, true),
        Stored::I16 => read!(i16, true),
        Stored::U32 => read!(u32, true),
        Stored::I32 => read!(i32, true),
        Stored::U64 => read!(u64, true),
        Stored::I64 => read!(i64, true),
        Stored::F32 => read!(f32, false),
        Stored::F64 => read!(f64, false),
    }
    (rounded, overflowed)
}

/// Numbers as a file stores them, and what became of the voxels.
pub struct Encoded {
    /// Little-endian numbers.
    pub bytes: Vec<u8>,
    /// Voxels that will be read back as another value.
    pub changed: usize,
    /// Largest distance of a finite voxel within the range from what will be read back, before that is rounded to `f32`.
    pub largest_error: f64,
    /// Finite voxels beyond the type's range; its end is stored.
    pub outside: usize,
    /// NaN and infinite voxels of an integer type; 0 or an end of the range is stored.
    pub not_finite: usize,
}

/// `(voxel - intercept) / slope` of every voxel, computed in `f64` and rounded half to even.
///
/// `scale` of `None` means that voxels are stored as they are. Floating point types take no scale: it is ignored, and
/// every voxel is held. One pass, one allocation.
#[inline(never)]
pub fn from_f32(voxels: &[f32], stored: Stored, scale: Option<(f64, f64)>) -> Encoded {
    let mut encoded = Encoded {
        bytes: Vec::with_capacity(voxels.len() * stored.bytes()),
        changed: 0,
        largest_error: 0.0,
        outside: 0,
        not_finite: 0,
    };
    let (low, high) = match stored {
        Stored::U8 => (0.0, u8::MAX as f64),
        Stored::I8 => (i8::MIN as f64, i8::MAX as f64),
        Stored::U16 => (0.0, u16::MAX as f64),
        Stored::I16 => (i16::MIN as f64, i16::MAX as f64),
        Stored::U32 => (0.0, u32::MAX as f64),
        Stored::I32 => (i32::MIN as f64, i32::MAX as f64),
        Stored::U64 => (0.0, u64::MAX as f64),
        Stored::I64 => (i64::MIN as f64, i64::MAX as f64),
        Stored::F32 => {
            encoded.bytes.extend(voxels.iter().flat_map(|voxel| voxel.to_le_bytes()));
            return encoded;
        }
        Stored::F64 => {
            encoded.bytes.extend(voxels.iter().flat_map(|&voxel| f64::from(voxel).to_le_bytes()));
            return encoded;
        }
    };
    let (slope, intercept) = scale.unwrap_or((1.0, 0.0));
    // The largest integer of 64 bits is none of `f64`: `high` lies one beyond.
    let is_rounded = stored.bytes() == 8;
    let mut integers = [0; BLOCK / 8];
    for voxels in voxels.chunks(BLOCK / 8) {
        let integers = &mut integers[..voxels.len()];
        for (&voxel, integer) in voxels.iter().zip(&mut *integers) {
            let exact = f64::from(voxel);
            let number = ((exact - intercept) / slope).round_ties_even();
            // NaN becomes 0. The lower bytes are those of any narrower type.
            let held = if number < low { low } else { number };
            let held = if held > high { high } else { held };
            *integer = if low < 0.0 { held as i64 as u64 } else { held as u64 };
            if !voxel.is_finite() {
                encoded.not_finite += 1;
            } else if number < low || number > high || (is_rounded && number == high) {
                encoded.outside += 1;
            } else {
                let back = number * slope + intercept;
                encoded.changed += usize::from(back as f32 != voxel);
                encoded.largest_error = encoded.largest_error.max((back - exact).abs());
            }
        }
        match stored.bytes() {
            1 => encoded.bytes.extend(integers.iter().map(|integer| *integer as u8)),
            2 => encoded.bytes.extend(integers.iter().flat_map(|integer| (*integer as u16).to_le_bytes())),
            4 => encoded.bytes.extend(integers.iter().flat_map(|integer| (*integer as u32).to_le_bytes())),
            _ => encoded.bytes.extend(integers.iter().flat_map(|integer| integer.to_le_bytes())),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;
    use crate::parallel::Pool;

    /// On one thread, after it has shown that three give the same.
    fn read(bytes: &[u8], stored: Stored, big_endian: bool, scale: Option<(f64, f64)>) -> Converted {
        let [one, three] = [1, 3].map(|threads| {
            let run = Run { level: Level::best(), pool: Pool::new(threads).unwrap(), cancelled: &|| false };
            to_f32(bytes, stored, big_endian, scale, &run).unwrap()
        });
        assert_eq!(one.voxels, three.voxels);
        assert_eq!((one.rounded, one.overflowed), (three.rounded, three.overflowed));
        one
    }

    #[test]
    fn both_byte_orders_read_the_same_numbers() {
        let little: Vec<u8> = [-300_i16, 0, 12_345].iter().flat_map(|v| v.to_le_bytes()).collect();
        let big: Vec<u8> = [-300_i16, 0, 12_345].iter().flat_map(|v| v.to_be_bytes()).collect();
        assert_eq!(read(&little, Stored::I16, false, None).voxels, [-300.0, 0.0, 12_345.0]);
        assert_eq!(read(&big, Stored::I16, true, None).voxels, [-300.0, 0.0, 12_345.0]);
    }

    #[test]
    fn bytes_are_turned_around_in_every_block() {
        let numbers: Vec<f64> = (0..2 * BLOCK).map(|i| i as f64 - 0.5).collect();
        let big: Vec<u8> = numbers.iter().flat_map(|v| v.to_be_bytes()).collect();
        let expected: Vec<f32> = numbers.iter().map(|&v| v as f32).collect();
        assert_eq!(read(&big, Stored::F64, true, None).voxels, expected);
    }

    #[test]
    fn slope_and_intercept_are_applied_in_double_precision() {
        let converted = read(&[10, 20], Stored::U8, false, Some((0.1, -1.0)));
        assert_eq!(converted.voxels, [(10.0_f64 * 0.1 - 1.0) as f32, (20.0_f64 * 0.1 - 1.0) as f32]);
    }

    #[test]
    fn what_single_precision_cannot_hold_is_counted() {
        let integers: Vec<u8> = [16_777_217_i32, 5].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(read(&integers, Stored::I32, false, None).rounded, 1);
        let wide = [i64::MAX, i64::MIN, (1 << 53) + 1, -(1 << 60), (1 << 60) + 1];
        let bytes: Vec<u8> = wide.iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(read(&bytes, Stored::I64, false, None).rounded, 3);
        assert_eq!(read(&u64::MAX.to_le_bytes(), Stored::U64, false, None).rounded, 1);
        assert_eq!(read(&(1_u64 << 63).to_le_bytes(), Stored::U64, false, None).rounded, 0);
        let doubles: Vec<u8> = [1e300_f64, f64::INFINITY].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(read(&doubles, Stored::F64, false, None).overflowed, 1);
    }

    #[test]
    fn halves_are_rounded_to_even_and_what_is_lost_is_counted() {
        let encoded = from_f32(&[0.5, 1.5, 2.5, 300.0, -1.0, f32::NAN], Stored::U8, None);
        assert_eq!(encoded.bytes, [0, 2, 2, 255, 0, 0]);
        assert_eq!((encoded.changed, encoded.outside, encoded.not_finite), (3, 2, 1));
        assert_eq!(encoded.largest_error, 0.5);
    }

    #[test]
    fn the_ends_of_64_bits_are_told_from_what_lies_beyond() {
        let ends = [9_223_372_036_854_775_808.0, -9_223_372_036_854_775_808.0];
        let held = from_f32(&ends, Stored::I64, None);
        assert_eq!(held.bytes, [i64::MAX, i64::MIN].map(i64::to_le_bytes).concat());
        assert_eq!(held.outside, 1);
        let beyond = from_f32(&[f32::INFINITY, -1.0, f32::NAN], Stored::U64, None);
        assert_eq!(beyond.bytes, [u64::MAX, 0, 0].map(u64::to_le_bytes).concat());
        let beyond = from_f32(&[-200.0, 200.0, -7.0], Stored::I8, None);
        assert_eq!(beyond.bytes, [-128_i8, 127, -7].map(i8::to_le_bytes).concat());
        assert_eq!(from_f32(&[18_446_744_073_709_551_616.0], Stored::U64, None).outside, 1);
    }

    #[test]
    fn trailing_bytes_make_no_voxel() {
        assert_eq!(read(&[1, 2, 3], Stored::U16, false, None).voxels.len(), 1);
        assert!(read(&[], Stored::F64, true, None).voxels.is_empty());
    }
}
