//! What a method is, and how a call becomes its typed inputs.

use crate::{Buffer, Call, Error, Owned, Reply};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use voxnorm_kernels::{
    grid::{Frame, Grid},
    level::Level,
    memory::{Array, array},
    parallel::Pool,
    run::Run,
    select::Values,
};

/// How a call runs.
pub struct Session<'a> {
    /// Instructions, threads, and the caller's wish to stop.
    pub run: Run<'a>,
    /// Told `{ fraction, … }` now and then.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

impl<'a> Session<'a> {
    /// A session on `threads` threads (0: one per core) at the instruction set called `simd`
    /// (empty: the widest there is).
    pub fn new(
        threads: usize,
        simd: &str,
        cancelled: &'a (dyn Fn() -> bool + Sync),
        progress: &'a (dyn Fn(&str) + Sync),
    ) -> Result<Session<'a>, Error> {
        let level = if simd.is_empty() { Some(Level::best()) } else { Level::named(simd) };
        let level = level.ok_or_else(|| {
            let supported = Level::supported();
            Error::new(
                "UnsupportedSimd",
                format!("simd: expected one of {} on this processor, got {simd:?}", supported.join(", ")),
            )
            .with(json!({ "expected": supported, "got": simd }))
        })?;
        let threads = match threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            some => some,
        };
        let pool = Pool::new(threads).map_err(|error| {
            Error::new("NoThreads", format!("threads: the system refused to start {threads}: {error}"))
        })?;
        Ok(Session { run: Run { level, pool, cancelled }, progress })
    }

    /// Tells the caller how far the work is.
    pub fn report(&self, progress: Value) {
        (self.progress)(&progress.to_string());
    }
}

/// A method. Options are complete when they come here: defaults live in `ts/steps/<id>.ts` alone.
pub trait Step: Sync {
    /// The id, the same in all places.
    const ID: &'static str;
    /// Strict: `#[serde(deny_unknown_fields)]`, no defaults.
    type Options: DeserializeOwned + Sync;
    /// What fitting finds, kept and replayed as JSON.
    type Fitted: Serialize + DeserializeOwned + Send;

    /// Finds the fitted values in the inputs.
    fn fit(&self, options: &Self::Options, inputs: &Inputs, session: &Session)
    -> Result<Self::Fitted, Error>;

    /// Fills the wanted outputs; returns what was measured on the way, for the report.
    fn apply(
        &self,
        options: &Self::Options,
        fitted: &Self::Fitted,
        inputs: &Inputs,
        outputs: &mut Outputs,
        session: &Session,
    ) -> Result<Value, Error>;
}

/// A step of whatever types, for the list: what goes in and comes out is JSON, so that a call is compiled once.
pub(crate) trait AnyStep: Sync {
    fn id(&self) -> &'static str;

    fn fit_json(&self, options: &Value, inputs: &Inputs, session: &Session) -> Result<Value, Error>;

    fn apply_json(
        &self,
        options: &Value,
        fitted: &Value,
        inputs: &Inputs,
        outputs: &mut Outputs,
        session: &Session,
    ) -> Result<Value, Error>;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Request {
    // Of no step's type, so that one parser of text serves all.
    options: Value,
    #[serde(default)]
    fitted: Option<Value>,
    #[serde(default)]
    inputs: BTreeMap<String, Input>,
    #[serde(default)]
    outputs: Vec<String>,
}

/// What a request says of one input.
#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    #[serde(rename_all = "camelCase")]
    Volume {
        shape: [usize; 3],
        affine: [[f64; 4]; 3],
        channels: usize,
        itk: Option<Box<FrameJson>>,
    },
    Rule {
        rule: String,
    },
}

/// A grid as ITK holds it.
#[derive(Deserialize)]
struct FrameJson {
    origin: [f64; 3],
    spacing: [f64; 3],
    direction: [[f64; 3]; 3],
}

impl Request {
    fn parse(call: &Call) -> Result<Request, Error> {
        serde_json::from_str(call.request).map_err(|error| wrong(call.step, &error))
    }
}

fn wrong(step: &str, error: &serde_json::Error) -> Error {
    Error::internal(format!("{step}: {error}"))
}

impl<S: Step> AnyStep for S {
    fn id(&self) -> &'static str {
        S::ID
    }

    fn fit_json(&self, options: &Value, inputs: &Inputs, session: &Session) -> Result<Value, Error> {
        let options = S::Options::deserialize(options).map_err(|error| wrong(S::ID, &error))?;
        let fitted = self.fit(&options, inputs, session)?;
        serde_json::to_value(fitted).map_err(|error| wrong(S::ID, &error))
    }

    fn apply_json(
        &self,
        options: &Value,
        fitted: &Value,
        inputs: &Inputs,
        outputs: &mut Outputs,
        session: &Session,
    ) -> Result<Value, Error> {
        let options = S::Options::deserialize(options).map_err(|error| wrong(S::ID, &error))?;
        // That they are not the step's is the caller's mistake, all else would be our own.
        let fitted = S::Fitted::deserialize(fitted)
            .map_err(|error| Error::new("BadFitted", format!("{}: {error}", S::ID)))?;
        self.apply(&options, &fitted, inputs, outputs, session)
    }
}

