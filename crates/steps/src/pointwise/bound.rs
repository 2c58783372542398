//! A method bound to its options and an image. Of no type, so that it is compiled once for all methods.

use super::image::{Image, Part};
use super::{Per, Sample};
use crate::json::{Fields, Record, ToJson, read_fields};
use crate::step::{self, wrong};
use crate::{Error, Inputs, Outputs, Place, Session, region};
use serde_json::{Map, Value};
use voxnorm_kernels::pointwise::{self, Mapped, Outside};
use voxnorm_kernels::select::Select;

/// A method with its own options.
pub trait Method {
    fn reverses_channels(&self) -> bool;
    fn find(&self, sample: &Sample) -> Result<Value, Error>;
    fn map(&self, found: &Value) -> Result<pointwise::Map, Error>;
    fn others(&self, found: &Value, sample: &Sample, outputs: &mut Outputs) -> Result<(), Error>;
}

/// Reads a method's own options among others.
pub type With<'a> = &'a dyn Fn(&mut Fields) -> Box<dyn Method + 'a>;

record! {
    /// Options of every method, as `ts/steps/region.ts` declares them.
    struct Shared {
        changed: Changed,
        outside_value: OutsideValue,
        /// Left out by methods that take the image as one.
        per: Option<Per>,
    }
}

choice! {
    enum Changed {
        Everywhere,
        Region,
    }

    enum OutsideValue {
        Keep,
        Value(f32),
    }
}

fitted! {
    /// What was found in each part, in their order.
    struct Fitted {
        parts: Vec<Map<String, Value>>,
    }
}

pub struct Bound<'a> {
    image: Image<'a>,
    region: region::Options,
    shared: Shared,
    method: Box<dyn Method + 'a>,
}

impl<'a> Bound<'a> {
    /// Reads the options: the region's, those of every method, and by `with` the method's own. `per` is what is an image of
    /// its own where they do not say.
    pub fn of(inputs: &'a Inputs<'a>, options: &Value, per: Per, with: With<'a>) -> Result<Bound<'a>, Error> {
        let read = read_fields(options, |fields| {
            (Record::from_fields(fields), Shared::from_fields(fields), with(fields))
        });
        let (region, shared, method) = read.map_err(|error| wrong(inputs.step(), &error))?;
        let image = Image::of(inputs, shared.per.unwrap_or(per), method.reverses_channels())?;
        Ok(Bound { image, region, shared, method })
    }

    pub fn fit(&self, session: &Session) -> Result<Value, Error> {
        let parts = self.image.parts.iter().map(|part| {
            let sample = self.sample(part, None, session)?;
            let Value::Object(mut found) = self.method.find(&sample)? else {
                return Err(Error::internal(format!("{}: found no object", sample.subject)));
            };
            found.insert("voxels".into(), sample.count()?.into());
            found.insert("threshold".into(), sample.threshold().into());
            Ok(found)
        });
        Ok(Fitted { parts: parts.collect::<Result<_, Error>>()? }.to_json())
    }

    pub fn apply(&self, fitted: &Value, outputs: &mut Outputs, session: &Session) -> Result<Value, Error> {
        let Bound { image, shared, method, .. } = self;
        let step = image.inputs.step();
        let fitted: Fitted = step::fitted(step, fitted)?;
        let (expected, got) = (image.parts.len(), fitted.parts.len());
        if got != expected {
            let message = format!(
                "{step}: parts: expected fitted values of {expected} parts, as the image has, got {got}"
            );
            return Err(Error::new("BadFitted", message).with(object! { expected, got }));
        }
        let outside = match shared.outside_value {
            OutsideValue::Keep => Outside::Keep,
            OutsideValue::Value(value) => Outside::Value(value),
        };
        let mut to = self.place(outputs)?;
        let is_taken = matches!(to, Place::Taken(_));
        let mut sum = Mapped::NONE;
        for (part, mut found) in image.parts.iter().zip(fitted.parts) {
            found.remove("voxels");
            let threshold: Option<f32> = step::fitted(step, &found.remove("threshold").unwrap_or_default())?;
            let found = Value::Object(found);
            let sample = || self.sample(part, threshold, session);
            if shared.per.is_none() && outputs.want_more_than("image") {
                method.others(&found, &sample()?, outputs)?;
            }
            let sample = if shared.changed == Changed::Region { Some(sample()?) } else { None };
            let select = sample.as_ref().map_or(Select::All, Sample::select);
            let Some(to) = to.numbers().get_mut(part.to.clone()) else { continue };
            let voxels = if is_taken { None } else { Some(&image.voxels[part.from.clone()]) };
            let told = pointwise::map(voxels, select, &method.map(&found)?, outside, to, &session.run)?;
            if let Some(sample) = sample {
                sample.some(told.count)?;
            }
            sum = sum.and(told);
        }
        outputs.put("image", to.own());
        let [below, above] = sum.clipped;
        Ok(object! {
            voxels: sum.count,
            clipped: object! {
                below,
                above,
                fraction: if sum.count == 0 { 0.0 } else { (below + above) as f64 / sum.count as f64 },
            },
            range: (sum.count > sum.not_finite).then_some(sum.range),
            not_finite: sum.not_finite,
        })
    }

    /// Where the image goes: in the place of the input, where the caller gives that up and each part has the place that it had.
    fn place<'o>(&self, outputs: &mut Outputs<'o>) -> Result<Place<'o>, Error> {
        let length = self.image.voxels.len();
        if self.image.parts.iter().all(|part| part.from == part.to) {
            return outputs.take_over("image", length);
        }
        Ok(Place::Apart(outputs.take("image", length)?))
    }

    fn sample<'s>(
        &'s self,
        part: &Part,
        known: Option<f32>,
        session: &'s Session,
    ) -> Result<Sample<'s>, Error> {
        self.image.sample(&self.region, part, known, &session.run)
    }
}
