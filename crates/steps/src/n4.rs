//! N4 bias-field correction. Semantics, options and sources: `ts/steps/n4.ts` and `docs/design/n4.md`.

use crate::error::{Error, Number};
use crate::json::ToJson;
use crate::region::{Label, Region, Subject};
use crate::{Inputs, Outputs, Place, Session, Step, step};
use serde_json::Value;
use voxnorm_kernels::bspline::{Lattice, Placement};
use voxnorm_kernels::grid::{Grid, Padding, Shrunk};
use voxnorm_kernels::n4::{Corrected, Correction, Settings, Source, correct, fit, observe};

pub struct N4;

const ID: &str = "n4";

const SUBJECT: Subject = Subject::new(ID, String::new());

record! {
    pub struct Options {
        mask_label: Label,
        /// Left out where a working resolution stands in its place.
        shrink_factor: Option<[usize; 3]>,
        shrink_offset: Option<[u64; 3]>,
        working_resolution: Option<f64>,
        iterations: Vec<usize>,
        convergence_threshold: f64,
        /// Left out where a spline distance stands in its place.
        control_points: Option<[usize; 3]>,
        spline_distance: Option<f64>,
        histogram_bins: usize,
        full_width_at_half_maximum: f64,
        wiener_noise: f64,
        field_mapping: FieldMapping,
        outside: Outside,
        preserve_range: bool,
    }
}

choice! {
    /// Where the voxels that the fit sees lie on the lattice.
    enum FieldMapping {
        /// From end to end, as the whole image does.
        Stretch,
        /// Where they are.
        Exact,
    }

    /// What becomes of voxels that the mask leaves out.
    enum Outside {
        Divide,
        Keep,
    }
}

fitted! {
    pub struct Fitted {
        lattice: LatticeJson,
        levels: Vec<Level>,
        grid: GridJson,
        shrink: Shrink,
        region: RegionJson,
        entropy: Entropy,
    }

    /// What the lattice is stretched over: an image's grid, and voxels laid around it.
    struct GridJson {
        shape: [usize; 3],
        affine: [[f64; 4]; 3],
        padding: PaddingJson,
    }

    struct PaddingJson {
        lower: [usize; 3],
        upper: [usize; 3],
    }

    struct Entropy {
        before: f64,
        after: f64,
    }

    /// Control points of ln field, x fastest.
    struct LatticeJson {
        points: [usize; 3],
        values: Vec<f64>,
    }

    struct Level {
        iterations: u64,
        convergence: Vec<f64>,
    }

    struct Shrink {
        asked: [u64; 3],
        factor: [u64; 3],
        offset: [u64; 3],
        shape: [u64; 3],
    }

    struct RegionJson {
        rule: String,
        threshold: Option<f32>,
        voxels: u64,
        non_positive: u64,
    }
}

