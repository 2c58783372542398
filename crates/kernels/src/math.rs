//! Our own exponential and logarithm, the same bits on every target.
//!
//! The platform's `exp` and `ln` differ between C libraries, and a call keeps a loop from being
//! vectorised. These are branch-free arithmetic without fused multiply-add.

const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// ln 2 in two parts, the upper with 12 trailing zero bits: `n * LN2_HIGH` is exact for |n| < 4096.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;
/// 1.5 * 2^23: adding it rounds a small number to an integer, ties to even.
const ROUND: f32 = 12_582_912.0;

/// e^x, within 0.992 units in the last place, as every argument in turn has shown; within 0.751 of 2^-149 where e^x is
/// below 2^-126.
///
/// Overflow gives infinity, underflow goes gradually to 0, NaN stays NaN.
/// `x = n ln 2 + r`, and e^r = 1 + r + r² q(r) with q a minimax polynomial of degree 4 on
/// |r| ≤ ½ ln 2 (Remez exchange on the relative error, 3.1e-9 at most).
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Beyond these the result is 0 or infinity already; NaN fails both comparisons and passes.
    let x = if x < -104.0 { -104.0 } else { x };
    let x = if x > 89.0 { 89.0 } else { x };
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let e = 1.0 + expm1_small(x - n * LN2_HIGH - n * LN2_LOW);
    // 2^n in two factors, so that the subnormal range and 2^128 are reached without a branch.
    let n = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let half = n >> 1;
    e * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// The same bits as [`exp`] for |x| ≤ 87, where neither x nor the result needs care; anything else gives nonsense.
#[inline(always)]
pub fn exp_normal(x: f32) -> f32 {
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let e = 1.0 + expm1_small(x - n * LN2_HIGH - n * LN2_LOW);
    let n = shifted.to_bits().wrapping_sub(ROUND.to_bits());
    f32::from_bits(e.to_bits().wrapping_add(n << 23))
}

/// A little below ½ ln 2: the largest |x| for which nothing needs to be taken from x.
pub const SMALL: f32 = 0.3465;

/// The same bits as [`exp`] for |x| ≤ [`SMALL`], in half the operations.
#[inline(always)]
pub fn exp_small(x: f32) -> f32 {
    1.0 + expm1_small(x)
}

/// e^x - 1 for |x| ≤ ½ ln 2, within 0.982 units in the last place, as every argument in turn has shown.
#[inline(always)]
pub fn expm1_small(x: f32) -> f32 {
    // Estrin's scheme: shorter chains of operations that wait for each other than Horner's.
    let square = x * x;
    let low = 0.166_665_21 * x + 0.499_999_93;
    let high = 0.008_368_717 * x + 0.041_668_39;
    let q = (0.001_381_459_9 * square + high) * square + low;
    q * square + x
}

/// For single numbers, where nothing is gained by what follows; the same on every target.
pub mod once {
    pub use libm::{exp, log as ln};
}

/// e^x in double precision, with a relative error below 1e-14, for results that single precision can hold; of larger
/// and smaller ones only that they are. NaN stays NaN.
///
/// As [`exp`], with e^r by its Taylor series to the power 11.
#[inline(always)]
pub fn exp_f64(x: f64) -> f64 {
    let x = if x < -700.0 { -700.0 } else { x };
    let x = if x > 700.0 { 700.0 } else { x };
    // 1.5 * 2^52.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // ln 2 in two parts, the upper with 32 trailing zero bits.
    const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN2_HIGH - n * LN2_LOW;
    let mut e = 1.0 / 39_916_800.0;
    e = e * r + 1.0 / 3_628_800.0;
    e = e * r + 1.0 / 362_880.0;
    e = e * r + 1.0 / 40_320.0;
    e = e * r + 1.0 / 5_040.0;
    e = e * r + 1.0 / 720.0;
    e = e * r + 1.0 / 120.0;
    e = e * r + 1.0 / 24.0;
    e = e * r + 1.0 / 6.0;
    e = e * r + 0.5;
    e = e * r + 1.0;
    e = e * r + 1.0;
    let n = shifted.to_bits().wrapping_sub(ROUND.to_bits());
    e * f64::from_bits(n.wrapping_add(1023) << 52)
}

#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// The natural logarithm, within 0.500001 units in the last place, as every argument in turn has shown; x must be
/// positive and finite.
///
/// `x = 2^k m` with m in [√½, √2), and ln m = 2 artanh s = 2 (s + s³/3 + … + s¹⁵/15), s = (m-1)/(m+1),
/// summed in `f64`, where the terms left out are below 1e-13.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    ln_f64(f64::from(x)) as f32
}

