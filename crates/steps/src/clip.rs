//! Clipping. Semantics, options and sources: `ts/steps/clip.ts`.

use crate::Error;
use crate::pointwise::{Pointwise, Sample};
use serde::{Deserialize, Serialize};
use voxnorm_kernels::pointwise::Map;

pub struct Clip;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    limits: [Option<f64>; 2],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {}

impl Pointwise for Clip {
    const ID: &'static str = "clip";
    type Options = Options;
    type Found = Found;

    fn find(&self, _: &Options, _: &Sample) -> Result<Found, Error> {
        Ok(Found {})
    }

    fn map(&self, options: &Options, _: &Found) -> Map {
        let [lower, upper] = options.limits;
        Map { clip: [lower.unwrap_or(f64::NEG_INFINITY), upper.unwrap_or(f64::INFINITY)], ..Map::IDENTITY }
    }
}
