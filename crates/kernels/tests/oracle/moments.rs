//! Mean and spread against two passes in `f64`.

use crate::runs::{LENGTHS, any_image, bytes_of, chosen, config, everywhere, mask, selections, values};
use proptest::prelude::*;
use voxnorm_kernels::moments::{Moments, moments};
use voxnorm_kernels::select::{Select, Values};

fn bits(moments: &Moments) -> Vec<u64> {
    vec![moments.count as u64, moments.mean.to_bits(), moments.squares.to_bits()]
}

fn of(voxels: &[f32], select: Select) -> Moments {
    everywhere(|run| moments(voxels, select, run).unwrap(), bits)
}

/// Two passes: the mean, then the deviations from it.
fn oracle(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|value| (value - mean) * (value - mean)).sum())
}

fn expect_alike(voxels: &[f32], select: Select) {
    let (got, values) = (of(voxels, select), chosen(voxels, select));
    assert_eq!(got.count, values.len());
    let (mean, squares) = oracle(&values);
    if values.iter().all(|value| value.is_finite()) && !values.is_empty() {
        let scale = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        assert!((got.mean - mean).abs() <= 1e-12 * scale, "{got:?} {mean}");
        assert!((got.squares - squares).abs() <= 1e-11 * squares, "{got:?} {squares}");
    } else {
        assert!(got.mean.is_nan() && got.squares.is_nan(), "{got:?}");
    }
}

#[test]
fn every_length_and_choice() {
    for length in LENGTHS {
        let (voxels, mask) = (values(length), mask(length));
        for select in selections(&mask, &bytes_of(&mask)) {
            expect_alike(&voxels, select);
        }
    }
}

#[test]
fn a_constant_image_has_no_spread_and_its_own_mean() {
    for length in LENGTHS.into_iter().filter(|length| *length > 0) {
        for value in [0.1_f32, -1e30, 3.0, f32::from_bits(1)] {
            let got = of(&vec![value; length], Select::All);
            assert_eq!((got.count, got.mean, got.squares), (length, f64::from(value), 0.0));
        }
    }
}

#[test]
fn a_large_mean_costs_no_digits() {
    // Neighbours of 16,777,215 are 1 apart: 0 … 9 on top of a mean whose square exceeds their spread 10^13 times.
    let voxels: Vec<f32> = (0..100_000).map(|i| 16_777_200.0 + (i % 10) as f32).collect();
    let got = of(&voxels, Select::All);
    // One unit in the last place.
    assert!((got.mean - 16_777_204.5).abs() <= 3.8e-9, "{}", got.mean);
    assert!((got.variance(0) - 8.25).abs() < 1e-11, "{}", got.variance(0));
}

#[test]
fn what_is_not_finite_counts_only_where_chosen() {
    let mut voxels = values(5000);
    let mut mask = mask(5000);
    for (bad, at) in [(f32::NAN, 700), (f32::INFINITY, 701), (f32::NEG_INFINITY, 4999)] {
        let (kept, was) = (voxels[at], mask[at]);
        (voxels[at], mask[at]) = (bad, 0.0);
        let got = of(&voxels, Select::Other(Values::Floats(&mask), 0.0));
        assert!(got.mean.is_finite() && got.squares.is_finite());
        mask[at] = 1.0;
        let got = of(&voxels, Select::Other(Values::Floats(&mask), 0.0));
        assert!(got.mean.is_nan() && got.squares.is_nan() && got.variance(0).is_nan());
        (voxels[at], mask[at]) = (kept, was);
    }
}

#[test]
fn variance_has_its_degrees_of_freedom() {
    // 1 … 4: squares 5.
    let four = of(&[1.0, 2.0, 3.0, 4.0], Select::All);
    assert_eq!((four.variance(0), four.variance(1)), (1.25, 5.0 / 3.0));
    let one = of(&[7.0], Select::All);
    assert!(one.variance(0) == 0.0 && one.variance(1).is_nan());
    assert!(of(&[], Select::All).variance(0).is_nan());
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn any_voxels((voxels, mask) in any_image()) {
        for select in selections(&mask, &bytes_of(&mask)) {
            expect_alike(&voxels, select);
        }
    }
}
