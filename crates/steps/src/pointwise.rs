//! Methods that find a few numbers in a region and then change each voxel by its own value: all but their numbers and
//! their formula is here.

use crate::region::{self, Region, Subject};
use crate::{Error, Inputs, Outputs, Session, Step};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map as Object, Value, json};
use std::cell::Cell;
use std::ops::Range;
use voxnorm_kernels::distinct::distinct;
use voxnorm_kernels::memory::Kept;
use voxnorm_kernels::moments::{Moments, moments};
use voxnorm_kernels::pointwise::{Map, Mapped, Outside};
use voxnorm_kernels::quantile::{percentiles, percentiles_of_distance};
use voxnorm_kernels::run::Run;
use voxnorm_kernels::select::{Select, Values};
use voxnorm_kernels::{histogram, pointwise, select};

/// A method that maps voxels one by one.
pub trait Pointwise: Sync {
    /// The id, the same in all places.
    const ID: &'static str;
    /// Its own options, besides [`Shared`].
    type Options: DeserializeOwned + Sync;
    /// The numbers that it finds in a part of the image.
    type Found: Serialize + DeserializeOwned + Send;

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

/// What becomes of a region whose spread is 0, where a method divides by it.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Constant {
    /// An error.
    Refuse,
    /// It is divided by 1.
    Centre,
}

/// Options of every method here, as `ts/steps/region.ts` declares them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Shared {
    changed: Changed,
    outside_value: OutsideValue,
    /// Left out by methods that take the image as one.
    per: Option<Per>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Changed {
    Everywhere,
    Region,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum OutsideValue {
    Keep(Keep),
    Value(f32),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Keep {
    Keep,
}

/// What is an image of its own.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Per {
    Volume,
    Channel,
    Slice,
}

/// Something given once for all channels, or in a list of one for each. Of no type, so that what follows is compiled once.
#[derive(Deserialize)]
pub struct PerChannel(Value);

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
        Err(Error::new("BadOption", message)
            .with(json!({ "option": option, "channels": channels, "got": got })))
    }

    /// The number that is given for the sample's channel. `BadOption` where there is none.
    pub fn number(&self, option: &str, sample: &Sample) -> Result<f64, Error> {
        self.of(option, sample)?.as_f64().ok_or_else(|| sample.subject.missing_option(option))
    }
}

/// A method's options, taken apart: strict in each of its parts, which serde's flattening is not.
pub struct Options<O> {
    region: region::Options,
    shared: Shared,
    own: O,
}

impl<'de, O: DeserializeOwned> Deserialize<'de> for Options<O> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Options<O>, D::Error> {
        let all = Value::deserialize(deserializer)?;
        let parse = || {
            let (region, shared, own) = taken_apart(all)?;
            Ok(Options { region, shared, own: O::deserialize(&own)? })
        };
        parse().map_err(|error: serde_json::Error| D::Error::custom(error))
    }
}

fn taken_apart(mut all: Value) -> Result<(region::Options, Shared, Value), serde_json::Error> {
    let region = taken(&mut all, &["region", "foreground", "maskLabel"])?;
    let shared = taken(&mut all, &["changed", "outsideValue", "per"])?;
    Ok((region, shared, all))
}

/// Takes the options of these names out of `all`.
pub fn taken<T: DeserializeOwned>(all: &mut Value, names: &[&str]) -> Result<T, serde_json::Error> {
    let Value::Object(all) = all else { return Err(serde_json::Error::custom("expected an object")) };
    let taken = names.iter().filter_map(|name| all.remove_entry(*name));
    serde_json::from_value(Value::Object(taken.collect()))
}

