//! Local normalisation. Semantics, options and sources: `ts/steps/local-normalisation.ts`.

use crate::json::ToJson;
use crate::region::Subject;
use crate::{Error, Inputs, Outputs, Session, Step, step};
use serde_json::Value;
use voxnorm_kernels::grid::Grid;
use voxnorm_kernels::histogram::range;
use voxnorm_kernels::local::{Local, local};
use voxnorm_kernels::moments::moments;
use voxnorm_kernels::select::Select;

pub struct LocalNormalisation;

const ID: &str = "local-normalisation";

record! {
    pub struct Options {
        window: [f64; 3],
        statistics: Statistics,
        floor: f64,
    }
}

choice! {
    enum Statistics {
        Mean,
        MeanAndDeviation,
    }
}

fitted! {
    pub struct Fitted {
        channels: Vec<Channel>,
    }

    struct Channel {
        mean: f64,
        standard_deviation: f64,
    }
}

impl Step for LocalNormalisation {
    fn id(&self) -> &'static str {
        ID
    }

    fn fit(&self, options: &Value, inputs: &Inputs, session: &Session) -> Result<Value, Error> {
        let options: Options = step::options(ID, options)?;
        let image = inputs.image()?;
        let channels = image.voxels.chunks(image.grid.voxels()).enumerate().map(|(i, voxels)| {
            let part = if image.channels > 1 {
                format!("channel {} of {}", i + 1, image.channels)
            } else {
                String::new()
            };
            let subject = Subject::new(ID, part);
            let found = moments(voxels, Select::All, &session.run)?;
            if !found.mean.is_finite() {
                let bad = range(voxels, Select::All, &session.run)?.not_finite;
                return Err(subject.not_finite(bad, found.count));
            }
            let standard_deviation = found.variance(0).sqrt();
            if options.statistics == Statistics::MeanAndDeviation && standard_deviation == 0.0 {
                return Err(subject.constant(found.mean));
            }
            Ok(Channel { mean: found.mean, standard_deviation })
        });
        Ok(Fitted { channels: channels.collect::<Result<_, Error>>()? }.to_json())
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
        let image = inputs.image()?;
        let (expected, got) = (image.channels, fitted.channels.len());
        if got != expected {
            let message = format!(
                "{}: channels: expected fitted values of {expected}, as the image has, got {got}",
                ID
            );
            return Err(Error::new("BadFitted", message).with(object! { expected, got }));
        }
        let (shape, reach) = (image.grid.shape, reach(&image.grid, options.window));
        let mut to = outputs.take("image", image.voxels.len())?;
        let mut extent = [f32::INFINITY, f32::NEG_INFINITY];
        let size = image.grid.voxels();
        let channels = image.voxels.chunks(size).zip(to.numbers().chunks_mut(size));
        for (channel, (from, to)) in fitted.channels.iter().zip(channels) {
            let kind = match options.statistics {
                Statistics::Mean => Local::Mean,
                Statistics::MeanAndDeviation => Local::Deviation(options.floor * channel.standard_deviation),
            };
            let [low, high] = local(from, shape, reach, channel.mean, kind, to, &session.run)?;
            extent = [extent[0].min(low), extent[1].max(high)];
        }
        outputs.put("image", to);
        let window: [usize; 3] = std::array::from_fn(|axis| shape[axis].min(2 * reach[axis] + 1));
        Ok(object! { window, range: (extent[0] <= extent[1]).then_some(extent) })
    }
}

/// How many voxels lie on either side within half of the window, along each axis.
fn reach(grid: &Grid, window: [f64; 3]) -> [usize; 3] {
    let spacing = grid.spacing();
    std::array::from_fn(|axis| {
        // A window of whole voxels holds them, however their spacing was rounded.
        let half = window[axis] / (2.0 * spacing[axis]) + 1e-6;
        (half as usize).min(grid.shape[axis])
    })
}
