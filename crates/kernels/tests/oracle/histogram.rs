//! Range, histograms and Otsu's threshold against their definitions.

use crate::runs::{LENGTHS, any_image, bytes_of, chosen, config, everywhere, mask, selections, values};
use proptest::prelude::*;
use voxnorm_kernels::distinct::distinct;
use voxnorm_kernels::histogram::{
    Bins, Histogram, Range, histogram, histogram_of_counts, otsu, range, weighted_histogram,
};
use voxnorm_kernels::level::Level;
use voxnorm_kernels::parallel::Pool;
use voxnorm_kernels::run::{Cancelled, Run};
use voxnorm_kernels::select::Select;

fn expect_range(voxels: &[f32], select: Select) {
    let bits = |range: &Range| {
        vec![range.low.to_bits().into(), range.high.to_bits().into(), range.not_finite as u64]
    };
    let got = everywhere(|run| range(voxels, select, run).unwrap(), bits);
    let values = chosen(voxels, select);
    let finite = || values.iter().filter(|value| value.is_finite());
    // The definition's comparison is by value, where -0 is 0; ours is always told as 0.
    let low = finite().fold(f64::INFINITY, |low, &value| if value < low { value } else { low }) + 0.0;
    let high = finite().fold(f64::NEG_INFINITY, |high, &value| if value > high { value } else { high }) + 0.0;
    assert_eq!(
        (f64::from(got.low).to_bits(), f64::from(got.high).to_bits()),
        (low.to_bits(), high.to_bits())
    );
    assert_eq!(got.not_finite, values.len() - finite().count());
}

/// Adds `weights` up by the definition of the bins: one comparison with each edge.
fn oracle(values: &[f64], weights: &[f64], low: f64, high: f64, count: usize) -> Histogram<f64> {
    let mut into = Histogram { bins: vec![0.0; count], below: 0.0, above: 0.0, nan: 0.0 };
    for (value, weight) in values.iter().zip(weights) {
        let place = match value {
            value if value.is_nan() => &mut into.nan,
            value if *value < low => &mut into.below,
            value if *value > high => &mut into.above,
            value => {
                let rate = count as f64 / (high - low);
                let begins = |bin: usize| (value - low) * rate >= bin as f64;
                &mut into.bins[(1..count).take_while(|bin| begins(*bin)).count()]
            }
        };
        *place += weight;
    }
    into
}

fn expect_counts(voxels: &[f32], select: Select, low: f64, high: f64, count: usize) {
    let bins = Bins::new(low, high, count).unwrap();
    let bits = |h: &Histogram<u64>| [&h.bins[..], &[h.below, h.above, h.nan]].concat();
    let got = everywhere(|run| histogram(voxels, select, bins, run).unwrap(), bits);
    let values = chosen(voxels, select);
    let expected = oracle(&values, &vec![1.0; values.len()], low, high, count);
    let as_floats: Vec<f64> = bits(&got).into_iter().map(|count| count as f64).collect();
    assert_eq!(as_floats, [&expected.bins[..], &[expected.below, expected.above, expected.nan]].concat());
}

#[test]
fn counts_fall_where_their_voxels_do() {
    let run = Run { level: Level::best(), pool: Pool::new(1).unwrap(), cancelled: &|| false };
    let voxels: Vec<f32> = (0..5000).map(|i| (i * 7919 % 300) as f32 - 40.0).collect();
    let counts = distinct(&voxels, Select::All, 1000, &run).unwrap().unwrap();
    for (low, high, count) in [(-40.0, 259.0, 300), (0.0, 100.0, 7), (-100.0, 1.5, 64)] {
        let bins = Bins::new(low, high, count).unwrap();
        let expected = histogram(&voxels, Select::All, bins, &run).unwrap();
        assert_eq!(histogram_of_counts(&counts, bins), expected);
    }
}

