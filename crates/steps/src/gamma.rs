//! Gamma. Semantics, options and sources: `ts/steps/gamma.ts`.

use crate::Error;
use crate::pointwise::{Pointwise, Sample};
use serde::{Deserialize, Serialize};
use voxnorm_kernels::pointwise::{Curve, Map};

pub struct Gamma;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Options {
    gamma: f64,
    input_range: InputRange,
    epsilon: f64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum InputRange {
    Given([f64; 2]),
    Rule(Rule),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Rule {
    Region,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    lower: f64,
    upper: f64,
    minimum: f64,
}

impl Pointwise for Gamma {
    const ID: &'static str = "gamma";
    type Options = Options;
    type Found = Found;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        let [minimum, maximum] = sample.range()?;
        let [lower, upper] = match options.input_range {
            InputRange::Given(range) => range,
            InputRange::Rule(Rule::Region) => [minimum, maximum],
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
