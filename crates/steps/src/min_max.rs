//! Min–max. Semantics, options and sources: `ts/steps/min-max.ts`.

use crate::Error;
use crate::pointwise::{Pointwise, Sample, line};
use voxnorm_kernels::pointwise::Map;

pub struct MinMax;

record! {
    pub struct Options {
        output_range: [f64; 2],
        clip: bool,
    }
}

fitted! {
    pub struct Found {
        minimum: f64,
        maximum: f64,
    }
}

impl Pointwise for MinMax {
    const ID: &'static str = "min-max";
    type Options = Options;
    type Found = Found;

    fn find(&self, _: &Options, sample: &Sample) -> Result<Found, Error> {
        let [minimum, maximum] = sample.range()?;
        if minimum == maximum { Err(sample.constant(minimum)) } else { Ok(Found { minimum, maximum }) }
    }

    fn map(&self, options: &Options, found: &Found) -> Map {
        line([found.minimum, found.maximum], options.output_range, options.clip)
    }
}
