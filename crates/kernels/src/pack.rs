//! Chosen lanes side by side: gaps closed, and opened again.
//!
//! Values only move, so every instruction set gives the same bits.

use crate::moments::LANES;
use crate::select::BLOCK;

/// How an instruction set moves lanes. [`at_levels!`](crate::at_levels) gives a kernel the one of its level.
pub trait Pack {
    /// The four values that begin at the bytes that `order` names, 0 where it names none (128).
    #[doc(hidden)]
    fn shuffled(from: &[f32; 4], order: &[u8; 16]) -> [f32; 4];

    /// The bits of the lanes that are at most `limit`, which NaN is not.
    fn at_most(values: &[f32; LANES], limit: f32) -> u16;

    /// Puts the lanes whose bit is set in `mask` side by side. What is behind them in `to` may be overwritten.
    #[inline(always)]
    fn pack(from: &[f32; LANES], mask: u16, to: &mut [f32; LANES]) {
        for (part, from) in from.as_chunks().0.iter().enumerate() {
            let (chosen, at) = part_of(mask, part);
            to[at..at + 4].copy_from_slice(&Self::shuffled(from, &CLOSE[chosen]));
        }
    }

    /// Puts what is side by side into the lanes whose bit is set in `mask`, and 0 into the others.
    #[inline(always)]
    fn unpack(from: &[f32; LANES], mask: u16, to: &mut [f32; LANES]) {
        for (part, to) in to.as_chunks_mut().0.iter_mut().enumerate() {
            let (chosen, at) = part_of(mask, part);
            *to = Self::shuffled(from[at..].first_chunk().expect("four for each part"), &OPEN[chosen]);
        }
    }
}

/// Which of a part's four lanes are chosen, and how many are of the parts before.
#[inline(always)]
fn part_of(mask: u16, part: usize) -> (usize, usize) {
    let before = mask & ((1 << (4 * part)) - 1);
    // At most four of each part, which no compiler knows.
    (usize::from(mask >> (4 * part) & 15), (before.count_ones() as usize).min(4 * part))
}

/// The bits of sixteen flags, each 0 or 1.
#[inline(always)]
pub fn bits(flags: &[u8; LANES]) -> u16 {
    let mut bits = 0;
    for (half, flags) in flags.as_chunks().0.iter().enumerate() {
        // Each flag is moved to a bit of its own in the highest byte, and nothing else gets there.
        let gathered = u64::from_le_bytes(*flags).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= (gathered as u16) << (8 * half);
    }
    bits
}

/// What [`side_by_side`] fills up to: as many values as a word has bits.
pub const GROUP: usize = 64;

/// The `count` chosen values, in `room` where they are not whole groups, filled up to these by NaN, which is neither less
/// nor more than anything.
#[inline(always)]
pub fn side_by_side<'a, L: Pack>(
    values: &'a [f32],
    chosen: &[u8],
    count: usize,
    room: &'a mut [f32; BLOCK + GROUP],
) -> &'a [f32] {
    if count == values.len() && count.is_multiple_of(GROUP) {
        return values;
    }
    let mut at = 0;
    for (values, chosen) in values.as_chunks().0.iter().zip(chosen.as_chunks().0) {
        let mask = bits(chosen);
        // Room for whole lanes is left behind the last of a block.
        L::pack(values, mask, room[at..].first_chunk_mut().expect("lanes beyond the block"));
        at += mask.count_ones() as usize;
    }
    let end = count.next_multiple_of(GROUP);
    room[count..end].fill(f32::NAN);
    &room[..end]
}

/// Of any processor.
pub struct Plain;

impl Pack for Plain {
    #[inline(always)]
    fn shuffled(from: &[f32; 4], order: &[u8; 16]) -> [f32; 4] {
        [0, 4, 8, 12].map(|i| from.get(usize::from(order[i]) / 4).copied().unwrap_or(0.0))
    }

    #[inline(always)]
    fn pack(from: &[f32; LANES], mask: u16, to: &mut [f32; LANES]) {
        let mut at = 0;
        for (lane, value) in from.iter().enumerate() {
            // Never above the lane's own number.
            to[at.min(lane)] = *value;
            at += usize::from(mask >> lane & 1);
        }
    }

    #[inline(always)]
    fn at_most(values: &[f32; LANES], limit: f32) -> u16 {
        bits(&values.map(|value| u8::from(value <= limit)))
    }
}

