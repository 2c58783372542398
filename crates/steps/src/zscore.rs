//! Z-score. Semantics, options and sources: `ts/steps/zscore.ts`.

use crate::Error;
use crate::pointwise::{Constant, Pointwise, Sample};
use voxnorm_kernels::pointwise::Map;

pub struct ZScore;

record! {
    pub struct Options {
        ddof: usize,
        epsilon: f64,
        least_divisor: LeastDivisor,
        constant: Constant,
        remove_outliers: Option<f64>,
        scale: f64,
    }
}

choice! {
    enum LeastDivisor {
        InverseRootCount,
        Value(f64),
    }
}

fitted! {
    pub struct Found {
        mean: f64,
        standard_deviation: f64,
        divisor: f64,
    }
}

impl Pointwise for ZScore {
    const ID: &'static str = "zscore";
    type Options = Options;
    type Found = Found;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        let moments = sample.moments()?;
        let (mean, standard_deviation) = (moments.mean, moments.variance(options.ddof).sqrt());
        let least = match options.least_divisor {
            LeastDivisor::Value(least) => least,
            LeastDivisor::InverseRootCount => 1.0 / (moments.count as f64).sqrt(),
        };
        let divisor = (standard_deviation + options.epsilon).max(least);
        if divisor > 0.0 {
            return Ok(Found { mean, standard_deviation, divisor });
        }
        // Of a single voxel there is no deviation with one degree of freedom.
        match options.constant {
            Constant::Refuse => Err(sample.constant(mean)),
            Constant::Centre => Ok(Found { mean, standard_deviation: 0.0, divisor: 1.0 }),
        }
    }

    fn map(&self, options: &Options, found: &Found) -> Map {
        let most = options.remove_outliers.unwrap_or(f64::INFINITY);
        Map {
            subtract: found.mean,
            divide: found.divisor,
            limit: [-most, most],
            multiply: options.scale,
            ..Map::IDENTITY
        }
    }
}
