//! An image cut into parts that are images of their own.

use super::Sample;
use crate::region::{self, Region, Subject};
use crate::{Error, Inputs};
use std::ops::Range;
use voxnorm_kernels::run::Run;
use voxnorm_kernels::select::Values;

choice! {
    /// What is an image of its own.
    #[allow(missing_docs)]
    pub enum Per {
        Volume,
        Channel,
        Slice,
    }
}

/// An image cut into what numbers are found in apart.
pub struct Image<'a> {
    pub inputs: &'a Inputs<'a>,
    pub voxels: &'a [f32],
    pub parts: Vec<Part>,
    given: Option<Values<'a>>,
    /// The mask once for each channel, where there are several.
    repeated: Vec<f32>,
}

pub struct Part {
    /// Where its voxels lie in the image.
    pub from: Range<usize>,
    /// Where they come out.
    pub to: Range<usize>,
    /// Which channel comes out there, of how many.
    channel: [usize; 2],
    /// Such as `slice 3 of 20`; empty for all of an image.
    name: String,
}

impl<'a> Image<'a> {
    /// The image among the inputs, whose channels come out in reverse order where they are `reversed`.
    pub fn of(inputs: &'a Inputs<'a>, per: Per, reversed: bool) -> Result<Image<'a>, Error> {
        let image = inputs.image()?;
        let given = inputs.mask("mask", &image.grid)?;
        let mut repeated = Vec::new();
        if let Some(mask) = given.filter(|_| image.channels > 1) {
            repeated = vec![0.0; image.voxels.len()];
            repeated.chunks_mut(mask.len()).for_each(|channel| mask.copy(0, channel));
        }
        let (planes, channels) = (image.grid.shape[2], image.channels);
        let count = match per {
            Per::Volume => 1,
            Per::Channel => channels,
            Per::Slice => channels * planes,
        };
        let size = image.voxels.len() / count;
        let parts = (0..count).map(|i| {
            let name = match per {
                Per::Volume => String::new(),
                Per::Channel => format!("channel {} of {channels}", i + 1),
                Per::Slice if channels == 1 => format!("slice {} of {planes}", i + 1),
                Per::Slice => {
                    format!("slice {} of {planes}, channel {} of {channels}", i % planes + 1, i / planes + 1)
                }
            };
            let channel = i * channels / count;
            let step = if reversed { count / channels } else { 0 };
            let from = i + (channels - 1) * step - 2 * channel * step;
            let range = |i: usize| i * size..(i + 1) * size;
            Part { from: range(from), to: range(i), channel: [channel, channels], name }
        });
        Ok(Image { inputs, voxels: image.voxels, parts: parts.collect(), given, repeated })
    }

    /// The voxels of a part in the region, whose threshold may be known before.
    pub fn sample<'s>(
        &'s self,
        options: &'s region::Options,
        part: &Part,
        known: Option<f32>,
        run: &'s Run,
    ) -> Result<Sample<'s>, Error> {
        let mask = if self.repeated.is_empty() { self.given } else { Some(Values::Floats(&self.repeated)) };
        let voxels = &self.voxels[part.from.clone()];
        let mask = mask.map(|mask| mask.part(part.from.clone()));
        let subject = Subject::new(self.inputs.step(), part.name.clone());
        let region = Region::among(options, voxels, mask, known, &subject, run)?;
        Ok(Sample::new(voxels, (self.inputs, run), subject, part.channel, options, region))
    }
}
