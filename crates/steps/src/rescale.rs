//! Linear rescaling. Semantics, options and sources: `ts/steps/rescale.ts`.

use crate::Error;
use crate::pointwise::{Pointwise, Sample, line};
use serde::{Deserialize, Serialize};
use voxnorm_kernels::pointwise::Map;

pub struct Rescale;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Options {
    input_range: [f64; 2],
    output_range: [f64; 2],
    clip: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {}

impl Pointwise for Rescale {
    const ID: &'static str = "rescale";
    type Options = Options;
    type Found = Found;

    fn find(&self, _: &Options, _: &Sample) -> Result<Found, Error> {
        Ok(Found {})
    }

    fn map(&self, options: &Options, _: &Found) -> Map {
        line(options.input_range, options.output_range, options.clip)
    }
}
