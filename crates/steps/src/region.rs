//! Which voxels a method uses: a mask, or a rule in its place. Every step resolves it here.

use crate::error::{Error, Number};
use crate::{Inputs, Session, inputs::Volume};
use voxnorm_kernels::histogram::{Bins, histogram, otsu, range};
use voxnorm_kernels::moments::moments;
use voxnorm_kernels::run::Run;
use voxnorm_kernels::select::{Select, Values};

choice! {
    /// Which value of a mask selects a voxel.
    pub enum Label {
        /// Voxels of any value but 0.
        Nonzero,
        /// Voxels of exactly this value.
        Value(f32),
    }
}

record! {
    /// Which voxels the numbers of a method come from, as `ts/steps/region.ts` declares it.
    pub struct Options {
        region: Kind,
        foreground: Foreground,
        mask_label: Label,
    }
}

choice! {
    enum Kind {
        Whole,
        Foreground,
        Mask,
        NotMask,
    }

    enum Foreground {
        Positive,
        Nonzero,
        Mean,
        Otsu,
        /// Voxels above this value.
        Above(f32),
    }
}

/// A resolved choice of voxels.
pub struct Region<'a> {
    select: Select<'a>,
    mask: Option<(Values<'a>, Label)>,
    /// What names it in a report: `whole`, `mask`, `not-mask`, or the rule of a foreground.
    pub rule: &'static str,
    /// The threshold that a rule found; voxels above it are selected.
    pub threshold: Option<f32>,
}

impl<'a> Region<'a> {
    /// The region that the input `name` describes: a mask volume, the rule `otsu`, or every voxel.
    /// `known` is a threshold found before, which is then not looked for again.
    pub fn resolve(
        inputs: &Inputs<'a>,
        name: &str,
        label: Label,
        image: &Volume,
        known: Option<f32>,
        session: &Session,
    ) -> Result<Region<'a>, Error> {
        if let Some(mask) = inputs.mask(name, &image.grid)? {
            return Ok(Region::of_mask(mask, label));
        }
        let threshold = match (inputs.rule(name), known) {
            (None, _) => return Ok(Region::WHOLE),
            (Some("otsu"), Some(known)) => known,
            (Some("otsu"), None) => {
                let subject = Subject::new(inputs.step(), String::new());
                otsu_threshold(&subject, image.voxels, &session.run)?
            }
            (Some(rule), _) => return Err(Error::internal(format!("{name}: rule {rule}"))),
        };
        Ok(Region::above(threshold, "otsu"))
    }

    /// The region that `options` describe among `voxels`, of which `mask` has one value each. The foreground's
    /// threshold is found in these voxels alone, unless it is `known`.
    pub fn among(
        options: &Options,
        voxels: &'a [f32],
        mask: Option<Values<'a>>,
        known: Option<f32>,
        subject: &Subject,
        run: &Run,
    ) -> Result<Region<'a>, Error> {
        let mask = || {
            let message = format!(
                "{}: expected the input \"{}\" for this region, got none",
                subject.step, subject.mask
            );
            mask.ok_or_else(|| Error::new("MissingInput", message).with(object! { input: subject.mask }))
        };
        let foreground = match (options.region, options.foreground) {
            (Kind::Whole, _) => return Ok(Region::WHOLE),
            (Kind::Mask, _) => return Ok(Region::of_mask(mask()?, options.mask_label)),
            (Kind::NotMask, _) => {
                let inside = Region::of_mask(mask()?, options.mask_label);
                let select = match inside.select {
                    Select::Label(mask, value) => Select::Other(mask, value),
                    Select::Other(mask, value) => Select::Label(mask, value),
                    other => other,
                };
                return Ok(Region { select, rule: "not-mask", ..inside });
            }
            (Kind::Foreground, foreground) => foreground,
        };
        let threshold = |find: &dyn Fn() -> Result<f32, Error>| known.map_or_else(find, Ok);
        Ok(match foreground {
            Foreground::Above(threshold) => Region::above(threshold, "threshold"),
            Foreground::Positive => Region::above(0.0, "positive"),
            Foreground::Nonzero => Region {
                select: Select::Other(Values::Floats(voxels), 0.0),
                rule: "nonzero",
                ..Region::WHOLE
            },
            Foreground::Mean => Region::above(threshold(&|| mean_threshold(subject, voxels, run))?, "mean"),
            Foreground::Otsu => Region::above(threshold(&|| otsu_threshold(subject, voxels, run))?, "otsu"),
        })
    }

    const WHOLE: Region<'static> = Region { select: Select::All, mask: None, rule: "whole", threshold: None };

    fn above(threshold: f32, rule: &'static str) -> Region<'static> {
        Region { select: Select::Above(threshold), mask: None, rule, threshold: Some(threshold) }
    }

    fn of_mask(mask: Values<'a>, label: Label) -> Region<'a> {
        let select = match label {
            Label::Value(label) => Select::Label(mask, label),
            Label::Nonzero => Select::Other(mask, 0.0),
        };
        Region { select, mask: Some((mask, label)), rule: "mask", threshold: None }
    }

    /// Among voxels that were chosen before.
    pub fn again(select: Select<'a>) -> Region<'a> {
        Region { select, rule: "chosen", ..Region::WHOLE }
    }

    /// The choice, as kernels take it.
    pub fn select(&self) -> Select<'a> {
        self.select
    }

    /// The error of a region that selects no voxel, with what its mask holds instead.
    pub fn empty(&self, subject: &Subject) -> Error {
        let mut values: Vec<f32> = Vec::new();
        let mask = self.mask.iter();
        for value in mask.flat_map(|(mask, _)| (0..mask.len()).map(|i| mask.at(i))) {
            if !values.iter().any(|v| v.to_bits() == value.to_bits()) {
                values.push(value);
                if values.len() > 8 {
                    break;
                }
            }
        }
        let many = if values.len() > 8 { " and more" } else { "" };
        let found: Vec<String> = values.iter().map(|&value| Number(value.into()).to_string()).collect();
        let selected = self.mask.map_or(0, |(mask, _)| {
            // A mask is chosen from by its own values alone.
            let choice = self.select.among(&[]);
            (0..mask.len()).filter(|&i| choice.includes(i)).count()
        });
        let expected = |label| match (label, self.rule) {
            (Label::Value(label), "not-mask") => {
                format!("voxels of a value other than {}", Number(label.into()))
            }
            (Label::Value(label), _) => format!("voxels of value {}", Number(label.into())),
            (Label::Nonzero, "not-mask") => "voxels of value 0".to_owned(),
            (Label::Nonzero, _) => "voxels other than 0".to_owned(),
        };
        let name = subject.mask;
        let text = match self.mask {
            Some((_, label)) if selected > 0 => format!(
                "{name}: expected {} among those used, got none: its {selected} were shrunk away or weigh nothing",
                expected(label)
            ),
            Some((_, label)) => {
                format!("{name}: expected {}, got a mask of {}{many}", expected(label), found.join(", "))
            }
            None => format!("expected voxels to use, got none ({} region)", self.rule),
        };
        Error::new("EmptyMask", format!("{subject}: {text}"))
            .with(object! { rule: self.rule, values, selected })
    }
}

/// What an error speaks of: a step, and the part of the image that it looks at, such as `slice 3`.
#[derive(Clone)]
pub struct Subject {
    #[allow(missing_docs)]
    pub step: &'static str,
    /// Empty where it is all of the image.
    pub part: String,
    /// The inputs that hold the voxels, and the mask of a region.
    pub image: &'static str,
    #[allow(missing_docs)]
    pub mask: &'static str,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.step)?;
        if self.part.is_empty() { Ok(()) } else { write!(f, ": {}", self.part) }
    }
}

