//! Methods that find a few numbers in a region and then change each voxel by its own value: all but their numbers and
//! their formula is here.

mod bound;
mod image;
mod sample;

pub use image::Per;
pub use sample::{PerChannel, Sample};

use crate::json::{Fields, FromJson, Record, ToJson};
use crate::{Error, Inputs, Outputs, Session, Step, step};
use bound::{Bound, Method};
use serde_json::Value;
use voxnorm_kernels::pointwise::Map;

/// A method that maps voxels one by one.
pub trait Pointwise: Sync {
    /// The id, the same in all places.
    const ID: &'static str;
    /// Its own options, besides those of all.
    type Options: Record;
    /// The numbers that it finds in a part of the image.
    type Found: FromJson + ToJson;

    /// What is an image of its own, for methods whose options have no `per`.
    const PER: Per = Per::Volume;

    /// Whether the image's channels come out in reverse order. Only where `PER` is a channel.
    fn reverses_channels(&self, _options: &Self::Options) -> bool {
        false
    }

    /// Finds the numbers in the chosen voxels of a part.
    fn find(&self, options: &Self::Options, sample: &Sample) -> Result<Self::Found, Error>;

    /// The map that follows from them.
    fn map(&self, options: &Self::Options, found: &Self::Found) -> Map;

    /// Fills what is wanted of the outputs besides the image. Not called for methods whose options offer `per`.
    fn others(
        &self,
        _options: &Self::Options,
        _found: &Self::Found,
        _sample: &Sample,
        _outputs: &mut Outputs,
    ) -> Result<(), Error> {
        Ok(())
    }
}

/// The map on a line that takes the ends of `from`, which differ, to those of `to`. What lies beyond is clipped or goes on.
pub fn line(from: [f64; 2], to: [f64; 2], clip: bool) -> Map {
    Map {
        clip: if clip { from } else { Map::IDENTITY.clip },
        subtract: from[0],
        divide: from[1] - from[0],
        multiply: to[1] - to[0],
        add: to[0],
        ..Map::IDENTITY
    }
}

choice! {
    /// What becomes of a region whose spread is 0, where a method divides by it.
    pub enum Constant {
        /// An error.
        Refuse,
        /// It is divided by 1.
        Centre,
    }
}

fitted! {
    /// The options or the numbers of a method that has none.
    pub struct Nothing {}

    /// Values between which voxels lie.
    pub struct Limits {
        pub lower: f64,
        pub upper: f64,
    }
}

impl<P: Pointwise> Step for P {
    fn id(&self) -> &'static str {
        P::ID
    }

    fn fit(&self, options: &Value, inputs: &Inputs, session: &Session) -> Result<Value, Error> {
        Bound::of(inputs, options, P::PER, &|own| with_options(self, own))?.fit(session)
    }

    fn apply(
        &self,
        options: &Value,
        fitted: &Value,
        inputs: &Inputs,
        outputs: &mut Outputs,
        session: &Session,
    ) -> Result<Value, Error> {
        Bound::of(inputs, options, P::PER, &|own| with_options(self, own))?.apply(fitted, outputs, session)
    }
}

struct WithOptions<'a, P: Pointwise> {
    step: &'a P,
    options: P::Options,
}

fn with_options<'a, P: Pointwise>(step: &'a P, own: &mut Fields) -> Box<dyn Method + 'a> {
    Box::new(WithOptions { step, options: Record::from_fields(own) })
}

impl<P: Pointwise> Method for WithOptions<'_, P> {
    fn reverses_channels(&self) -> bool {
        self.step.reverses_channels(&self.options)
    }

    fn find(&self, sample: &Sample) -> Result<Value, Error> {
        Ok(self.step.find(&self.options, sample)?.to_json())
    }

    fn map(&self, found: &Value) -> Result<Map, Error> {
        Ok(self.step.map(&self.options, &step::fitted(P::ID, found)?))
    }

    fn others(&self, found: &Value, sample: &Sample, outputs: &mut Outputs) -> Result<(), Error> {
        self.step.others(&self.options, &step::fitted(P::ID, found)?, sample, outputs)
    }
}
