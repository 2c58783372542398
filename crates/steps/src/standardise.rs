//! Standardisation by given statistics. Semantics, options and sources: `ts/steps/standardise.ts`.

use crate::Error;
use crate::pointwise::{Per, PerChannel, Pointwise, Sample};
use voxnorm_kernels::pointwise::Map;

pub struct Standardise;

record! {
    pub struct Options {
        divide_by: f64,
        mean: PerChannel,
        standard_deviation: PerChannel,
        channel_order: ChannelOrder,
    }
}

choice! {
    enum ChannelOrder {
        Keep,
        Reversed,
    }
}

fitted! {
    pub struct Found {
        mean: f64,
        standard_deviation: f64,
    }
}

impl Pointwise for Standardise {
    const ID: &'static str = "standardise";
    const PER: Per = Per::Channel;
    type Options = Options;
    type Found = Found;

    fn reverses_channels(&self, options: &Options) -> bool {
        options.channel_order == ChannelOrder::Reversed
    }

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        Ok(Found {
            mean: options.mean.number("mean", sample)?,
            standard_deviation: options.standard_deviation.number("standardDeviation", sample)?,
        })
    }

    fn map(&self, options: &Options, found: &Found) -> Map {
        Map {
            subtract: found.mean * options.divide_by,
            divide: found.standard_deviation * options.divide_by,
            ..Map::IDENTITY
        }
    }
}
