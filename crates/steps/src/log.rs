//! Logarithm. Semantics, options and sources: `ts/steps/log.ts`.

use crate::Error;
use crate::pointwise::{Pointwise, Sample};
use voxnorm_kernels::pointwise::{Curve, Map};

pub struct Log;

record! {
    pub struct Options {
        offset: f64,
        scale: f64,
    }
}

fitted! {
    pub struct Found {
        minimum: f64,
    }
}

impl Pointwise for Log {
    const ID: &'static str = "log";
    type Options = Options;
    type Found = Found;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        let [minimum, _] = sample.range()?;
        if minimum + options.offset > 0.0 {
            Ok(Found { minimum })
        } else {
            Err(sample.not_above(-options.offset, minimum))
        }
    }

    fn map(&self, options: &Options, _: &Found) -> Map {
        Map { subtract: -options.offset, curve: Curve::Log, multiply: options.scale, ..Map::IDENTITY }
    }
}
