//! Exponential and logarithm against mpmath, and their values where arithmetic ends.

use crate::runs::everywhere;
use std::f32::consts::LN_2;
use voxnorm_kernels::at_levels;
use voxnorm_kernels::math::{exp, expm1_small, ln};

at_levels! {
    fn exps(of: &[f32]) -> Vec<f32> { of.iter().map(|x| exp(*x)).collect() }
    fn expm1s(of: &[f32]) -> Vec<f32> { of.iter().map(|x| expm1_small(*x)).collect() }
    fn lns(of: &[f32]) -> Vec<f32> { of.iter().map(|x| ln(*x)).collect() }
}

/// Every NaN is the same.
fn bits(values: &[f32]) -> Vec<u64> {
    values.iter().map(|v| if v.is_nan() { 0 } else { 1 + u64::from(v.to_bits()) }).collect()
}

/// The distance of `got` from `exact` in units of the last place of `f32` there, which are 2^-149 below 2^-126.
fn ulps(got: f32, exact: f64) -> f64 {
    let near = (exact as f32).abs();
    let unit = f64::from(f32::from_bits(near.to_bits() + 1)) - f64::from(near);
    (f64::from(got) - exact).abs() / unit
}

/// The largest error of `function` in the table, which must be that of the arguments known as the worst.
fn worst(name: &str, function: fn(f32) -> f32) -> f64 {
    let lines = include_str!("mpmath_values.csv")
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(','));
    let error = |line: &str| {
        let (argument, exact) = line.split_once(',').unwrap();
        let argument = f32::from_bits(u32::from_str_radix(argument, 16).unwrap());
        ulps(function(argument), exact.parse().unwrap())
    };
    let errors: Vec<f64> = lines.map(error).collect();
    assert!(errors.len() > 250);
    errors.into_iter().fold(0.0, f64::max)
}

#[test]
fn the_worst_errors_are_as_documented() {
    for (name, function, most) in
        [("exp", exp as fn(f32) -> f32, 0.991), ("expm1", expm1_small, 0.982), ("ln", ln, 0.500_001)]
    {
        let worst = worst(name, function);
        // From below as well: the table does hold the worst arguments.
        assert!(worst <= most && worst > most - 0.001, "{name}: {worst}");
    }
}

#[test]
fn every_level_has_the_same_bits() {
    // All magnitudes and signs, NaN and infinities among them.
    let any: Vec<f32> = (0..u32::MAX).step_by(64_997).map(f32::from_bits).collect();
    everywhere(|run| exps(run.level, &any), |values| bits(values));
    let small: Vec<f32> = any.iter().copied().filter(|x| x.abs() <= 0.5 * LN_2).collect();
    everywhere(|run| expm1s(run.level, &small), |values| bits(values));
    let positive: Vec<f32> = any.into_iter().filter(|x| *x > 0.0 && x.is_finite()).collect();
    everywhere(|run| lns(run.level, &positive), |values| bits(values));
}

#[test]
fn exp_where_it_ends() {
    for (x, expected) in [
        (0.0, 1.0),
        (-0.0, 1.0),
        (f32::from_bits(1), 1.0),
        (88.722_84, f32::INFINITY),
        (89.0, f32::INFINITY),
        (f32::MAX, f32::INFINITY),
        (f32::INFINITY, f32::INFINITY),
        (-103.972_09, 0.0),
        (-104.5, 0.0),
        (f32::MIN, 0.0),
        (f32::NEG_INFINITY, 0.0),
    ] {
        assert_eq!(exp(x).to_bits(), f32::to_bits(expected), "{x}: {}", exp(x));
    }
    assert!(exp(f32::NAN).is_nan());
    assert!(exp(88.722_83).is_finite());
    assert!(exp(-103.972_08) > 0.0);
}

#[test]
fn expm1_and_ln_where_they_end() {
    assert_eq!(expm1_small(0.0), 0.0);
    assert_eq!(expm1_small(f32::from_bits(1)), f32::from_bits(1));
    assert!(expm1_small(f32::NAN).is_nan());
    assert_eq!(ln(1.0).to_bits(), 0);
    assert_eq!(ln(f32::from_bits(1)), (-149.0 * std::f64::consts::LN_2) as f32);
    assert_eq!(ln(2.0), LN_2);
}

#[test]
fn each_is_the_others_inverse() {
    // ln is right to half a unit; e^x then moves by |x| of them.
    for i in 1..2000 {
        let x = i as f32 * 0.04 - 40.0;
        assert!((ln(exp(x)) - x).abs() <= f32::EPSILON * x.abs().max(1.0), "{x}");
    }
}
