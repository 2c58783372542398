//! N4 bias-field correction. Semantics, options and sources: `ts/steps/n4.ts` and `docs/design/n4.md`.

use crate::region::{Label, Region};
use crate::{Error, Inputs, Outputs, Session, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use voxnorm_kernels::bspline::Lattice;
use voxnorm_kernels::grid::Shrunk;
use voxnorm_kernels::n4::{Settings, Source, correct, fit, observe};

pub struct N4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Options {
    mask_label: Label,
    shrink_factor: [usize; 3],
    shrink_offset: Option<[u64; 3]>,
    iterations: Vec<usize>,
    convergence_threshold: f64,
    control_points: [usize; 3],
    histogram_bins: usize,
    full_width_at_half_maximum: f64,
    wiener_noise: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Fitted {
    lattice: LatticeJson,
    levels: Vec<Level>,
    shrink: Shrink,
    region: RegionJson,
}

/// Control points of ln field, x fastest.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LatticeJson {
    points: [usize; 3],
    values: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Level {
    iterations: u64,
    convergence: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shrink {
    factor: [u64; 3],
    offset: [u64; 3],
    shape: [u64; 3],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RegionJson {
    rule: String,
    threshold: Option<f32>,
    voxels: u64,
    non_positive: u64,
}

impl Step for N4 {
    const ID: &'static str = "n4";
    type Options = Options;
    type Fitted = Fitted;

    fn fit(&self, options: &Options, inputs: &Inputs, session: &Session) -> Result<Fitted, Error> {
        let image = inputs.required("image")?;
        let weight = inputs.on_grid_of("weight", &image.grid)?;
        let region = Region::resolve(inputs, "mask", options.mask_label, &image, None, session)?;
        let shrunk = shrink(options, &image.grid)?;
        let source = Source {
            voxels: image.voxels,
            shape: image.grid.shape,
            select: region.select(),
            weight: weight.as_ref().map(|weight| weight.voxels),
        };
        let observations = observe(&source, &shrunk, &session.run)?;
        if observations.included == 0 {
            return Err(region.empty(Self::ID));
        }
        if observations.not_finite > 0 {
            return Err(inputs.not_finite(observations.not_finite, observations.included));
        }
        if let Some(value) = observations.constant() {
            return Err(inputs.constant(value));
        }
        let (included, non_positive) = (observations.included, observations.non_positive);

        let settings = Settings {
            iterations: options.iterations.clone(),
            convergence_threshold: options.convergence_threshold,
            control_points: options.control_points,
            histogram_bins: options.histogram_bins,
            full_width_at_half_maximum: options.full_width_at_half_maximum,
            wiener_noise: options.wiener_noise,
        };
        let fit = fit(observations, &settings, &session.run, &|standing| {
            session.report(json!({
                "fraction": standing.fraction,
                "level": standing.level + 1,
                "iteration": standing.iteration,
                "convergence": standing.convergence,
            }));
        })?;
        if !expressible(&fit.lattice.values) {
            return Err(Error::new("NotFinite", "n4: the fit diverged: its field is not finite"));
        }
        let levels = fit.levels.into_iter();
        Ok(Fitted {
            lattice: LatticeJson { points: fit.lattice.points, values: fit.lattice.values },
            levels: levels
                .map(|course| Level {
                    iterations: course.convergence.len() as u64,
                    convergence: course.convergence,
                })
                .collect(),
            shrink: Shrink {
                factor: wide(shrunk.factor),
                offset: wide(shrunk.offset),
                shape: wide(shrunk.shape),
            },
            region: RegionJson {
                rule: region.rule().to_owned(),
                threshold: region.threshold,
                voxels: included as u64,
                non_positive: non_positive as u64,
            },
        })
    }

    fn apply(
        &self,
        options: &Options,
        fitted: &Fitted,
        inputs: &Inputs,
        outputs: &mut Outputs,
        session: &Session,
    ) -> Result<Value, Error> {
        let image = inputs.required("image")?;
        let known = fitted.region.threshold;
        let region = Region::resolve(inputs, "mask", options.mask_label, &image, known, session)?;
        let LatticeJson { points, values } = &fitted.lattice;
        if points.iter().any(|&n| n < 4)
            || points.iter().try_fold(1_usize, |p, &n| p.checked_mul(n)) != Some(values.len())
        {
            return Err(Error::new(
                "BadFitted",
                format!(
                    "n4: lattice: expected 4 or more points an axis and their product of values, got {points:?} and {} values",
                    values.len()
                ),
            ));
        }
        if !expressible(values) {
            let message = format!("n4: lattice: expected values of ln field from -{FARTHEST} to {FARTHEST}");
            return Err(Error::new("BadFitted", message));
        }
        let lattice = Lattice { points: *points, values: values.clone() };
        let source =
            Source { voxels: image.voxels, shape: image.grid.shape, select: region.select(), weight: None };
        let corrected =
            correct(&source, &lattice, outputs.wants("image"), outputs.wants("field"), &session.run)?;
        if corrected.measures.voxels == 0 {
            return Err(region.empty(Self::ID));
        }
        if corrected.measures.not_finite > 0 {
            return Err(inputs.not_finite(corrected.measures.not_finite, corrected.measures.voxels));
        }
        for (name, voxels) in [("image", corrected.image), ("field", corrected.field)] {
            if let Some(voxels) = voxels {
                outputs.put(name, voxels);
            }
        }
        let told = corrected.measures;
        Ok(json!({
            "voxels": told.voxels,
            "coefficientOfVariation": {
                "before": told.coefficient_of_variation_before,
                "after": told.coefficient_of_variation_after,
            },
            "fieldRange": [told.field_low, told.field_high],
        }))
    }
}

/// As wide as JSON may say them, so that a 32-bit build takes the same fitted values as a 64-bit one.
fn wide(counts: [usize; 3]) -> [u64; 3] {
    counts.map(|n| n as u64)
}

/// The farthest from 0 that ln field may be for the field to be neither infinite nor subnormal in single precision.
const FARTHEST: f64 = 87.0;

/// Whether the field of these control points, among whose values it stays, can be expressed.
fn expressible(values: &[f64]) -> bool {
    values.iter().all(|value| value.abs() <= FARTHEST)
}

/// The subsampling asked for; an axis thinner than its factor is shrunk to one voxel instead.
fn shrink(options: &Options, grid: &voxnorm_kernels::grid::Grid) -> Result<Shrunk, Error> {
    let factor = [0, 1, 2].map(|a| options.shrink_factor[a].min(grid.shape[a]));
    let mut shrunk = grid.shrunk(factor);
    if let Some(offset) = options.shrink_offset {
        for a in 0..3 {
            let most = grid.shape[a] - 1 - (shrunk.shape[a] - 1) * factor[a];
            if offset[a] > most as u64 {
                return Err(Error::new(
                    "BadOption",
                    format!("n4: shrinkOffset: expected at most {most} along axis {a}, got {}", offset[a]),
                )
                .with(json!({ "option": "shrinkOffset", "axis": a, "expected": most, "got": offset[a] })));
            }
        }
        shrunk.offset = offset.map(|n| n as usize);
    }
    Ok(shrunk)
}