/// Of x86-64 with SSSE3, a part of SSE4.2.
#[cfg(target_arch = "x86_64")]
pub struct Sse;

#[cfg(target_arch = "x86_64")]
impl Pack for Sse {
    #[inline(always)]
    fn shuffled(from: &[f32; 4], order: &[u8; 16]) -> [f32; 4] {
        use std::arch::x86_64::*;
        // SAFETY: kernels of this instruction set run only where the processor has it; arrays are as long as a register.
        unsafe {
            let from = _mm_loadu_si128(from.as_ptr().cast());
            let order = _mm_loadu_si128(order.as_ptr().cast());
            std::mem::transmute(_mm_shuffle_epi8(from, order))
        }
    }

    #[inline(always)]
    fn at_most(values: &[f32; LANES], limit: f32) -> u16 {
        use std::arch::x86_64::*;
        let values = values.as_chunks::<4>().0;
        // SAFETY: as above.
        unsafe {
            let at_most = |part: usize| {
                _mm_castps_si128(_mm_cmple_ps(_mm_loadu_ps(values[part].as_ptr()), _mm_set1_ps(limit)))
            };
            let halves = [0, 2].map(|part| _mm_packs_epi32(at_most(part), at_most(part + 1)));
            _mm_movemask_epi8(_mm_packs_epi16(halves[0], halves[1])) as u16
        }
    }
}

/// Of x86-64 with AVX2.
#[cfg(target_arch = "x86_64")]
pub struct Avx2;

#[cfg(target_arch = "x86_64")]
impl Pack for Avx2 {
    #[inline(always)]
    fn shuffled(from: &[f32; 4], order: &[u8; 16]) -> [f32; 4] {
        Sse::shuffled(from, order)
    }

    #[inline(always)]
    fn at_most(values: &[f32; LANES], limit: f32) -> u16 {
        use std::arch::x86_64::*;
        let mut mask = 0;
        for (half, values) in values.as_chunks::<8>().0.iter().enumerate() {
            // SAFETY: as above.
            unsafe {
                let at_most =
                    _mm256_cmp_ps::<_CMP_LE_OQ>(_mm256_loadu_ps(values.as_ptr()), _mm256_set1_ps(limit));
                mask |= _mm256_movemask_ps(at_most) << (8 * half);
            }
        }
        mask as u16
    }
}

/// Of x86-64 with AVX-512.
#[cfg(target_arch = "x86_64")]
pub struct Avx512;

#[cfg(target_arch = "x86_64")]
impl Pack for Avx512 {
    #[inline(always)]
    fn shuffled(from: &[f32; 4], order: &[u8; 16]) -> [f32; 4] {
        Sse::shuffled(from, order)
    }

    #[inline(always)]
    fn at_most(values: &[f32; LANES], limit: f32) -> u16 {
        use std::arch::x86_64::*;
        // SAFETY: as above.
        unsafe { _mm512_cmp_ps_mask::<_CMP_LE_OQ>(_mm512_loadu_ps(values.as_ptr()), _mm512_set1_ps(limit)) }
    }

    #[inline(always)]
    fn pack(from: &[f32; LANES], mask: u16, to: &mut [f32; LANES]) {
        use std::arch::x86_64::*;
        // SAFETY: as above. Not the instruction that stores the lanes itself, which takes a hundred times as long.
        unsafe {
            let packed = _mm512_maskz_compress_ps(mask, _mm512_loadu_ps(from.as_ptr()));
            _mm512_storeu_ps(to.as_mut_ptr(), packed);
        }
    }

    #[inline(always)]
    fn unpack(from: &[f32; LANES], mask: u16, to: &mut [f32; LANES]) {
        use std::arch::x86_64::*;
        // SAFETY: as above.
        unsafe {
            let unpacked = _mm512_maskz_expand_ps(mask, _mm512_loadu_ps(from.as_ptr()));
            _mm512_storeu_ps(to.as_mut_ptr(), unpacked);
        }
    }
}

/// Of AArch64, all of whose processors have these instructions.
#[cfg(target_arch = "aarch64")]
pub struct Neon;

#[cfg(target_arch = "aarch64")]
impl Pack for Neon {
    #[inline(always)]
    fn shuffled(from: &[f32; 4], order: &[u8; 16]) -> [f32; 4] {
        use std::arch::aarch64::*;
        // SAFETY: the arrays are as long as a register.
        unsafe {
            let (from, order) = (vld1q_u8(from.as_ptr().cast()), vld1q_u8(order.as_ptr()));
            std::mem::transmute(vqtbl1q_u8(from, order))
        }
    }

