//! Standardised uptake values of PET. Semantics, options and sources: `ts/steps/suv.ts`.

use crate::error::{Error, Number};
use crate::pointwise::{Pointwise, Sample};
use voxnorm_kernels::math::once::{exp, ln};
use voxnorm_kernels::pointwise::Map;

pub struct Suv;

record! {
    pub struct Options {
        normalisation: Normalisation,
        /// Looked at before Rust: the image is Bq/mL.
        _units: String,
        weight: Option<f64>,
        height: Option<f64>,
        sex: Option<Sex>,
        injected_dose: Option<f64>,
        decay_corrected_to: Reference,
        half_life: Option<f64>,
        time_to_scan: Option<f64>,
    }
}

choice! {
    enum Normalisation {
        BodyWeight,
        LeanBodyMassJanmahasatian,
        LeanBodyMassJames,
        BodySurfaceArea,
        IdealBodyWeight,
        IdealBodyWeightDevine,
    }

    enum Sex {
        Female,
        Male,
    }

    enum Reference {
        Scan,
        Injection,
    }
}

fitted! {
    pub struct Found {
        size: f64,
        dose: f64,
        factor: f64,
    }
}

impl Pointwise for Suv {
    const ID: &'static str = "suv";
    type Options = Options;
    type Found = Found;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        let wrong = |option, text: String| {
            Error::new("BadOption", format!("{}: {option}: {text}", sample.subject)).with(object! { option })
        };
        let missing = |option| sample.subject.missing_option(option);
        let given = |option, value: Option<f64>| value.ok_or_else(|| missing(option));
        let mut dose = given("injectedDose", options.injected_dose)?;
        if let Reference::Scan = options.decay_corrected_to {
            let half_lives =
                given("timeToScan", options.time_to_scan)? / given("halfLife", options.half_life)?;
            dose *= exp(-half_lives * std::f64::consts::LN_2);
        }
        let height = || given("height", options.height);
        let of_sex = |female, male| match options.sex {
            Some(Sex::Female) => Ok(female),
            Some(Sex::Male) => Ok(male),
            None => Err(missing("sex")),
        };
        let weight = || given("weight", options.weight);
        // In kg, or 10 cm².
        let size = match options.normalisation {
            Normalisation::BodyWeight => weight()?,
            Normalisation::LeanBodyMassJanmahasatian => {
                let (weight, height) = (weight()?, height()?);
                let [constant, slope] = of_sex([8780.0, 244.0], [6680.0, 216.0])?;
                9270.0 * weight / (constant + slope * weight / (height * height))
            }
            Normalisation::LeanBodyMassJames => {
                let (weight, height) = (weight()?, height()?);
                let [slope, curve] = of_sex([1.07, 148.0], [1.10, 128.0])?;
                let ratio = weight / (100.0 * height);
                slope * weight - curve * ratio * ratio
            }
            Normalisation::BodySurfaceArea => {
                let (weight, height) = (weight()?, height()?);
                10.0 * 0.007184 * exp(0.425 * ln(weight) + 0.725 * ln(100.0 * height))
            }
            Normalisation::IdealBodyWeight => {
                let [least, slope] = of_sex([45.5, 0.91], [48.0, 1.06])?;
                least + slope * (100.0 * height()? - 152.0)
            }
            Normalisation::IdealBodyWeightDevine => {
                let [least, slope] = of_sex([45.5, 2.3], [50.0, 2.3])?;
                least + slope * (height()? / 0.0254 - 60.0)
            }
        };
        let factor = 1000.0 * size / dose;
        if size > 0.0 && factor.is_finite() {
            return Ok(Found { size, dose, factor });
        }
        let text = format!(
            "expected numbers that the formula has a positive size and dose for, got {} kg and {} Bq",
            Number(size),
            Number(dose)
        );
        Err(wrong("normalisation", text))
    }

    fn map(&self, _: &Options, found: &Found) -> Map {
        Map { multiply: found.factor, ..Map::IDENTITY }
    }
}
