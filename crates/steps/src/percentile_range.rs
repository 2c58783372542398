//! Percentile range. Semantics, options and sources: `ts/steps/percentile-range.ts`.

use crate::Error;
use crate::pointwise::{Limits, Pointwise, Sample, line};
use voxnorm_kernels::pointwise::Map;

pub struct PercentileRange;

record! {
    pub struct Options {
        percentiles: [f64; 2],
        output_range: [f64; 2],
        clip: bool,
        relative: bool,
    }
}

impl Pointwise for PercentileRange {
    const ID: &'static str = "percentile-range";
    type Options = Options;
    type Found = Limits;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Limits, Error> {
        sample.percentile_range(options.percentiles)
    }

    fn map(&self, options: &Options, found: &Limits) -> Map {
        let to = options.output_range;
        let at = |percentile: f64| to[0] + (to[1] - to[0]) * (percentile / 100.0);
        let to = if options.relative { options.percentiles.map(at) } else { to };
        line([found.lower, found.upper], to, options.clip)
    }
}
