//! nnU-Net's normalisation schemes. Semantics, options and sources: `ts/steps/nnunet.ts`.

use crate::error::{Error, Number};
use crate::pointwise::{Per, PerChannel, Pointwise, Sample};
use voxnorm_kernels::pointwise::Map;

pub struct NnUnet;

record! {
    pub struct Options {
        scheme: PerChannel,
        mean: PerChannel,
        standard_deviation: PerChannel,
        lower_bound: PerChannel,
        upper_bound: PerChannel,
        least_divisor: f64,
    }
}

fitted! {
    pub struct Found {
        clip: Option<[f64; 2]>,
        subtract: f64,
        divide: f64,
    }
}

impl Pointwise for NnUnet {
    const ID: &'static str = "nnunet";
    const PER: Per = Per::Channel;
    type Options = Options;
    type Found = Found;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        let affine = |subtract, divide| Found { clip: None, subtract, divide };
        let least = options.least_divisor;
        // By the names that plans have.
        match options.scheme.of("scheme", sample)?.as_str().unwrap_or_default() {
            "ZScoreNormalization" => {
                let moments = sample.moments()?;
                Ok(affine(moments.mean, moments.variance(0).sqrt().max(least)))
            }
            "CTNormalization" => {
                let low = options.lower_bound.number("lowerBound", sample)?;
                let high = options.upper_bound.number("upperBound", sample)?;
                let divide = options.standard_deviation.number("standardDeviation", sample)?.max(least);
                Ok(Found { clip: Some([low, high]), subtract: options.mean.number("mean", sample)?, divide })
            }
            "NoNormalization" => Ok(affine(0.0, 1.0)),
            "RescaleTo01Normalization" => {
                let [low, high] = sample.range()?;
                Ok(affine(low, (high - low).max(least)))
            }
            "RGBTo01Normalization" => {
                let [low, high] = sample.range()?;
                if low >= 0.0 && high <= 255.0 {
                    return Ok(affine(0.0, 255.0));
                }
                let message = format!(
                    "{}: image: expected values from 0 to 255 for RGBTo01Normalization, got {} to {}",
                    sample.subject,
                    Number(low),
                    Number(high)
                );
                Err(Error::new("ValueOutOfRange", message).with(object! { range: [low, high] }))
            }
            other => Err(Error::internal(format!("{}: scheme {other}", Self::ID))),
        }
    }

    fn map(&self, _: &Options, found: &Found) -> Map {
        let clip = found.clip.unwrap_or(Map::IDENTITY.clip);
        Map { clip, subtract: found.subtract, divide: found.divide, ..Map::IDENTITY }
    }
}
