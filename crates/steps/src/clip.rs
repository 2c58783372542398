//! Clipping. Semantics, options and sources: `ts/steps/clip.ts`.

use crate::Error;
use crate::pointwise::{Nothing, Pointwise, Sample};
use voxnorm_kernels::pointwise::Map;

pub struct Clip;

record! {
    pub struct Options {
        limits: [Option<f64>; 2],
    }
}

impl Pointwise for Clip {
    const ID: &'static str = "clip";
    type Options = Options;
    type Found = Nothing;

    fn find(&self, _: &Options, _: &Sample) -> Result<Nothing, Error> {
        Ok(Nothing {})
    }

    fn map(&self, options: &Options, _: &Nothing) -> Map {
        let [lower, upper] = options.limits;
        Map { clip: [lower.unwrap_or(f64::NEG_INFINITY), upper.unwrap_or(f64::INFINITY)], ..Map::IDENTITY }
    }
}
