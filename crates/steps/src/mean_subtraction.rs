//! Mean subtraction. Semantics, options and sources: `ts/steps/mean-subtraction.ts`.

use crate::Error;
use crate::pointwise::{Nothing, Pointwise, Sample};
use voxnorm_kernels::pointwise::Map;

pub struct MeanSubtraction;

fitted! {
    pub struct Found {
        mean: f64,
    }
}

impl Pointwise for MeanSubtraction {
    const ID: &'static str = "mean-subtraction";
    type Options = Nothing;
    type Found = Found;

    fn find(&self, _: &Nothing, sample: &Sample) -> Result<Found, Error> {
        Ok(Found { mean: sample.moments()?.mean })
    }

    fn map(&self, _: &Nothing, found: &Found) -> Map {
        Map { subtract: found.mean, ..Map::IDENTITY }
    }
}