impl Step for N4 {
    fn id(&self) -> &'static str {
        ID
    }

    fn fit(&self, options: &Value, inputs: &Inputs, session: &Session) -> Result<Value, Error> {
        let options: &Options = &step::options(ID, options)?;
        let image = inputs.required("image")?;
        let weight = inputs.on_grid_of("weight", &image.grid)?;
        let region = Region::resolve(inputs, "mask", options.mask_label, &image, None, session)?;
        let mesh = mesh(options, &image.grid)?;
        let (asked, shrunk) = shrink(options, &image.grid, &mesh)?;
        let source = Source {
            voxels: image.voxels,
            shape: image.grid.shape,
            select: region.select(),
            weight: weight.as_ref().map(|weight| weight.voxels),
        };
        let observations = observe(&source, &shrunk, &session.run)?;
        if observations.included == 0 {
            return Err(region.empty(&SUBJECT));
        }
        if observations.not_finite > 0 {
            return Err(SUBJECT.not_finite(observations.not_finite, observations.included));
        }
        if let Some(value) = observations.constant() {
            return Err(SUBJECT.constant(f64::from(value)));
        }
        let (included, non_positive) = (observations.included, observations.non_positive);

        let settings = Settings {
            iterations: options.iterations.clone(),
            convergence_threshold: options.convergence_threshold,
            control_points: mesh.control_points,
            placement: placement(options.field_mapping, &image.grid, &mesh.padding, &shrunk),
            histogram_bins: options.histogram_bins,
            full_width_at_half_maximum: options.full_width_at_half_maximum,
            wiener_noise: options.wiener_noise,
        };
        let fit = fit(observations, &settings, &session.run, &|standing| {
            session.report(object! {
                fraction: standing.fraction,
                level: standing.level + 1,
                iteration: standing.iteration,
                convergence: standing.convergence,
            });
        })?;
        if !expressible(&fit.lattice.values) {
            return Err(Error::new("NotFinite", "n4: the fit diverged: its field is not finite"));
        }
        let levels = fit.levels.into_iter();
        let fitted = Fitted {
            lattice: LatticeJson { points: fit.lattice.points, values: fit.lattice.values },
            grid: GridJson {
                shape: image.grid.shape,
                affine: image.grid.affine,
                padding: PaddingJson { lower: mesh.padding.lower, upper: mesh.padding.upper },
            },
            entropy: Entropy { before: fit.entropy[0], after: fit.entropy[1] },
            levels: levels
                .map(|course| Level {
                    iterations: course.convergence.len() as u64,
                    convergence: course.convergence,
                })
                .collect(),
            shrink: Shrink {
                asked: wide(asked),
                factor: wide(shrunk.factor),
                offset: wide(shrunk.offset),
                shape: wide(shrunk.shape),
            },
            region: RegionJson {
                rule: region.rule.to_owned(),
                threshold: region.threshold,
                voxels: included as u64,
                non_positive: non_positive as u64,
            },
        };
        Ok(fitted.to_json())
    }

    fn apply(
        &self,
        options: &Value,
        fitted: &Value,
        inputs: &Inputs,
        outputs: &mut Outputs,
        session: &Session,
    ) -> Result<Value, Error> {
        let options: Options = step::options(ID, options)?;
        let fitted: Fitted = step::fitted(ID, fitted)?;
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
            let message =
                format!("n4: lattice: expected values of ln field from -{0} to {0}", Number(FARTHEST));
            return Err(Error::new("BadFitted", message));
        }
        let lattice = Lattice { points: *points, values: values.clone() };
        let source =
            Source { voxels: image.voxels, shape: image.grid.shape, select: region.select(), weight: None };
        let mut correction = Correction {
            lattice: &lattice,
            placement: fitted.grid.placement_of(&image.grid)?,
            keep_outside: options.outside == Outside::Keep,
            preserve_range: options.preserve_range,
            in_place: false,
        };
        let mut take = |name| outputs.take(name, image.voxels.len());
        let [mut field, mut log_field] = [take("field")?, take("logField")?];
        // A range is preserved by a second look at the voxels.
        let mut corrected = if options.preserve_range {
            Place::Apart(outputs.take("image", image.voxels.len())?)
        } else {
            outputs.take_over("image", image.voxels.len())?
        };
        correction.in_place = matches!(corrected, Place::Taken(_));
        let to =
            Corrected { image: corrected.numbers(), field: field.numbers(), log_field: log_field.numbers() };
        let told = correct(&source, &correction, to, &session.run)?;
        if told.voxels == 0 {
            return Err(region.empty(&SUBJECT));
        }
        if told.not_finite > 0 {
            return Err(SUBJECT.not_finite(told.not_finite, told.voxels));
        }
        outputs.put("image", corrected.own());
        outputs.put("field", field);
        outputs.put("logField", log_field);
        let [before, after] = [told.before, told.after].map(|(mean, deviation)| deviation / mean);
        let Entropy { before: least, after: entropy } = fitted.entropy;
        let mut worse = Vec::new();
        if after.abs() > before.abs() {
            worse.push("coefficientOfVariation");
        }
        if entropy > least {
            worse.push("entropy");
        }
        Ok(object! {
            voxels: told.voxels,
            coefficient_of_variation: object! { before, after },
            entropy: fitted.entropy,
            field_range: [told.field_low, told.field_high],
            worse,
        })
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

impl GridJson {
    /// Where the voxels of `image` lie on the lattice.
    fn placement_of(&self, image: &Grid) -> Result<[Placement; 3], Error> {
        let own = Grid { shape: self.shape, affine: self.affine, itk: None };
        let along = image.along(&own).ok_or_else(|| self.mismatch("with axes parallel to", image))?;
        let mut placement = [Placement::stretched(1); 3];
        for (a, (start, step)) in along.into_iter().enumerate() {
            let last = self.shape[a] as f64 - 1.0;
            let reach = (start + step * (image.shape[a] as f64 - 1.0), start);
            // Voxels have a size: images of one field of view reach half a voxel beyond each other's centres.
            let beyond = 0.5 + step.abs() / 2.0 + 1e-3;
            if reach.0.min(reach.1) < -beyond || reach.0.max(reach.1) > last + beyond {
                return Err(self.mismatch("within", image));
            }
            let lower = self.padding.lower[a] as f64;
            let extent = lower + last + self.padding.upper[a] as f64;
            placement[a] = Placement { start: lower + start, step, extent };
        }
        Ok(placement)
    }

    fn mismatch(&self, how: &str, image: &Grid) -> Error {
        Error::new(
            "GridMismatch",
            format!(
                "n4: image: expected a grid {how} the one that the field was fitted on, of shape {:?}, got shape {:?} elsewhere",
                self.shape, image.shape
            ),
        )
        .with(object! { input: "image", expected: self, got: object! { shape: image.shape, affine: image.affine } })
    }
}