fn expect_sums(voxels: &[f32], weights: &[f32], low: f64, high: f64, count: usize) {
    let bins = Bins::new(low, high, count).unwrap();
    let all = |h: &Histogram<f64>| [&h.bins[..], &[h.below, h.above, h.nan]].concat();
    let bits = |h: &Histogram<f64>| all(h).iter().map(|sum| sum.to_bits()).collect();
    let got = everywhere(|run| weighted_histogram(voxels, weights, bins, run).unwrap(), bits);
    let [values, weights] =
        [voxels, weights].map(|all| all.iter().map(|v| f64::from(*v)).collect::<Vec<_>>());
    let expected = oracle(&values, &weights, low, high, count);
    for (got, expected) in all(&got).iter().zip(all(&expected)) {
        assert!((got - expected).abs() <= 1e-12 * expected.abs(), "{got} {expected}");
    }
}

#[test]
fn every_length_and_choice() {
    for length in LENGTHS {
        let (mut voxels, mask) = (values(length), mask(length));
        for (value, step) in [(f32::NAN, 97), (f32::INFINITY, 89), (f32::NEG_INFINITY, 83), (-0.0, 11)] {
            voxels.iter_mut().skip(step).step_by(step).for_each(|voxel| *voxel = value);
        }
        for select in selections(&mask, &bytes_of(&mask)) {
            expect_range(&voxels, select);
            expect_counts(&voxels, select, -20.0, 90.0, 7);
        }
        let weights: Vec<f32> = voxels.iter().enumerate().map(|(i, _)| (i % 9) as f32 * 0.3).collect();
        expect_sums(&voxels, &weights, -20.0, 90.0, 7);
    }
}

#[test]
fn a_range_has_no_negative_zero() {
    for voxels in [&[-0.0][..], &[-0.0, 0.0], &[0.0, -0.0], &[-0.0, 5.0], &[-5.0, -0.0]] {
        expect_range(voxels, Select::All);
    }
}

/// Long enough for whole blocks in each chunk, so that no value is told apart by itself.
#[test]
fn a_range_of_either_sign() {
    let any = values(1 << 17);
    let signs: [fn(f32) -> f32; 5] = [f32::abs, |v| -v.abs(), |v| v - 1e30, |v| v, |v| v * 0.0];
    for (sign, odd) in
        signs.iter().flat_map(|sign| [None, Some(f32::INFINITY), Some(-f32::NAN)].map(|odd| (sign, odd)))
    {
        let mut voxels: Vec<f32> = any.iter().map(|v| sign(*v)).collect();
        voxels[70_000] = odd.unwrap_or(voxels[70_000]);
        expect_range(&voxels, Select::All);
    }
}

#[test]
fn every_number_of_bins() {
    let voxels = values(3000);
    for count in [1, 2, 3, 15, 16, 17, 255, 256, 1000] {
        expect_counts(&voxels, Select::All, -40.0, 140.0, count);
        expect_sums(&voxels, &mask(3000), -40.0, 140.0, count);
    }
}

#[test]
fn an_edge_opens_its_bin_and_the_last_bin_holds_its_end() {
    let voxels = [0.0, 1.0, 2.0, 2.999_999_8, 3.0, 4.0, -f32::from_bits(1), 4.000_000_5];
    let bins = Bins::new(0.0, 4.0, 4).unwrap();
    let run = Run { level: Level::best(), pool: Pool::new(1).unwrap(), cancelled: &|| false };
    let got = histogram(&voxels, Select::All, bins, &run).unwrap();
    assert_eq!(got, Histogram { bins: vec![1, 1, 2, 2], below: 1, above: 1, nan: 0 });
    assert_eq!(
        ((0..=4).map(|bin| bins.edge(bin)).collect::<Vec<_>>(), bins.centre(2)),
        (vec![0., 1., 2., 3., 4.], 2.5)
    );
}

#[test]
fn a_constant_image_fills_one_bin() {
    for length in LENGTHS {
        let voxels = vec![3.0; length];
        expect_range(&voxels, Select::All);
        expect_counts(&voxels, Select::All, 0.0, 10.0, 10);
        expect_sums(&voxels, &voxels, 0.0, 10.0, 10);
    }
}

