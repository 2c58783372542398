//! The mean of a tissue, by fuzzy c-means. Semantics, options and sources: `ts/steps/fcm.ts`.

use crate::Outputs;
use crate::error::{Error, Number};
use crate::pointwise::{Pointwise, Sample};
use crate::tissue_mode::bad_scale;
use voxnorm_kernels::fcm::{CLASSES, Classes, classes, membership, weighted_mean};
use voxnorm_kernels::pointwise::Map;

pub struct Fcm;

record! {
    pub struct Options {
        tissue: Tissue,
        norm_value: f64,
        tolerance: f64,
        iterations: usize,
    }
}

choice! {
    /// In ascending order of centres.
    enum Tissue {
        Csf,
        Gm,
        Wm,
    }
}

fitted! {
    pub struct Found {
        mean: f64,
        clusters: Option<Clusters>,
    }

    struct Clusters {
        centres: [f64; CLASSES],
        means: [f64; CLASSES],
        iterations: usize,
        change: f64,
        converged: bool,
    }
}

impl Pointwise for Fcm {
    const ID: &'static str = "fcm";
    type Options = Options;
    type Found = Found;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        let range = sample.range()?;
        let values = sample.chosen(sample.voxels)?;
        let given = sample.inputs.image()?;
        if let Some(given) = sample.inputs.on_grid_of("membership", &given.grid)? {
            sample.inputs.required("image")?;
            let [weight, mean] = weighted_mean(&values, &sample.chosen(given.voxels)?, sample.run)?;
            if weight.is_finite() && weight > 0.0 {
                return found(sample, mean, None);
            }
            let message = format!(
                "{}: membership: expected finite values whose sum in the region is above 0, got {}",
                sample.subject,
                Number(weight)
            );
            return Err(Error::new("EmptyMask", message).with(object! { sum: Number(weight).to_string() }));
        }
        let Some(Classes { centres, means, iterations, change }) =
            classes(&values, range, options.tolerance, options.iterations, sample.run)?
        else {
            if range[0] == range[1] {
                return Err(sample.constant(range[0]));
            }
            let message = format!(
                "{}: image: expected at least {CLASSES} different values, one for each class, got fewer",
                sample.subject
            );
            return Err(Error::new("TooFewValues", message).with(object! { least: CLASSES, range }));
        };
        let converged = change <= options.tolerance;
        let clusters = Clusters { centres, means, iterations, change, converged };
        found(sample, means[options.tissue as usize], Some(clusters))
    }

    fn map(&self, options: &Options, found: &Found) -> Map {
        Map { divide: found.mean, multiply: options.norm_value, ..Map::IDENTITY }
    }

    fn others(
        &self,
        _: &Options,
        found: &Found,
        sample: &Sample,
        outputs: &mut Outputs,
    ) -> Result<(), Error> {
        let Some(clusters) = &found.clusters else {
            let message =
                format!("{}: outputs: expected none of classes, as a membership was given", sample.subject);
            return Err(Error::new("BadOption", message));
        };
        for (class, name) in ["csf", "gm", "wm"].into_iter().enumerate() {
            let mut to = outputs.take(name, sample.voxels.len())?;
            if !to.numbers().is_empty() {
                membership(
                    sample.voxels,
                    sample.select(),
                    clusters.centres,
                    class,
                    to.numbers(),
                    sample.run,
                )?;
            }
            outputs.put(name, to);
        }
        Ok(())
    }
}

fn found(sample: &Sample, mean: f64, clusters: Option<Clusters>) -> Result<Found, Error> {
    if mean > 0.0 {
        return Ok(Found { mean, clusters });
    }
    Err(bad_scale(sample, "a tissue mean above 0 to divide by", mean))
}