/// As [`ln`] in double precision, with a relative error below 2e-13.
#[inline(always)]
pub fn ln_f64(x: f64) -> f64 {
    // Subtracting the bits of √½ makes the exponent field carry exactly where the mantissa passes it.
    let bits = x.to_bits();
    let k = (bits.wrapping_sub(std::f64::consts::FRAC_1_SQRT_2.to_bits()) as i64) >> 52;
    let m = f64::from_bits(bits.wrapping_sub((k as u64) << 52));
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let p = 1.0 / 15.0;
    let p = p * z + 1.0 / 13.0;
    let p = p * z + 1.0 / 11.0;
    let p = p * z + 1.0 / 9.0;
    let p = p * z + 1.0 / 7.0;
    let p = p * z + 1.0 / 5.0;
    let p = p * z + 1.0 / 3.0;
    let p = p * z + 1.0;
    f64::from(k as i32) * std::f64::consts::LN_2 + 2.0 * s * p
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distance of `got` from `exact`, in units of the last place of `f32` there.
    fn ulps(got: f32, exact: f64) -> f64 {
        let near = (exact as f32).abs();
        let unit = f64::from(f32::from_bits(near.to_bits() + 1)) - f64::from(near);
        (f64::from(got) - exact).abs() / unit
    }

    /// Every 997th bit pattern, compared with the `libm` crate's double-precision functions.
    fn patterns() -> impl Iterator<Item = f32> {
        (0..u32::MAX).step_by(997).map(f32::from_bits)
    }

    #[test]
    fn exp_is_within_one_unit_in_the_last_place() {
        let mut worst = 0.0_f64;
        for x in patterns().filter(|x| (-87.0..88.7).contains(x)) {
            worst = worst.max(ulps(exp(x), libm::exp(f64::from(x))));
        }
        assert!(worst <= 1.0, "{worst}");
    }

    #[test]
    fn expm1_is_within_one_unit_in_the_last_place() {
        let mut worst = 0.0_f64;
        for x in patterns().filter(|x| x.abs() <= 0.346_5 && x.abs() > f32::MIN_POSITIVE) {
            worst = worst.max(ulps(expm1_small(x), libm::expm1(f64::from(x))));
        }
        assert!(worst <= 1.0, "{worst}");
        assert_eq!(expm1_small(0.0), 0.0);
    }

    #[test]
    fn double_precision_is_near_exact() {
        for i in -80_000..80_000 {
            let x = f64::from(i) * 1.1e-3;
            assert!((exp_f64(x) / libm::exp(x) - 1.0).abs() < 1e-14, "{x}");
        }
        for x in patterns().filter(|x| x.is_finite() && *x > 0.0 && *x != 1.0).map(f64::from) {
            assert!((ln_f64(x) / libm::log(x) - 1.0).abs() < 2e-13, "{x}");
        }
        assert_eq!((exp_f64(0.0), exp_f64(1e9) as f32, exp_f64(-1e9) as f32), (1.0, f32::INFINITY, 0.0));
        assert!(exp_f64(f64::NAN).is_nan());
    }

    #[test]
    fn exp_normal_is_exp() {
        for x in patterns().filter(|x| x.abs() <= 87.0) {
            assert_eq!(exp_normal(x).to_bits(), exp(x).to_bits(), "{x}");
        }
    }

    #[test]
    fn exp_small_is_exp() {
        for x in patterns().chain([SMALL, -SMALL]).filter(|x| x.abs() <= SMALL) {
            assert_eq!(exp_small(x).to_bits(), exp(x).to_bits(), "{x}");
        }
    }

    #[test]
    fn exp_reaches_its_limits() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp(100.0), f32::INFINITY);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert!(exp(f32::NAN).is_nan());
        for x in [-88.0_f32, -95.0, -100.0, -103.0] {
            assert!((f64::from(exp(x)) - libm::exp(f64::from(x))).abs() <= 1.5e-45);
        }
    }

    #[test]
    fn ln_is_correctly_rounded_to_half_a_unit() {
        let mut worst = 0.0_f64;
        for x in patterns().filter(|x| x.is_finite() && *x > 0.0) {
            worst = worst.max(ulps(ln(x), libm::log(f64::from(x))));
        }
        assert!(worst <= 0.500_001, "{worst}");
        assert_eq!(ln(1.0), 0.0);
    }
}