    #[inline(always)]
    fn at_most(values: &[f32; LANES], limit: f32) -> u16 {
        bits(&values.map(|value| u8::from(value <= limit)))
    }
}

/// Of WebAssembly with SIMD.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub struct Simd128;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
impl Pack for Simd128 {
    #[inline(always)]
    fn shuffled(from: &[f32; 4], order: &[u8; 16]) -> [f32; 4] {
        use std::arch::wasm32::*;
        // SAFETY: the arrays are as long as a register.
        unsafe {
            let (from, order) = (v128_load(from.as_ptr().cast()), v128_load(order.as_ptr().cast()));
            std::mem::transmute(u8x16_swizzle(from, order))
        }
    }

    #[inline(always)]
    fn at_most(values: &[f32; LANES], limit: f32) -> u16 {
        use std::arch::wasm32::*;
        let values = values.as_chunks::<4>().0;
        // SAFETY: as above.
        let at_most =
            |part: usize| f32x4_le(unsafe { v128_load(values[part].as_ptr().cast()) }, f32x4_splat(limit));
        let halves = [0, 2].map(|part| i16x8_narrow_i32x4(at_most(part), at_most(part + 1)));
        i8x16_bitmask(i8x16_narrow_i16x8(halves[0], halves[1]))
    }
}

/// The one of processors that have no levels.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub type Native = Simd128;
/// The one of processors that have no levels.
#[cfg(target_arch = "aarch64")]
pub type Native = Neon;
/// The one of processors that have no levels.
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
pub type Native = Plain;

const CLOSE: [[u8; 16]; 16] = orders(false);
const OPEN: [[u8; 16]; 16] = orders(true);

/// For each choice among four values where the bytes come from that closing its gaps, or opening them, puts in order.
const fn orders(opens: bool) -> [[u8; 16]; 16] {
    let mut orders = [[128; 16]; 16];
    let mut chosen = 0;
    while chosen < 16 {
        let (mut lane, mut next) = (0, 0);
        while lane < 4 {
            if chosen >> lane & 1 == 1 {
                let (to, from) = if opens { (lane, next) } else { (next, lane) };
                let mut byte = 0;
                while byte < 4 {
                    orders[chosen][4 * to + byte] = (4 * from + byte) as u8;
                    byte += 1;
                }
                next += 1;
            }
            lane += 1;
        }
        chosen += 1;
    }
    orders
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at_levels;
    use crate::level::Level;

    at_levels! {
        fn there<L>(from: &[f32; LANES], mask: u16, to: &mut [f32; LANES]) {
            L::pack(from, mask, to);
        }

        fn few_at_most<L>(values: &[f32; LANES], limit: f32) -> u16 {
            L::at_most(values, limit)
        }

        fn back<L>(from: &[f32; LANES], mask: u16, to: &mut [f32; LANES]) {
            L::unpack(from, mask, to);
        }
    }

    #[test]
    fn every_mask_on_every_level() {
        let lanes: [f32; LANES] = std::array::from_fn(|i| i as f32 + 1.0);
        for name in Level::supported() {
            let level = Level::named(name).unwrap();
            for mask in 0..=u16::MAX {
                let is_chosen = |lane: &usize| mask >> lane & 1 == 1;
                let (mut packed, mut unpacked) = ([f32::NAN; LANES], [f32::NAN; LANES]);
                there(level, &lanes, mask, &mut packed);
                let chosen = (0..LANES).filter(is_chosen).map(|lane| lanes[lane]);
                assert!(
                    chosen.eq(packed[..mask.count_ones() as usize].iter().copied()),
                    "{name} {mask:016b}"
                );
                packed[mask.count_ones() as usize..].fill(f32::NAN);
                back(level, &packed, mask, &mut unpacked);
                let expected = std::array::from_fn(|lane| if is_chosen(&lane) { lanes[lane] } else { 0.0 });
                assert_eq!(unpacked, expected, "{name} {mask:016b}");
                assert_eq!(bits(&std::array::from_fn(|lane| u8::from(is_chosen(&lane)))), mask);
                let few =
                    std::array::from_fn(
                        |lane| if is_chosen(&lane) { -2.5 } else { [f32::NAN, -2.4][lane % 2] },
                    );
                assert_eq!(few_at_most(level, &few, -2.5), mask, "{name}");
            }
        }
    }
}
