//! Which voxels a method uses: a mask, or a rule in its place. Every step resolves it here.

use crate::{Error, Inputs, Session, step::Volume};
use serde::Deserialize;
use serde_json::json;
use voxnorm_kernels::histogram::{Bins, histogram, otsu, range};
use voxnorm_kernels::run::Run;
use voxnorm_kernels::select::{Select, Values};

/// Which value of a mask selects a voxel.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
pub enum Label {
    /// Voxels of exactly this value.
    Value(f32),
    /// Voxels of any value but 0.
    NonZero(NonZero),
}

/// The word `nonzero`.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NonZero {
    #[allow(missing_docs)]
    NonZero,
}

/// A resolved choice of voxels.
pub struct Region<'a> {
    mask: Option<Values<'a>>,
    label: Label,
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
        let mask = inputs.mask(name, &image.grid)?;
        let threshold = match inputs.rule(name) {
            None => None,
            Some("otsu") if known.is_some() => known,
            Some("otsu") => Some(otsu_threshold(inputs, image.voxels, &session.run)?),
            Some(rule) => return Err(Error::internal(format!("{name}: rule {rule:?}"))),
        };
        Ok(Region { mask, label, threshold })
    }

    /// The choice, as kernels take it.
    pub fn select(&self) -> Select<'_> {
        match (self.mask, self.threshold, self.label) {
            (Some(mask), _, Label::Value(label)) => Select::Label(mask, label),
            (Some(mask), _, Label::NonZero(_)) => Select::NonZero(mask),
            (None, Some(threshold), _) => Select::Above(threshold),
            (None, None, _) => Select::All,
        }
    }

    /// `mask`, `otsu` or `whole`.
    pub fn rule(&self) -> &'static str {
        match (&self.mask, self.threshold) {
            (Some(_), _) => "mask",
            (None, Some(_)) => "otsu",
            (None, None) => "whole",
        }
    }

    /// The error of a region that selects no voxel, with what its mask holds instead.
    pub fn empty(&self, step: &str) -> Error {
        let mut values: Vec<f32> = Vec::new();
        for value in self.mask.iter().flat_map(|mask| (0..mask.len()).map(|i| mask.at(i))) {
            if !values.iter().any(|v| v.to_bits() == value.to_bits()) {
                values.push(value);
                if values.len() > 8 {
                    break;
                }
            }
        }
        let many = if values.len() > 8 { " and more" } else { "" };
        let found: Vec<String> = values.iter().map(f32::to_string).collect();
        let count = |mask: &Values| {
            // A mask is chosen from by its own values alone.
            let choice = self.select().among(&[]);
            (0..mask.len()).filter(|&i| choice.includes(i)).count()
        };
        let selected = self.mask.as_ref().map_or(0, count);
        let expected = match self.label {
            Label::Value(label) => format!("voxels of value {label}"),
            Label::NonZero(_) => "voxels other than 0".to_owned(),
        };
        Error::new(
            "EmptyMask",
            match self.mask {
                Some(_) if selected > 0 => {
                    format!(
                        "{step}: mask: expected {expected} among those used, got none: its {selected} were shrunk away or weigh nothing"
                    )
                }
                Some(_) => {
                    format!("{step}: mask: expected {expected}, got a mask of {}{many}", found.join(", "))
                }
                None => format!("{step}: expected voxels to use, got none ({} region)", self.rule()),
            },
        )
        .with(json!({ "rule": self.rule(), "values": values, "selected": selected }))
    }
}

/// Otsu's threshold as ITK computes it: 200 bins from the smallest to just above the largest value,
/// the threshold being the upper edge of the last bin of the lower class.
fn otsu_threshold(inputs: &Inputs, voxels: &[f32], run: &Run) -> Result<f32, Error> {
    const BINS: usize = 200;
    let found = range(voxels, Select::All, run)?;
    if found.not_finite > 0 {
        return Err(inputs.not_finite(found.not_finite, voxels.len()));
    }
    let constant = || inputs.constant(found.low);
    let [low, high] = [found.low, found.high].map(f64::from);
    // ITK widens the range by a hundredth of a bin, so that the largest value falls inside the last.
    let bins = Bins::new(low, high + (high - low) / BINS as f64 / 100.0, BINS).ok_or_else(constant)?;
    let counts = histogram(voxels, Select::All, bins, run)?.bins;
    let cut = otsu(&counts, |bin| bins.centre(bin)).ok_or_else(constant)?;
    Ok(bins.edge(cut + 1) as f32)
}
