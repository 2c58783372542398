//! Mean subtraction. Semantics, options and sources: `ts/steps/mean-subtraction.ts`.

use crate::Error;
use crate::pointwise::{Pointwise, Sample};
use serde::{Deserialize, Serialize};
use voxnorm_kernels::pointwise::Map;

pub struct MeanSubtraction;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    mean: f64,
}

impl Pointwise for MeanSubtraction {
    const ID: &'static str = "mean-subtraction";
    type Options = Options;
    type Found = Found;

    fn find(&self, _: &Options, sample: &Sample) -> Result<Found, Error> {
        Ok(Found { mean: sample.moments()?.mean })
    }

    fn map(&self, _: &Options, found: &Found) -> Map {
        Map { subtract: found.mean, ..Map::IDENTITY }
    }
}
