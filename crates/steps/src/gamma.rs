//! Gamma. Semantics, options and sources: `ts/steps/gamma.ts`.

use crate::Error;
use crate::pointwise::{Pointwise, Sample};
use voxnorm_kernels::pointwise::{Curve, Map};

pub struct Gamma;

record! {
    pub struct Options {
        gamma: f64,
        input_range: InputRange,
        epsilon: f64,
    }
}

choice! {
    enum InputRange {
        Region,
        Given([f64; 2]),
    }
}

fitted! {
    pub struct Found {
        lower: f64,
        upper: f64,
        minimum: f64,
    }
}

impl Pointwise for Gamma {
    const ID: &'static str = "gamma";
    type Options = Options;
    type Found = Found;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        let [minimum, maximum] = sample.range()?;
        let [lower, upper] = match options.input_range {
            InputRange::Given(range) => range,
            InputRange::Region => [minimum, maximum],
        };
        if upper - lower + options.epsilon > 0.0 {
            Ok(Found { lower, upper, minimum })
        } else {
            Err(sample.constant(minimum))
        }
    }

    fn map(&self, options: &Options, found: &Found) -> Map {
        let size = found.upper - found.lower;
        Map {
            subtract: found.lower,
            divide: size + options.epsilon,
            curve: Curve::Power(options.gamma),
            multiply: size,
            add: found.lower,
            ..Map::IDENTITY
        }
    }
}
