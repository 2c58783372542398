//! Histogram matching value by value. Semantics, options and sources: `ts/steps/exact-histogram-matching.ts`.

use crate::Error;
use crate::pointwise::{Nothing, Pointwise, Sample};
use voxnorm_kernels::lookup::Lookup;
use voxnorm_kernels::pointwise::{Curve, Map};

pub struct ExactHistogramMatching;

fitted! {
    pub struct Found {
        values: Vec<[f64; 2]>,
    }
}

impl Pointwise for ExactHistogramMatching {
    const ID: &'static str = "exact-histogram-matching";
    type Options = Nothing;
    type Found = Found;

    fn find(&self, _: &Nothing, sample: &Sample) -> Result<Found, Error> {
        let reference = shares(&sample.of("reference", "referenceMask")?.distinct()?);
        let image = shares(&sample.distinct()?);
        let (values, mut matched): (Vec<f64>, Vec<f64>) = image.into_iter().unzip();
        let points: Vec<[f64; 2]> = reference.into_iter().map(|(value, share)| [share, value]).collect();
        Lookup::through(&points, [0.0, 0.0]).row(&mut matched);
        Ok(Found { values: values.into_iter().zip(matched).map(|(from, to)| [from, to]).collect() })
    }

    fn map(&self, _: &Nothing, found: &Found) -> Map {
        Map { curve: Curve::Lines(Lookup::through(&found.values, [0.0, 0.0])), ..Map::IDENTITY }
    }
}

/// The values, each with the share of voxels that are no larger.
pub fn shares(counts: &[(f32, u64)]) -> Vec<(f64, f64)> {
    let total = counts.iter().map(|(_, count)| count).sum::<u64>() as f64;
    let mut sum = 0;
    let share = |(value, count): &(f32, u64)| {
        sum += count;
        (f64::from(*value), sum as f64 / total)
    };
    counts.iter().map(share).collect()
}
