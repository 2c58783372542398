//! White Stripe. Semantics, options and sources: `ts/steps/white-stripe.ts`.

use crate::Outputs;
use crate::error::{Error, Number};
use crate::json::{Fields, Record};
use crate::pointwise::{Pointwise, Sample};
use crate::tissue_mode::{self, Mode, Peak, at_least, at_most};
use voxnorm_kernels::pointwise::Map;
use voxnorm_kernels::select::{Select, mark};

pub struct WhiteStripe;

pub struct Options {
    mode: tissue_mode::Options,
    own: Own,
}

record! {
    struct Own {
        bounds: Bounds,
        width_lower: f64,
        width_upper: f64,
        centre: Centre,
        rounds: usize,
        tolerance: f64,
        location: Location,
        ddof: usize,
        epsilon: f64,
        remove_outliers: Option<f64>,
        norm_value: f64,
        offset: f64,
    }
}

choice! {
    /// What bounds a stripe.
    enum Bounds {
        /// Quantiles around the mode's, which do not belong to it.
        Quantile,
        /// Intensities around a centre, which belong to it.
        Intensity,
        /// Nothing: the region is the stripe.
        Region,
    }

    enum Centre {
        Mean,
        Median,
    }

    enum Location {
        Mean,
        Mode,
    }
}

impl Record for Options {
    fn from_fields(fields: &mut Fields) -> Options {
        Options { mode: Record::from_fields(fields), own: Record::from_fields(fields) }
    }
}

fitted! {
    pub struct Found {
        /// `None` where the region is the stripe.
        stripe: Option<Stripe>,
        /// The stripe of the T2 image, where there is one.
        t2: Option<Stripe>,
        stripe_voxels: usize,
        location: f64,
        standard_deviation: f64,
        divisor: f64,
    }

    struct Stripe {
        mode: f64,
        is_peak: bool,
        lower: f64,
        upper: f64,
    }
}

impl Stripe {
    /// The stripe around a mode of all of a sample's voxels.
    fn find(options: &Options, peak: Peak, sample: &Sample) -> Result<Stripe, Error> {
        let Mode { value: mode, is_peak } = tissue_mode::find(&options.mode, peak, sample)?;
        let own = &options.own;
        let [lower, upper] = match own.bounds {
            Bounds::Intensity => Stripe::around(own, mode, sample)?,
            Bounds::Quantile | Bounds::Region => {
                let below = Select::Within(f32::NEG_INFINITY, at_least(mode).next_down());
                let count = below.count(sample.voxels, sample.run)?;
                let quantile = count as f64 / sample.voxels.len() as f64;
                let [low, high] = [quantile - own.width_lower, quantile + own.width_upper];
                sample.percentiles([low.max(0.0) * 100.0, high.min(1.0) * 100.0])?
            }
        };
        Ok(Stripe { mode, is_peak, lower, upper })
    }

    /// Moves the stripe to the centre of what it holds, until it rests.
    fn around(own: &Own, mode: f64, sample: &Sample) -> Result<[f64; 2], Error> {
        let bounds = |centre: f64| [centre - own.width_lower * centre, centre + own.width_upper * centre];
        let [mut lower, mut upper] = bounds(mode);
        for _ in 0..own.rounds {
            let inside = sample.again(sample.voxels, Select::Within(at_least(lower), at_most(upper)));
            let centre = match own.centre {
                Centre::Mean => inside.moments().map(|moments| moments.mean),
                Centre::Median => inside.percentiles([50.0]).map(|[median]| median),
            };
            let [low, high] = bounds(centre.map_err(|error| empty(error, mode, [lower, upper], ""))?);
            if (low - lower).abs() + (high - upper).abs() < own.tolerance {
                break;
            }
            [lower, upper] = [low, high];
        }
        Ok([lower, upper])
    }

    fn select(&self, bounds: Bounds) -> Select<'static> {
        match bounds {
            Bounds::Intensity => Select::Within(at_least(self.lower), at_most(self.upper)),
            _ => Select::Within(at_most(self.lower).next_up(), at_least(self.upper).next_down()),
        }
    }
}

