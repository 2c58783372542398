//! Percentile range. Semantics, options and sources: `ts/steps/percentile-range.ts`.

use crate::Error;
use crate::pointwise::{Pointwise, Sample, line};
use serde::{Deserialize, Serialize};
use voxnorm_kernels::pointwise::Map;

pub struct PercentileRange;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Options {
    percentiles: [f64; 2],
    output_range: [f64; 2],
    clip: bool,
    relative: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    lower: f64,
    upper: f64,
}

impl Pointwise for PercentileRange {
    const ID: &'static str = "percentile-range";
    type Options = Options;
    type Found = Found;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        let [lower, upper] = sample.percentiles(options.percentiles)?;
        if lower == upper {
            return Err(sample.no_spread("the range between percentiles"));
        }
        Ok(Found { lower, upper })
    }

    fn map(&self, options: &Options, found: &Found) -> Map {
        let to = options.output_range;
        let at = |percentile: f64| to[0] + (to[1] - to[0]) * (percentile / 100.0);
        let to = if options.relative { options.percentiles.map(at) } else { to };
        line([found.lower, found.upper], to, options.clip)
    }
}
