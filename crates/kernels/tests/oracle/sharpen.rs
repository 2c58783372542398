//! Histogram sharpening against its definition with plain sums, and the window that fills the histogram.

use proptest::prelude::*;
use std::f64::consts::{LN_2, PI};
use voxnorm_kernels::level::Level;
use voxnorm_kernels::sharpen::{Places, Scale, Sharpening};

use crate::runs::config;

/// E(u) of every bin, and the denominator it has: circular convolutions and cosine sums, nothing transformed.
fn oracle(counts: &[f64], low: f64, slope: f64, width: f64, noise: f64) -> Vec<(f64, f64)> {
    let bins = counts.len();
    let n = 2 * bins.next_power_of_two();
    let offset = (n - bins) / 2;
    let cosine = |k: usize| (2.0 * PI * (k % n) as f64 / n as f64).cos();
    // Of an even sequence.
    let transform = |x: &[f64]| -> Vec<f64> {
        (0..n).map(|k| x.iter().enumerate().map(|(i, v)| v * cosine(i * k)).sum()).collect()
    };
    let convolve = |a: &[f64], b: &[f64]| -> Vec<f64> {
        (0..n).map(|i| (0..n).map(|j| a[j] * b[(i + n - j) % n]).sum()).collect()
    };
    let w = width / slope;
    let gaussian: Vec<f64> = (0..n)
        .map(|i| {
            let d = i.min(n - i) as f64;
            2.0 * (LN_2 / PI).sqrt() / w * (-4.0 * LN_2 * d * d / (w * w)).exp()
        })
        .collect();
    let gain: Vec<f64> = transform(&gaussian).iter().map(|f| f / (f * f + noise)).collect();
    let wiener: Vec<f64> = transform(&gain).iter().map(|v| v / n as f64).collect();
    let mut padded = vec![0.0; n];
    padded[offset..offset + bins].copy_from_slice(counts);
    let sharp: Vec<f64> = convolve(&padded, &wiener).into_iter().map(|v| v.max(0.0)).collect();
    let values: Vec<f64> =
        sharp.iter().enumerate().map(|(i, u)| (low + (i as f64 - offset as f64) * slope) * u).collect();
    let (above, below) = (convolve(&values, &gaussian), convolve(&sharp, &gaussian));
    (offset..offset + bins).map(|i| (above[i] / below[i], below[i])).collect()
}

fn expect_alike(counts: &[f64], low: f64, slope: f64, width: f64, noise: f64) {
    let sharpening = Sharpening::new(counts.len(), width, noise);
    let got = everywhere(|level| sharpening.expected(level, counts, Scale { low, slope }));
    assert_eq!(got.len(), counts.len());
    let expected = oracle(counts, low, slope, width, noise);
    let most = expected.iter().fold(0.0_f64, |most, (_, below)| most.max(*below));
    let range = slope * counts.len() as f64;
    for (got, (expected, below)) in got.iter().zip(&expected) {
        // A quotient of two sums that nearly vanish is rounding noise in either.
        if *below > 1e-4 * most {
            let difference = (got - expected).abs();
            assert!(difference < 1e-8 * (range + low.abs()), "{} bins: {got} {expected}", counts.len());
        }
    }
}

#[test]
fn every_number_of_bins() {
    for bins in [2, 3, 4, 5, 15, 16, 17, 31, 32, 33, 63, 64, 65] {
        let counts: Vec<f64> = (0..bins).map(|i| ((i * 7) % 13) as f64).collect();
        expect_alike(&counts, -2.0, 0.05, 0.15, 0.01);
    }
}

#[test]
fn widths_and_noise_from_little_to_much() {
    let counts: Vec<f64> = (0..40).map(|i| ((i * 11) % 17) as f64).collect();
    for width in [0.5, 1.0, 3.0, 10.0] {
        for noise in [1e-4, 0.01, 0.1, 10.0] {
            expect_alike(&counts, 4.0, 0.1, width * 0.1, noise);
        }
    }
}

#[test]
fn all_in_one_bin() {
    for bins in [2, 17, 64] {
        for filled in [0, bins / 2, bins - 1] {
            let mut counts = vec![0.0; bins];
            counts[filled] = 1000.0;
            expect_alike(&counts, 1.0, 0.1, 0.15, 0.01);
        }
    }
}

/// The one result of `work` on every instruction set.
fn everywhere<R: PartialEq + std::fmt::Debug>(work: impl Fn(Level) -> R) -> R {
    let first = work(Level::best());
    for name in Level::supported() {
        assert_eq!(work(Level::named(name).unwrap()), first, "{name}");
    }
    first
}

#[test]
fn a_residual_is_the_value_less_the_line_between_two_bins() {
    let (low, slope, high) = (10.0, 2.0, 14.0);
    let table = [5.0, 7.0, 9.5];
    for count in [0, 1, 7, 15, 16, 17, 100] {
        let (first, step) = (9.0, 0.3);
        let got = everywhere(|level| {
            let mut residuals = vec![f32::NAN; count];
            Places::new(level, Scale { low, slope }, first, step, high, count)
                .residuals(&table, &mut residuals);
            residuals
        });
        for (i, got) in got.iter().enumerate() {
            let value = (first + i as f64 * step).clamp(low, high);
            let bin = ((value - low) / slope).floor();
            let lower = table[bin as usize];
            let upper = table[(bin as usize + 1).min(2)];
            let expected = value - (lower + (upper - lower) * ((value - low) / slope - bin));
            assert!((f64::from(*got) - expected).abs() < 1e-6, "{value}: {got} {expected}");
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_window_keeps_count_and_centre(
        bins in 2_usize..300,
        at in 0.0..1.0,
        step in 0.0..0.1,
        counts in prop::collection::vec(0_u32..1_000_000, 1..40),
    ) {
        let (low, slope) = (3.0, 0.25);
        let high = low + slope * (bins - 1) as f64;
        let (first, step) = (low + at * (high - low), step * slope);
        let count = counts.len();
        let histogram = everywhere(|level| {
            Places::new(level, Scale { low, slope }, first, step, high, count).histogram(&counts, bins)
        });
        let value = |i: usize| (first + i as f64 * step).min(high);
        let expected: f64 = counts.iter().enumerate().map(|(i, n)| value(i) * f64::from(*n)).sum();
        let total: f64 = histogram.iter().sum();
        let centre: f64 = histogram.iter().enumerate().map(|(i, n)| (low + slope * i as f64) * n).sum();
        let all: f64 = counts.iter().map(|n| f64::from(*n)).sum();
        prop_assert!((total - all).abs() <= 1e-12 * all);
        prop_assert!((centre - expected).abs() <= 1e-11 * expected);
    }

    #[test]
    fn values_beyond_go_to_the_end_bins(bins in 2_usize..300, beyond in 1e-3..1e9_f64) {
        let last = (bins - 1) as f64;
        let scale = Scale { low: 0.0, slope: 1.0 };
        let step = last + 2.0 * beyond;
        let places = Places::new(Level::best(), scale, -beyond, step, last, 2);
        let histogram = places.histogram(&[1, 2], bins);
        prop_assert_eq!((histogram[0], histogram[bins - 1]), (1.0, 2.0));
    }
}
