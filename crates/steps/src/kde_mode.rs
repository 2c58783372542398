//! The tissue's mode becomes a given value. Semantics, options and sources: `ts/steps/kde-mode.ts`.

use crate::Error;
use crate::json::{Fields, Record};
use crate::pointwise::{Pointwise, Sample};
use crate::tissue_mode::{self, bad_scale};
use voxnorm_kernels::pointwise::Map;

pub struct KdeMode;

pub struct Options {
    mode: tissue_mode::Options,
    own: Own,
}

record! {
    struct Own {
        norm_value: f64,
    }
}

impl Record for Options {
    fn from_fields(fields: &mut Fields) -> Options {
        Options { mode: Record::from_fields(fields), own: Record::from_fields(fields) }
    }
}

fitted! {
    pub struct Found {
        mode: f64,
        is_peak: bool,
    }
}

impl Pointwise for KdeMode {
    const ID: &'static str = "kde-mode";
    type Options = Options;
    type Found = Found;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        let mode = tissue_mode::find(&options.mode, options.mode.peak(), sample)?;
        if mode.value > 0.0 {
            return Ok(Found { mode: mode.value, is_peak: mode.is_peak });
        }
        Err(bad_scale(sample, "a mode above 0 to divide by", mode.value))
    }

    fn map(&self, options: &Options, found: &Found) -> Map {
        Map { divide: found.mode, multiply: options.own.norm_value, ..Map::IDENTITY }
    }
}
