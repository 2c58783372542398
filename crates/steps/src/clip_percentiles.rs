//! Clipping to percentiles. Semantics, options and sources: `ts/steps/clip-percentiles.ts`.

use crate::Error;
use crate::pointwise::{Limits, Pointwise, Sample};
use voxnorm_kernels::pointwise::Map;

pub struct ClipPercentiles;

record! {
    pub struct Options {
        percentiles: [f64; 2],
    }
}

impl Pointwise for ClipPercentiles {
    const ID: &'static str = "clip-percentiles";
    type Options = Options;
    type Found = Limits;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Limits, Error> {
        sample.percentile_range(options.percentiles)
    }

    fn map(&self, _: &Options, found: &Limits) -> Map {
        Map { clip: [found.lower, found.upper], ..Map::IDENTITY }
    }
}