impl dyn AnyStep {
    /// One call.
    pub(crate) fn call(&self, call: &Call, into: Into, session: &Session) -> Result<Reply, Error> {
        let Request { options, fitted, inputs, outputs: wanted } = Request::parse(call)?;
        let step = self.id();
        let inputs = Inputs { step, given: &inputs, buffers: call.buffers };
        let mut outputs = Outputs { step, wanted, into, made: Vec::new() };
        let mut json = serde_json::Map::new();

        let fitted = match (call.phase, fitted) {
            ("fit" | "run", None) => {
                let fitted = self.fit_json(&options, &inputs, session)?;
                json.insert("fitted".into(), fitted.clone());
                fitted
            }
            ("apply", Some(fitted)) => fitted,
            (phase, fitted) => {
                let with = if fitted.is_some() { "with" } else { "without" };
                return Err(Error::internal(format!("{step}: phase {phase:?} {with} fitted values")));
            }
        };
        if call.phase != "fit" {
            session.run.check()?;
            let measures = self.apply_json(&options, &fitted, &inputs, &mut outputs, session)?;
            json.insert("measures".into(), measures);
        }
        Ok(Reply { json: Value::Object(json).to_string(), buffers: outputs.made })
    }
}

/// A named volume among the inputs.
pub struct Volume<'a> {
    /// Where its voxels lie.
    pub grid: Grid,
    /// Values a voxel.
    pub channels: usize,
    /// The channels, one after the other.
    pub voxels: &'a [f32],
}

/// The inputs of a call, by name.
pub struct Inputs<'a> {
    step: &'static str,
    given: &'a BTreeMap<String, Input>,
    buffers: &'a [(&'a str, Buffer<'a>)],
}

impl<'a> Inputs<'a> {
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
        Error::new("MissingInput", format!("{}: expected the input {name:?}, got none", self.step))
            .with(json!({ "input": name }))
    }

    fn find(&self, name: &str) -> Result<Option<(Grid, usize, Values<'a>)>, Error> {
        let Some(Input::Volume { shape, affine, channels, itk }) = self.given.get(name) else {
            return Ok(None);
        };
        let itk = itk.as_ref().map(|frame| Frame {
            origin: frame.origin,
            spacing: frame.spacing,
            direction: frame.direction,
        });
        let grid = Grid { shape: *shape, affine: *affine, itk };
        let (_, values) = self
            .buffers
            .iter()
            .find(|(buffer, _)| *buffer == name)
            .ok_or_else(|| Error::internal(format!("{}: {name}: no buffer of voxels", self.step)))?;
        let (expected, got) = (grid.voxels() * channels, values.len());
        if got == expected {
            return Ok(Some((grid, *channels, *values)));
        }
        let message = format!(
            "{}: {name}: expected {expected} voxels for shape {shape:?} of {channels} channels, got {got}",
            self.step
        );
        Err(Error::new("BadVolume", message).with(json!({ "input": name, "shape": shape, "voxels": got })))
    }

    fn expect_one_channel(&self, name: &str, channels: usize) -> Result<(), Error> {
        if channels == 1 {
            return Ok(());
        }
        let message = format!("{}: {name}: expected one channel, got {channels}", self.step);
        Err(Error::new("BadVolume", message).with(json!({ "input": name, "channels": channels })))
    }

    fn expect_shape(&self, name: &str, grid: &Grid, reference: &Grid) -> Result<(), Error> {
        let (expected, got) = (reference.shape, grid.shape);
        if got == expected {
            return Ok(());
        }
        let message = format!("{}: {name}: expected the image's shape {expected:?}, got {got:?}", self.step);
        Err(Error::new("GridMismatch", message)
            .with(json!({ "input": name, "expected": expected, "got": got })))
    }

    /// The id of the step that they are given to.
    pub fn step(&self) -> &'static str {
        self.step
    }

    /// The rule named in place of the volume `name`, such as `otsu` for a mask.
    pub fn rule(&self, name: &str) -> Option<&'a str> {
        match self.given.get(name) {
            Some(Input::Rule { rule }) => Some(rule),
            _ => None,
        }
    }
}

/// The caller's arrays for some of the outputs, by name.
pub type Into<'a> = Vec<(&'a str, &'a mut [f32])>;

/// The outputs of a call: only those that were asked for are worth computing.
pub struct Outputs<'a> {
    step: &'static str,
    wanted: Vec<String>,
    into: Into<'a>,
    made: Vec<(String, Owned)>,
}

impl<'a> Outputs<'a> {
    /// Whether an output besides `name` was asked for.
    pub fn want_more_than(&self, name: &str) -> bool {
        self.wanted.iter().any(|wanted| wanted != name)
    }

    /// Where the output `name` of `length` voxels goes: the caller's array, or one of our own; an empty one where the
    /// caller did not ask for it.
    pub fn take(&mut self, name: &str, length: usize) -> Result<Array<'a>, Error> {
        if !self.wanted.iter().any(|wanted| wanted == name) {
            return Ok(Array::NONE);
        }
        let Some(at) = self.into.iter().position(|(lent, _)| *lent == name) else {
            return Ok(Array::Own(array(length)));
        };
        let (_, lent) = self.into.swap_remove(at);
        if lent.len() == length {
            return Ok(Array::Lent(lent));
        }
        let message =
            format!("{}: into: {name}: expected room for {length} voxels, got {}", self.step, lent.len());
        Err(Error::new("BadVolume", message)
            .with(json!({ "output": name, "voxels": length, "got": lent.len() })))
    }

    /// Hands over what `take` gave and a kernel has filled.
    pub fn put(&mut self, name: &str, voxels: Array) {
        if let Array::Own(voxels) = voxels
            && !voxels.is_empty()
        {
            self.made.push((name.to_owned(), Owned::Floats(voxels)));
        }
    }
}