#[test]
fn a_weight_that_is_nan_shows_in_its_bin_alone() {
    let bins = Bins::new(0.0, 4.0, 4).unwrap();
    let bits = |h: &Histogram<f64>| h.bins.iter().map(|sum| sum.to_bits()).collect();
    let of = |run: &Run| weighted_histogram(&[0.5, 1.5, 2.5], &[1.0, f32::NAN, 2.0], bins, run).unwrap();
    let got = everywhere(of, bits);
    assert!(got.bins[1].is_nan());
    assert_eq!((got.bins[0], got.bins[2], got.bins[3]), (1.0, 2.0, 0.0));
}

#[test]
fn bins_need_a_range_and_a_number() {
    for (low, high, count) in [
        (1.0, 1.0, 4),
        (2.0, 1.0, 4),
        (f64::NAN, 1.0, 4),
        (0.0, f64::INFINITY, 4),
        (f64::MIN, f64::MAX, 4),
        (0.0, 1.0, 0),
        (0.0, 1.0, (1 << 24) + 1),
    ] {
        assert!(Bins::new(low, high, count).is_none(), "{low} {high} {count}");
    }
}

#[test]
fn a_cancelled_pass_gives_nothing() {
    let run = Run { level: Level::best(), pool: Pool::new(1).unwrap(), cancelled: &|| true };
    let bins = Bins::new(0.0, 4.0, 4).unwrap();
    assert_eq!(range(&[1.0], Select::All, &run), Err(Cancelled));
    assert_eq!(histogram(&[1.0], Select::All, bins, &run), Err(Cancelled));
    assert_eq!(weighted_histogram(&[1.0], &[1.0], bins, &run), Err(Cancelled));
}

/// The first cut of the largest variance between classes, in integers: the voxels of each cut are listed, then summed.
fn otsu_oracle(counts: &[u64]) -> Option<usize> {
    let bins: Vec<i128> = counts.iter().map(|&n| i128::from(n)).collect();
    let sums = |bins: &[i128], from: i128| {
        let weighted = bins.iter().enumerate().map(|(i, n)| (from + i as i128) * n);
        (bins.iter().sum::<i128>(), weighted.sum::<i128>())
    };
    let mut best: Option<(usize, i128, i128)> = None;
    for cut in 0..bins.len() {
        let (n0, s0) = sums(&bins[..=cut], 0);
        let (n1, s1) = sums(&bins[cut + 1..], cut as i128 + 1);
        // n0 n1 (s0/n0 - s1/n1)² = (s0 n1 - s1 n0)² / (n0 n1), compared as fractions.
        let (top, bottom) = ((s0 * n1 - s1 * n0).pow(2), n0 * n1);
        if bottom > 0 && best.is_none_or(|(_, t, b)| top * b > t * bottom) {
            best = Some((cut, top, bottom));
        }
    }
    best.map(|(cut, ..)| cut)
}

#[test]
fn otsu_cuts_between_two_classes() {
    for counts in [
        &[][..],
        &[5],
        &[0, 7, 0],
        &[1, 1],
        &[3, 0, 0, 3],
        &[5, 9, 4, 0, 0, 3, 8, 2],
        &[1, 0, 0, 0, 0, 1_000_000],
        &[2, 2, 2, 2],
    ] {
        assert_eq!(otsu(counts, |bin| bin as f64), otsu_oracle(counts), "{counts:?}");
    }
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn any_voxels((voxels, mask) in any_image(), low in -120.0..50.0, width in 1e-3..200.0, count in 1_usize..40) {
        for select in selections(&mask, &bytes_of(&mask)) {
            expect_range(&voxels, select);
            expect_counts(&voxels, select, low, low + width, count);
        }
        expect_sums(&voxels, &mask, low, low + width, count);
    }

    #[test]
    fn any_counts(counts in proptest::collection::vec(0_u64..1000, 0..40)) {
        // Seeded: none of these has two best cuts that only rounding tells apart.
        prop_assert_eq!(otsu(&counts, |bin| bin as f64), otsu_oracle(&counts));
    }
}