impl Subject {
    /// A part of the image.
    pub const fn new(step: &'static str, part: String) -> Subject {
        Subject { step, part, image: "image", mask: "mask" }
    }

    /// The error of voxels that would be used but are not finite.
    pub fn not_finite(&self, count: usize, of: usize) -> Error {
        Error::new(
            "NotFinite",
            format!("{self}: {}: expected finite voxels, got {count} NaN or infinite of {of}", self.image),
        )
        .with(object! { count, voxels: of })
    }

    /// The error of an option that the formula needs and that was not given.
    pub fn missing_option(&self, option: &str) -> Error {
        let message = format!("{self}: {option}: expected it, as the formula needs it, got none");
        Error::new("BadOption", message).with(object! { option })
    }

    /// The error of an image that has nothing to tell apart.
    pub fn constant(&self, value: f64) -> Error {
        let message = format!("{self}: {}: expected voxels that differ, got one value", self.image);
        Error::new("ConstantImage", message).with(object! { value })
    }
}

/// The mean of all, in the precision of the voxels.
fn mean_threshold(subject: &Subject, voxels: &[f32], run: &Run) -> Result<f32, Error> {
    let found = moments(voxels, Select::All, run)?;
    if found.mean.is_finite() {
        return Ok(found.mean as f32);
    }
    let range = range(voxels, Select::All, run)?;
    Err(subject.not_finite(range.not_finite, voxels.len()))
}

/// Otsu's threshold as ITK computes it: 200 bins from the smallest to just above the largest value,
/// the threshold being the upper edge of the last bin of the lower class.
fn otsu_threshold(subject: &Subject, voxels: &[f32], run: &Run) -> Result<f32, Error> {
    const BINS: usize = 200;
    let found = range(voxels, Select::All, run)?;
    if found.not_finite > 0 {
        return Err(subject.not_finite(found.not_finite, voxels.len()));
    }
    let constant = || subject.constant(f64::from(found.low));
    let [low, high] = [found.low, found.high].map(f64::from);
    // ITK widens the range by a hundredth of a bin, so that the largest value falls inside the last.
    let bins = Bins::new(low, high + (high - low) / BINS as f64 / 100.0, BINS).ok_or_else(constant)?;
    let counts = histogram(voxels, Select::All, bins, run)?.bins;
    let cut = otsu(&counts, |bin| bins.centre(bin)).ok_or_else(constant)?;
    Ok(bins.edge(cut + 1) as f32)
}
