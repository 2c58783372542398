//! The voxels of a part of an image that a method finds its numbers in.

use super::Limits;
use crate::Inputs;
use crate::error::{Error, Number};
use crate::json::{FromJson, Reader};
use crate::region::{self, Region, Subject};
use serde_json::Value;
use std::cell::Cell;
use voxnorm_kernels::distinct::{Counts, distinct, whole};
use voxnorm_kernels::memory::Kept;
use voxnorm_kernels::moments::{Moments, moments};
use voxnorm_kernels::quantile::{percentiles, percentiles_of_distance};
use voxnorm_kernels::run::Run;
use voxnorm_kernels::select::Select;
use voxnorm_kernels::{histogram, select};

/// The voxels of a part that numbers come from.
pub struct Sample<'a> {
    /// All voxels of the part.
    pub voxels: &'a [f32],
    /// All inputs of the call.
    pub inputs: &'a Inputs<'a>,
    #[allow(missing_docs)]
    pub run: &'a Run<'a>,
    #[allow(missing_docs)]
    pub subject: Subject,
    /// Which channel of the output it becomes, from 0, of how many.
    channel: [usize; 2],
    options: &'a region::Options,
    region: Region<'a>,
    /// Their count, once a pass has found it.
    counted: Cell<Option<usize>>,
}

/// Chosen values side by side.
pub enum Chosen<'a> {
    /// All of an image.
    Given(&'a [f32]),
    #[allow(missing_docs)]
    Gathered(Kept),
}

impl std::ops::Deref for Chosen<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Chosen::Given(voxels) => voxels,
            Chosen::Gathered(voxels) => voxels,
        }
    }
}

