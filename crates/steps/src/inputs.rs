//! The inputs of a call: volumes, or rules in their place.

use crate::step::wrong;
use crate::{Buffer, Error, json};
use serde_json::Value;
use voxnorm_kernels::grid::{Frame, Grid};
use voxnorm_kernels::select::Values;

/// A named volume among the inputs.
pub struct Volume<'a> {
    /// Where its voxels lie.
    pub grid: Grid,
    /// Values a voxel.
    pub channels: usize,
    /// The channels, one after the other.
    pub voxels: &'a [f32],
}

/// What stands in the place of a volume's description where a rule does in that of the volume.
const RULE: &str = "rule";

/// The inputs of a call, by name.
pub struct Inputs<'a> {
    step: &'static str,
    given: &'a Value,
    buffers: &'a [(&'a str, Buffer<'a>)],
}

record! {
    /// What a request says of a volume.
    struct Given {
        shape: [usize; 3],
        affine: [[f64; 4]; 3],
        channels: usize,
        itk: Option<GivenFrame>,
    }

    /// A grid as ITK holds it.
    struct GivenFrame {
        origin: [f64; 3],
        spacing: [f64; 3],
        direction: [[f64; 3]; 3],
    }
}

impl<'a> Inputs<'a> {
    /// Those that a request gives to a step: `{ name: { shape, affine, channels, itk? } | { rule } }`, and their voxels.
    pub(crate) fn of(
        step: &'static str,
        given: &'a Value,
        buffers: &'a [(&'a str, Buffer<'a>)],
    ) -> Inputs<'a> {
        Inputs { step, given, buffers }
    }

    /// The volume called `name`, which has one channel, or `None` where it was not given.
    pub fn optional(&self, name: &str) -> Result<Option<Volume<'a>>, Error> {
        let volume = self.of_any_channels(name)?;
        volume.map(|volume| self.expect_one_channel(name, volume.channels).map(|()| volume)).transpose()
    }

    /// The volume called `name`, which has one channel.
    pub fn required(&self, name: &str) -> Result<Volume<'a>, Error> {
        self.optional(name)?.ok_or_else(|| self.missing(name))
    }

    /// The image, of however many channels.
    pub fn image(&self) -> Result<Volume<'a>, Error> {
        self.of_any_channels("image")?.ok_or_else(|| self.missing("image"))
    }

    /// The volume called `name`, on the same grid as `reference`; or `None`.
    pub fn on_grid_of(&self, name: &str, reference: &Grid) -> Result<Option<Volume<'a>>, Error> {
        let volume = self.optional(name)?;
        volume.map(|volume| self.expect_shape(name, &volume.grid, reference).map(|()| volume)).transpose()
    }

    /// The mask called `name`, on the same grid as `reference`; or `None`.
    pub fn mask(&self, name: &str, reference: &Grid) -> Result<Option<Values<'a>>, Error> {
        let Some((grid, channels, values)) = self.find(name)? else { return Ok(None) };
        self.expect_one_channel(name, channels)?;
        self.expect_shape(name, &grid, reference)?;
        Ok(Some(values))
    }

    fn of_any_channels(&self, name: &str) -> Result<Option<Volume<'a>>, Error> {
        match self.find(name)? {
            None => Ok(None),
            Some((grid, channels, Values::Floats(voxels))) => Ok(Some(Volume { grid, channels, voxels })),
            Some((_, _, Values::Bytes(_))) => {
                Err(Error::internal(format!("{}: {name}: voxels as bytes", self.step)))
            }
        }
    }

    fn missing(&self, name: &str) -> Error {
        Error::new("MissingInput", format!("{}: expected the input \"{name}\", got none", self.step))
            .with(object! { input: name })
    }

    fn find(&self, name: &str) -> Result<Option<(Grid, usize, Values<'a>)>, Error> {
        let Some(given) = self.given.get(name).filter(|given| given.get(RULE).is_none()) else {
            return Ok(None);
        };
        let Given { shape, affine, channels, itk } =
            json::read(given).map_err(|error| wrong(self.step, &format!("{name}: {error}")))?;
        let itk = itk.map(|GivenFrame { origin, spacing, direction }| Frame { origin, spacing, direction });
        let grid = Grid { shape, affine, itk };
        let (_, values) = self
            .buffers
            .iter()
            .find(|(buffer, _)| *buffer == name)
            .ok_or_else(|| Error::internal(format!("{}: {name}: no buffer of voxels", self.step)))?;
        let (expected, got) = (grid.voxels() * channels, values.len());
        if got == expected {
            return Ok(Some((grid, channels, *values)));
        }
        let message = format!(
            "{}: {name}: expected {expected} voxels for shape {shape:?} of {channels} channels, got {got}",
            self.step
        );
        Err(Error::new("BadVolume", message).with(object! { input: name, shape, voxels: got }))
    }

    fn expect_one_channel(&self, name: &str, channels: usize) -> Result<(), Error> {
        if channels == 1 {
            return Ok(());
        }
        let message = format!("{}: {name}: expected one channel, got {channels}", self.step);
        Err(Error::new("BadVolume", message).with(object! { input: name, channels }))
    }

    fn expect_shape(&self, name: &str, grid: &Grid, reference: &Grid) -> Result<(), Error> {
        let (expected, got) = (reference.shape, grid.shape);
        if got == expected {
            return Ok(());
        }
        let message = format!("{}: {name}: expected the image's shape {expected:?}, got {got:?}", self.step);
        Err(Error::new("GridMismatch", message).with(object! { input: name, expected, got }))
    }

    /// The id of the step that they are given to.
    pub fn step(&self) -> &'static str {
        self.step
    }

    /// The rule named in place of the volume `name`, such as `otsu` for a mask.
    pub fn rule(&self, name: &str) -> Option<&'a str> {
        self.given.get(name)?.get(RULE)?.as_str()
    }
}
