//! Unit variance. Semantics, options and sources: `ts/steps/unit-variance.ts`.

use crate::Error;
use crate::pointwise::{Pointwise, Sample};
use voxnorm_kernels::pointwise::Map;

pub struct UnitVariance;

record! {
    pub struct Options {
        ddof: usize,
    }
}

fitted! {
    pub struct Found {
        standard_deviation: f64,
    }
}

impl Pointwise for UnitVariance {
    const ID: &'static str = "unit-variance";
    type Options = Options;
    type Found = Found;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        let moments = sample.moments()?;
        let standard_deviation = moments.variance(options.ddof).sqrt();
        // Of a single voxel there is none with one degree of freedom.
        if standard_deviation > 0.0 {
            Ok(Found { standard_deviation })
        } else {
            Err(sample.constant(moments.mean))
        }
    }

    fn map(&self, _: &Options, found: &Found) -> Map {
        Map { divide: found.standard_deviation, ..Map::IDENTITY }
    }
}
