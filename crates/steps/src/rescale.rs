//! Linear rescaling. Semantics, options and sources: `ts/steps/rescale.ts`.

use crate::Error;
use crate::pointwise::{Nothing, Pointwise, Sample, line};
use voxnorm_kernels::pointwise::Map;

pub struct Rescale;

record! {
    pub struct Options {
        input_range: [f64; 2],
        output_range: [f64; 2],
        clip: bool,
    }
}

impl Pointwise for Rescale {
    const ID: &'static str = "rescale";
    type Options = Options;
    type Found = Nothing;

    fn find(&self, _: &Options, _: &Sample) -> Result<Nothing, Error> {
        Ok(Nothing {})
    }

    fn map(&self, options: &Options, _: &Nothing) -> Map {
        line(options.input_range, options.output_range, options.clip)
    }
}
