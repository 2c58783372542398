//! Robust scaling. Semantics, options and sources: `ts/steps/robust.ts`.

use crate::Error;
use crate::pointwise::{Constant, Pointwise, Sample};
use voxnorm_kernels::pointwise::Map;

pub struct Robust;

record! {
    pub struct Options {
        spread: Spread,
        normal_consistent: bool,
        constant: Constant,
    }
}

choice! {
    enum Spread {
        InterquartileRange,
        MedianAbsoluteDeviation,
    }
}

fitted! {
    pub struct Found {
        median: f64,
        spread: f64,
        divisor: f64,
    }
}

/// Φ⁻¹(¾): the upper quartile, and the median absolute deviation, of a normal distribution of deviation 1.
const UPPER_QUARTILE: f64 = 0.674_489_750_196_081_7;

impl Pointwise for Robust {
    const ID: &'static str = "robust";
    type Options = Options;
    type Found = Found;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        let (what, median, spread, normal) = match options.spread {
            Spread::InterquartileRange => {
                let [lower, median, upper] = sample.percentiles([25.0, 50.0, 75.0])?;
                ("an interquartile range", median, upper - lower, 2.0 * UPPER_QUARTILE)
            }
            Spread::MedianAbsoluteDeviation => {
                let [median] = sample.percentiles([50.0])?;
                let deviation = sample.median_distance(median)?;
                ("a median absolute deviation", median, deviation, UPPER_QUARTILE)
            }
        };
        let divisor = if options.normal_consistent { spread / normal } else { spread };
        match options.constant {
            _ if divisor > 0.0 => Ok(Found { median, spread, divisor }),
            Constant::Refuse => Err(sample.no_spread(what)),
            Constant::Centre => Ok(Found { median, spread, divisor: 1.0 }),
        }
    }

    fn map(&self, _: &Options, found: &Found) -> Map {
        Map { subtract: found.median, divide: found.divisor, ..Map::IDENTITY }
    }
}