/// What was found in each part, in their order.
#[derive(Serialize, Deserialize)]
pub struct Fitted {
    parts: Vec<Object<String, Value>>,
}

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
        Sample { voxels, inputs, run, subject, channel, options, region, counted: Cell::new(None) }
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
            return Err(self.region.empty(&self.subject));
        }
        Ok([found.low, found.high].map(f64::from))
    }

    /// Their different values, each with how often it occurs: at least two, and no more than can be kept.
    pub fn distinct(&self) -> Result<Vec<(f32, u64)>, Error> {
        const MOST: usize = 1 << 18;
        let [low, _] = self.range()?;
        match distinct(self.voxels, self.select(), MOST, self.run)? {
            Some(values) if values.len() > 1 => Ok(values),
            Some(_) => Err(self.constant(low)),
            None => {
                let Subject { image, .. } = self.subject;
                let message =
                    format!("{}: {image}: expected at most {MOST} different values, got more", self.subject);
                Err(Error::new("TooLarge", message).with(json!({ "input": image, "most": MOST })))
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
                    "{}: image: expected {what} above 0, got 0, as most voxels are equal, of {low} to {high}",
                    self.subject
                );
                Error::new("NoSpread", message).with(json!({ "range": [low, high] }))
            }
        }
    }

    /// The error of voxels that a formula needs above a limit, of which `least` is the smallest.
    pub fn not_above(&self, limit: f64, least: f64) -> Error {
        let message = format!("{}: image: expected voxels above {limit}, got {least}", self.subject);
        Error::new("NotPositive", message).with(json!({ "limit": limit, "least": least }))
    }

    fn some(&self, count: usize) -> Result<usize, Error> {
        self.counted.set(Some(count));
        if count == 0 { Err(self.region.empty(&self.subject)) } else { Ok(count) }
    }
}

impl<P: Pointwise> Step for P {
    const ID: &'static str = <P as Pointwise>::ID;
    type Options = Options<P::Options>;
    type Fitted = Fitted;

    fn fit(&self, options: &Self::Options, inputs: &Inputs, session: &Session) -> Result<Fitted, Error> {
        let image = Image::of(inputs, cut(self, options))?;
        find_in_parts(&image, &options.region, session, &Bound { step: self, options: &options.own })
    }

    fn apply(
        &self,
        options: &Self::Options,
        fitted: &Fitted,
        inputs: &Inputs,
        outputs: &mut Outputs,
        session: &Session,
    ) -> Result<Value, Error> {
        let image = Image::of(inputs, cut(self, options))?;
        let method = Bound { step: self, options: &options.own };
        map_parts(&image, (&options.region, &options.shared), fitted, outputs, session, &method)
    }
}

/// How an image is cut into parts.
struct Cut {
    per: Per,
    reversed: bool,
}

fn cut<P: Pointwise>(step: &P, options: &Options<P::Options>) -> Cut {
    Cut { per: options.shared.per.unwrap_or(P::PER), reversed: step.reverses_channels(&options.own) }
}

/// A method with its options, of no type, so that what follows is compiled once.
trait Method {
    fn find(&self, sample: &Sample) -> Result<Value, Error>;
    fn map(&self, found: &Value) -> Result<Map, Error>;
    fn others(&self, found: &Value, sample: &Sample, outputs: &mut Outputs) -> Result<(), Error>;
}

struct Bound<'a, P: Pointwise> {
    step: &'a P,
    options: &'a P::Options,
}

impl<P: Pointwise> Bound<'_, P> {
    fn parsed(found: &Value) -> Result<P::Found, Error> {
        P::Found::deserialize(found).map_err(|error| bad_fitted(P::ID, &error))
    }
}

impl<P: Pointwise> Method for Bound<'_, P> {
    fn find(&self, sample: &Sample) -> Result<Value, Error> {
        let found = self.step.find(self.options, sample)?;
        serde_json::to_value(found).map_err(|error| Error::internal(error.to_string()))
    }

    fn map(&self, found: &Value) -> Result<Map, Error> {
        Ok(self.step.map(self.options, &Self::parsed(found)?))
    }

    fn others(&self, found: &Value, sample: &Sample, outputs: &mut Outputs) -> Result<(), Error> {
        self.step.others(self.options, &Self::parsed(found)?, sample, outputs)
    }
}