/// The lattice of the first level, and the voxels laid around the image to fill it.
struct Mesh {
    control_points: [usize; 3],
    padding: Padding,
}

/// Most spans of the last level, as `ts/steps/n4.ts` says of `controlPoints`.
const MOST_SPANS: usize = 128;

/// Spans of the length asked for, as many as cover the image; ANTs pads the image to their whole length,
/// computing in single precision.
fn mesh(options: &Options, grid: &Grid) -> Result<Mesh, Error> {
    let distance = match (options.spline_distance, options.control_points) {
        (Some(distance), None) => distance,
        (None, Some(control_points)) => return Ok(Mesh { control_points, padding: Padding::default() }),
        _ => return Err(Error::internal("n4: controlPoints or splineDistance")),
    };
    let spacing = grid.spacing().map(|mm| f64::from(mm as f32));
    let mut mesh = Mesh { control_points: [4; 3], padding: Padding::default() };
    let most = MOST_SPANS >> (options.iterations.len() - 1);
    for a in 0..3 {
        let length = ((grid.shape[a] as f64 - 1.0) * spacing[a]) as f32;
        let spans = (length / distance as f32).ceil().max(1.0);
        if spans > most as f32 {
            let levels = options.iterations.len();
            return Err(Error::new(
                "BadOption",
                format!(
                    "n4: splineDistance: expected at least {} mm for {levels} levels along axis {a} of {} mm, got {}",
                    Number((length / most as f32).into()),
                    Number(length.into()),
                    Number(distance)
                ),
            )
            .with(object! { option: "splineDistance", axis: a, length, got: distance }));
        }
        mesh.control_points[a] = spans as usize + 3;
        // An axis of one voxel has no length to cover.
        if grid.shape[a] > 1 {
            let extra = (f64::from(spans * distance as f32 - length) / spacing[a] + 0.5).max(0.0) as usize;
            mesh.padding.lower[a] = extra / 2;
            mesh.padding.upper[a] = extra - extra / 2;
        }
    }
    Ok(mesh)
}

fn placement(mapping: FieldMapping, grid: &Grid, padding: &Padding, shrunk: &Shrunk) -> [Placement; 3] {
    [0, 1, 2].map(|a| match mapping {
        FieldMapping::Stretch => {
            Placement { start: shrunk.before[a] as f64, step: 1.0, extent: shrunk.whole[a] as f64 - 1.0 }
        }
        FieldMapping::Exact => Placement {
            start: (padding.lower[a] + shrunk.offset[a]) as f64,
            step: shrunk.factor[a] as f64,
            extent: (padding.lower[a] + grid.shape[a] + padding.upper[a]) as f64 - 1.0,
        },
    })
}

/// The factors asked for, and the subsampling by those that the axes allow.
fn shrink(options: &Options, grid: &Grid, mesh: &Mesh) -> Result<([usize; 3], Shrunk), Error> {
    let asked = match (options.working_resolution, options.shrink_factor) {
        (Some(mm), None) => grid.spacing().map(|spacing| (mm / spacing).round().max(1.0) as usize),
        (None, Some(factor)) => factor,
        _ => return Err(Error::internal("n4: shrinkFactor or workingResolution")),
    };
    let padding = &mesh.padding;
    // Of an axis that would be left one voxel ITK has no spline. As many as there are control points then tell of it.
    let factor = [0, 1, 2].map(|a| {
        let (voxels, padded) = (grid.shape[a], padding.lower[a] + grid.shape[a] + padding.upper[a]);
        let is_allowed = asked[a] <= voxels && padded / asked[a] >= 2;
        if is_allowed { asked[a] } else { (voxels / mesh.control_points[a]).max(1) }
    });
    let mut shrunk = grid.shrunk(factor, padding);
    if let Some(offset) = options.shrink_offset {
        for a in 0..3 {
            let most = grid.shape[a] - 1 - (shrunk.shape[a] - 1) * factor[a];
            if offset[a] > most as u64 {
                return Err(Error::new(
                    "BadOption",
                    format!("n4: shrinkOffset: expected at most {most} along axis {a}, got {}", offset[a]),
                )
                .with(object! { option: "shrinkOffset", axis: a, expected: most, got: offset[a] }));
            }
        }
        shrunk.offset = offset.map(|n| n as usize);
        shrunk.before = [0, 1, 2].map(|a| {
            if padding.lower[a] > 0 { (padding.lower[a] + shrunk.offset[a]) / factor[a] } else { 0 }
        });
        shrunk.whole = [0, 1, 2].map(|a| shrunk.whole[a].max(shrunk.before[a] + shrunk.shape[a]));
    }
    Ok((asked, shrunk))
}