impl<'a> Sample<'a> {
    /// Those of a part that becomes a channel of the output, one of how many, in a region of these options.
    pub fn new(
        voxels: &'a [f32],
        (inputs, run): (&'a Inputs<'a>, &'a Run<'a>),
        subject: Subject,
        channel: [usize; 2],
        options: &'a region::Options,
        region: Region<'a>,
    ) -> Sample<'a> {
        Sample { voxels, inputs, run, subject, channel, options, region, counted: Cell::new(None) }
    }

    /// The same region of another input, on a grid of its own, whose mask is the input `mask`.
    pub fn of(&self, image: &'static str, mask: &'static str) -> Result<Sample<'a>, Error> {
        let subject = Subject { image, mask, ..Subject::new(self.subject.step, String::new()) };
        let volume = self.inputs.required(image)?;
        let given = self.inputs.mask(mask, &volume.grid)?;
        let region = Region::among(self.options, volume.voxels, given, None, &subject, self.run)?;
        Ok(self.like(volume.voxels, subject, region))
    }

    /// Which voxels they are.
    pub fn select(&self) -> Select<'a> {
        self.region.select()
    }

    /// Their values side by side, at least one, in `from`: these voxels, or another image of as many.
    pub fn chosen<'v>(&self, from: &'v [f32]) -> Result<Chosen<'v>, Error> {
        let chosen = match self.select() {
            Select::All => Chosen::Given(from),
            some => Chosen::Gathered(select::chosen(self.voxels, some, from, self.run)?),
        };
        self.some(chosen.len())?;
        Ok(chosen)
    }

    /// Of these, which were chosen before, a choice again.
    pub fn again<'s>(&'s self, voxels: &'s [f32], select: Select<'s>) -> Sample<'s> {
        self.like(voxels, self.subject.clone(), Region::again(select))
    }

    /// Others, of the same call.
    fn like<'s>(&self, voxels: &'s [f32], subject: Subject, region: Region<'s>) -> Sample<'s>
    where
        'a: 's,
    {
        let (inputs, run, channel, options) = (self.inputs, self.run, self.channel, self.options);
        Sample::new(voxels, (inputs, run), subject, channel, options, region)
    }

    /// The threshold that the region's rule found.
    pub fn threshold(&self) -> Option<f32> {
        self.region.threshold
    }

    /// How many there are; at least one.
    pub fn count(&self) -> Result<usize, Error> {
        let count = self.counted.get().map_or_else(|| self.select().count(self.voxels, self.run), Ok)?;
        self.some(count)
    }

    /// Their mean and spread, which are finite.
    pub fn moments(&self) -> Result<Moments, Error> {
        let found = moments(self.voxels, self.select(), self.run)?;
        self.some(found.count)?;
        if found.mean.is_finite() {
            return Ok(found);
        }
        let range = histogram::range(self.voxels, self.select(), self.run)?;
        Err(self.subject.not_finite(range.not_finite, found.count))
    }

    /// Their percentiles of 0 to 100.
    pub fn percentiles<const N: usize>(&self, wanted: [f64; N]) -> Result<[f64; N], Error> {
        let found = percentiles(self.voxels, self.select(), &wanted, self.run)?;
        self.some(found.count)?;
        if found.not_finite > 0 {
            return Err(self.subject.not_finite(found.not_finite, found.count));
        }
        Ok(std::array::from_fn(|i| found.values[i]))
    }

    /// Two of their percentiles, which differ.
    pub fn percentile_range(&self, wanted: [f64; 2]) -> Result<Limits, Error> {
        let [lower, upper] = self.percentiles(wanted)?;
        if lower == upper {
            return Err(self.no_spread("the range between percentiles"));
        }
        Ok(Limits { lower, upper })
    }

    /// The median of their distances from a number.
    pub fn median_distance(&self, from: f64) -> Result<f64, Error> {
        Ok(percentiles_of_distance(self.voxels, self.select(), from, &[50.0], self.run)?.values[0])
    }

    /// Their smallest and largest value.
    pub fn range(&self) -> Result<[f64; 2], Error> {
        let found = histogram::range(self.voxels, self.select(), self.run)?;
        if found.not_finite > 0 {
            return Err(self.subject.not_finite(found.not_finite, self.count()?));
        }
        if found.low > found.high {
            return Err(self.none());
        }
        Ok([found.low, found.high].map(f64::from))
    }

    /// Their different values, each with how often it occurs, where they are whole numbers that lie close together.
    pub fn whole(&self) -> Result<Option<Counts>, Error> {
        let found = whole(self.voxels, self.select(), self.run)?;
        if let Some(counts) = &found {
            self.some(counts.iter().map(|(_, count)| *count as usize).sum())?;
        }
        Ok(found)
    }

    /// The error of none.
    pub fn none(&self) -> Error {
        self.region.empty(&self.subject)
    }

    /// Their different values, each with how often it occurs: at least two, and no more than can be kept.
    pub fn distinct(&self) -> Result<Counts, Error> {
        const MOST: usize = 1 << 18;
        let [low, _] = self.range()?;
        match distinct(self.voxels, self.select(), MOST, self.run)? {
            Some(values) if values.len() > 1 => Ok(values),
            Some(_) => Err(self.constant(low)),
            None => {
                let Subject { image, .. } = self.subject;
                let message =
                    format!("{}: {image}: expected at most {MOST} different values, got more", self.subject);
                Err(Error::new("TooLarge", message).with(object! { input: image, most: MOST }))
            }
        }
    }

    /// The error of voxels that are all equal, or as good as.
    pub fn constant(&self, value: f64) -> Error {
        self.subject.constant(value)
    }

    /// The error of voxels of which `what` is 0: they are all equal, or too many of them are.
    pub fn no_spread(&self, what: &str) -> Error {
        match self.range() {
            Err(error) => error,
            Ok([low, high]) if low == high => self.constant(low),
            Ok([low, high]) => {
                let message = format!(
                    "{}: image: expected {what} above 0, got 0, as most voxels are equal, of {} to {}",
                    self.subject,
                    Number(low),
                    Number(high)
                );
                Error::new("NoSpread", message).with(object! { range: [low, high] })
            }
        }
    }

    /// The error of voxels that a formula needs above a limit, of which `least` is the smallest.
    pub fn not_above(&self, limit: f64, least: f64) -> Error {
        let message = format!(
            "{}: image: expected voxels above {}, got {}",
            self.subject,
            Number(limit),
            Number(least)
        );
        Error::new("NotPositive", message).with(object! { limit, least })
    }

    /// As many as a pass has found; an error where that is none.
    pub fn some(&self, count: usize) -> Result<usize, Error> {
        self.counted.set(Some(count));
        if count == 0 { Err(self.none()) } else { Ok(count) }
    }
}

/// Something given once for all channels, or in a list of one for each. Of no type, so that what follows is compiled once.
pub struct PerChannel(Value);

impl FromJson for PerChannel {
    fn from_json(value: &Value, _: &mut Reader) -> PerChannel {
        PerChannel(value.clone())
    }
}

impl PerChannel {
    /// What is given for the sample's channel. `BadOption`, named after the option, where there is none for each channel.
    pub fn of(&self, option: &str, sample: &Sample) -> Result<&Value, Error> {
        let [channel, channels] = sample.channel;
        let Value::Array(values) = &self.0 else { return Ok(&self.0) };
        if values.len() == channels {
            return Ok(&values[channel]);
        }
        let (step, got) = (sample.subject.step, values.len());
        let message = format!(
            "{step}: {option}: expected one, or as many as the image has channels, {channels}, got {got}"
        );
        Err(Error::new("BadOption", message).with(object! { option, channels, got }))
    }

    /// The number that is given for the sample's channel. `BadOption` where there is none.
    pub fn number(&self, option: &str, sample: &Sample) -> Result<f64, Error> {
        self.of(option, sample)?.as_f64().ok_or_else(|| sample.subject.missing_option(option))
    }
}