/// The error of a stripe without voxels says which it is.
fn empty(error: Error, mode: f64, [lower, upper]: [f64; 2], also: &str) -> Error {
    if error.code != "EmptyMask" {
        return error;
    }
    let message = format!(
        "white-stripe: expected voxels from {} to {}, the stripe around the mode {}{also}, got none; check the modality \
         and the region",
        Number(lower),
        Number(upper),
        Number(mode)
    );
    Error::new("EmptyMask", message).with(object! { mode, lower, upper })
}

impl Pointwise for WhiteStripe {
    const ID: &'static str = "white-stripe";
    type Options = Options;
    type Found = Found;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        let own = &options.own;
        let chosen = sample.chosen(sample.voxels)?;
        let all = sample.again(&chosen, Select::All);
        if own.bounds == Bounds::Region {
            return self.found(options, None, None, &all);
        }
        let stripe = Stripe::find(options, options.mode.peak(), &all)?;
        let Some(t2) = t2(sample)? else {
            let inside = sample.again(&chosen, stripe.select(own.bounds));
            return self.found(options, Some(stripe), None, &inside);
        };
        let second = sample.chosen(t2)?;
        let mut second = sample.again(&second, Select::All);
        second.subject.part = "t2".into();
        let found = Stripe::find(options, Peak::Largest, &second)?;
        let both = second.again(second.voxels, found.select(own.bounds)).chosen(&chosen)?;
        let inside = sample.again(&both, stripe.select(own.bounds));
        self.found(options, Some(stripe), Some(found), &inside)
    }

    fn map(&self, options: &Options, found: &Found) -> Map {
        let most = options.own.remove_outliers.unwrap_or(f64::INFINITY);
        Map {
            subtract: found.location,
            divide: found.divisor,
            limit: [-most, most],
            multiply: options.own.norm_value,
            add: options.own.offset,
            ..Map::IDENTITY
        }
    }

    fn others(
        &self,
        options: &Options,
        found: &Found,
        sample: &Sample,
        outputs: &mut Outputs,
    ) -> Result<(), Error> {
        let bounds = options.own.bounds;
        let mut choices = vec![sample.select().among(sample.voxels)];
        if let Some(stripe) = &found.stripe {
            choices.push(stripe.select(bounds).among(sample.voxels));
        }
        if let (Some(stripe), Some(t2)) = (&found.t2, t2(sample)?) {
            choices.push(stripe.select(bounds).among(t2));
        }
        let mut to = outputs.take("stripe", sample.voxels.len())?;
        mark(&choices, to.numbers(), sample.run)?;
        outputs.put("stripe", to);
        Ok(())
    }
}

impl WhiteStripe {
    /// What standardises by the voxels of the stripe.
    fn found(
        &self,
        options: &Options,
        stripe: Option<Stripe>,
        t2: Option<Stripe>,
        inside: &Sample,
    ) -> Result<Found, Error> {
        let own = &options.own;
        let moments = inside.moments().map_err(|error| match &stripe {
            Some(stripe) => {
                let also = if t2.is_some() { " and in that of t2" } else { "" };
                empty(error, stripe.mode, [stripe.lower, stripe.upper], also)
            }
            None => error,
        })?;
        let standard_deviation = moments.variance(own.ddof).sqrt();
        // Of a single voxel there is none with one degree of freedom.
        if standard_deviation.is_nan() || standard_deviation == 0.0 {
            return Err(inside.constant(moments.mean));
        }
        let location = match (own.location, &stripe) {
            (Location::Mode, Some(stripe)) => stripe.mode,
            _ => moments.mean,
        };
        let divisor = standard_deviation + own.epsilon;
        Ok(Found { stripe, t2, stripe_voxels: moments.count, location, standard_deviation, divisor })
    }
}

/// The T2 image's voxels, where there is one.
fn t2<'a>(sample: &Sample<'a>) -> Result<Option<&'a [f32]>, Error> {
    let Some(t2) = sample.inputs.on_grid_of("t2", &sample.inputs.image()?.grid)? else { return Ok(None) };
    let (expected, got) = (sample.voxels.len(), t2.voxels.len());
    if expected == got {
        return Ok(Some(t2.voxels));
    }
    let message = format!(
        "white-stripe: t2: expected an image of one channel with it, got {expected} voxels and {got}"
    );
    Err(Error::new("BadVolume", message).with(object! { input: "t2", expected, got }))
}
