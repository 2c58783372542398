//! Clipping to percentiles. Semantics, options and sources: `ts/steps/clip-percentiles.ts`.

use crate::Error;
use crate::pointwise::{Pointwise, Sample};
use serde::{Deserialize, Serialize};
use voxnorm_kernels::pointwise::Map;

pub struct ClipPercentiles;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    percentiles: [f64; 2],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    lower: f64,
    upper: f64,
}

impl Pointwise for ClipPercentiles {
    const ID: &'static str = "clip-percentiles";
    type Options = Options;
    type Found = Found;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        let [lower, upper] = sample.percentiles(options.percentiles)?;
        if lower == upper {
            return Err(sample.no_spread("the range between percentiles"));
        }
        Ok(Found { lower, upper })
    }

    fn map(&self, _: &Options, found: &Found) -> Map {
        Map { clip: [found.lower, found.upper], ..Map::IDENTITY }
    }
}