fn bad_fitted(step: &str, error: &serde_json::Error) -> Error {
    Error::new("BadFitted", format!("{step}: {error}"))
}

fn find_in_parts(
    image: &Image,
    region: &region::Options,
    session: &Session,
    method: &dyn Method,
) -> Result<Fitted, Error> {
    let parts = image.parts.iter().map(|part| {
        let sample = image.sample(region, part, None, &session.run)?;
        let Value::Object(mut found) = method.find(&sample)? else {
            return Err(Error::internal(format!("{}: found no object", sample.subject)));
        };
        found.insert("voxels".into(), json!(sample.count()?));
        found.insert("threshold".into(), json!(sample.region.threshold));
        Ok(found)
    });
    Ok(Fitted { parts: parts.collect::<Result<_, Error>>()? })
}

fn map_parts(
    image: &Image,
    (region, shared): (&region::Options, &Shared),
    fitted: &Fitted,
    outputs: &mut Outputs,
    session: &Session,
    method: &dyn Method,
) -> Result<Value, Error> {
    let (step, expected, got) = (image.inputs.step(), image.parts.len(), fitted.parts.len());
    if got != expected {
        let message =
            format!("{step}: parts: expected fitted values of {expected} parts, as the image has, got {got}");
        return Err(Error::new("BadFitted", message).with(json!({ "expected": expected, "got": got })));
    }
    let outside = match shared.outside_value {
        OutsideValue::Keep(_) => Outside::Keep,
        OutsideValue::Value(value) => Outside::Value(value),
    };
    let mut to = outputs.take("image", image.voxels.len())?;
    let mut sum = Mapped::NONE;
    for (part, found) in image.parts.iter().zip(&fitted.parts) {
        let mut found = found.clone();
        found.remove("voxels");
        let threshold = serde_json::from_value(found.remove("threshold").unwrap_or_default());
        let threshold = threshold.map_err(|error| bad_fitted(step, &error))?;
        let found = Value::Object(found);
        let sample = || image.sample(region, part, threshold, &session.run);
        if shared.per.is_none() && outputs.want_more_than("image") {
            method.others(&found, &sample()?, outputs)?;
        }
        let sample = if shared.changed == Changed::Region { Some(sample()?) } else { None };
        let select = sample.as_ref().map_or(Select::All, Sample::select);
        let Some(to) = to.numbers().get_mut(part.to.clone()) else { continue };
        let voxels = &image.voxels[part.from.clone()];
        let told = pointwise::map(voxels, select, &method.map(&found)?, outside, to, &session.run)?;
        if let Some(sample) = sample {
            sample.some(told.count)?;
        }
        sum = sum.and(told);
    }
    outputs.put("image", to);
    let [below, above] = sum.clipped;
    Ok(json!({
        "voxels": sum.count,
        "clipped": {
            "below": below,
            "above": above,
            "fraction": if sum.count == 0 { 0.0 } else { (below + above) as f64 / sum.count as f64 },
        },
        "range": (sum.count > sum.not_finite).then_some(sum.range),
        "notFinite": sum.not_finite,
    }))
}

/// An image cut into what numbers are found in apart.
struct Image<'a> {
    inputs: &'a Inputs<'a>,
    voxels: &'a [f32],
    parts: Vec<Part>,
    given: Option<Values<'a>>,
    /// The mask once for each channel, where there are several.
    repeated: Vec<f32>,
}

struct Part {
    /// Where its voxels lie in the image.
    from: Range<usize>,
    /// Where they come out.
    to: Range<usize>,
    /// Which channel comes out there, of how many.
    channel: [usize; 2],
    /// Such as `slice 3 of 20`; empty for all of an image.
    name: String,
}

impl<'a> Image<'a> {
    fn of(inputs: &'a Inputs<'a>, Cut { per, reversed }: Cut) -> Result<Image<'a>, Error> {
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

    fn sample<'s>(
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
        let (channel, counted) = (part.channel, Cell::new(None));
        Ok(Sample { voxels, inputs: self.inputs, run, subject, channel, options, region, counted })
    }
}
