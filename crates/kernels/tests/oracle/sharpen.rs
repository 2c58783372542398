//! Histogram sharpening against its definition with plain sums, and the window that fills the histogram.

use proptest::prelude::*;
use std::f64::consts::{LN_2, PI};
use voxnorm_kernels::sharpen::{Scale, Sharpening, add_triangular, interpolate};

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
    let got = Sharpening::new(counts.len(), width, noise).expected(counts, Scale::new(low, slope));
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

#[test]
fn interpolation_ends_with_the_table() {
    let scale = Scale::new(10.0, 2.0);
    for (value, expected) in [
        (9.0, 5.0),
        (f64::NEG_INFINITY, 5.0),
        (10.0, 5.0),
        (11.0, 6.0),
        (14.0, 9.0),
        (99.0, 9.0),
        (f64::INFINITY, 9.0),
    ] {
        assert_eq!(interpolate(&[5.0, 7.0, 9.0], scale, value), expected, "{value}");
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_window_keeps_count_and_centre(bins in 2_usize..300, at in 0.0..1.0, count in 0.0..1e6) {
        let (low, slope) = (3.0, 0.25);
        let value = low + slope * at * (bins - 1) as f64;
        let mut histogram = vec![0.0; bins];
        add_triangular(&mut histogram, Scale::new(low, slope), value, count);
        let total: f64 = histogram.iter().sum();
        let centre: f64 = histogram.iter().enumerate().map(|(i, n)| (low + slope * i as f64) * n).sum();
        prop_assert!((total - count).abs() <= 1e-12 * count);
        prop_assert!((centre - value * count).abs() <= 1e-11 * (value * count));
        prop_assert!(histogram.iter().filter(|n| **n != 0.0).count() <= 2);
    }

    #[test]
    fn values_beyond_go_to_the_end_bins(bins in 2_usize..300, beyond in 0.0..1e9_f64) {
        let scale = Scale::new(0.0, 1.0);
        let mut histogram = vec![0.0; bins];
        add_triangular(&mut histogram, scale, -beyond, 1.0);
        add_triangular(&mut histogram, scale, (bins - 1) as f64 + beyond, 2.0);
        prop_assert_eq!((histogram[0], histogram[bins - 1]), (1.0, 2.0));
    }
}
