//! Histogram matching by landmarks. Semantics, options and sources: `ts/steps/histogram-matching.ts`.

use crate::Error;
use crate::pointwise::{Pointwise, Sample};
use voxnorm_kernels::histogram::{Bins, histogram};
use voxnorm_kernels::lookup::Lookup;
use voxnorm_kernels::pointwise::{Curve, Map};

pub struct HistogramMatching;

record! {
    pub struct Options {
        levels: usize,
        match_points: usize,
        threshold_at_mean: bool,
    }
}

fitted! {
    pub struct Found {
        landmarks: Vec<Landmark>,
    }

    struct Landmark {
        image: f64,
        reference: f64,
        /// Of the line that begins here.
        gradient: f64,
    }
}

impl Pointwise for HistogramMatching {
    const ID: &'static str = "histogram-matching";
    type Options = Options;
    type Found = Found;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        let reference = landmarks(options, &sample.of("reference", "referenceMask")?)?;
        let image = landmarks(options, sample)?;
        let landmarks = (0..image.len()).map(|i| {
            let step = |all: &[f64]| all.get(i + 1).map_or(0.0, |next| next - all[i]);
            let gradient = match step(&image) {
                0.0 => 0.0,
                run => step(&reference) / run,
            };
            Landmark { image: image[i], reference: reference[i], gradient }
        });
        Ok(Found { landmarks: landmarks.collect() })
    }

    fn map(&self, _: &Options, found: &Found) -> Map {
        // With few levels a quantile can lie below the threshold: its line begins where the one before it ends.
        let mut place = f64::NEG_INFINITY;
        let lines = found.landmarks.iter().map(|mark| {
            place = place.max(mark.image);
            [place, mark.reference + (place - mark.image) * mark.gradient, mark.gradient]
        });
        let below = found.landmarks.first().map_or(0.0, |mark| mark.gradient);
        Map { curve: Curve::Lines(Lookup::new(below, lines.collect())), ..Map::IDENTITY }
    }
}

/// The smallest value, the threshold, quantiles of what is not below it, and the largest value.
fn landmarks(options: &Options, sample: &Sample) -> Result<Vec<f64>, Error> {
    let [low, high] = sample.range()?;
    // ITK keeps the mean in the precision of the voxels.
    let threshold = if options.threshold_at_mean { f64::from(sample.moments()?.mean as f32) } else { low };
    let bins = Bins::new(threshold, high, options.levels).ok_or_else(|| sample.constant(low))?;
    let counts = histogram(sample.voxels, sample.select(), bins, sample.run)?.bins;
    let mut landmarks = vec![low, threshold];
    let edge = |bin| match bin {
        // ITK extends the first bin down to the smallest value after it was filled from the threshold on.
        0 => low,
        bin if bin == options.levels => high,
        bin => bins.edge(bin),
    };
    let part = 1.0 / (options.match_points as f64 + 1.0);
    landmarks.extend((1..=options.match_points).map(|i| quantile(&counts, edge, i as f64 * part)));
    landmarks.push(high);
    Ok(landmarks)
}

/// As ITK's histograms have it: bins are summed up from the nearer end to the one that holds the quantile, which lies in
/// it in proportion. Where empty bins lie in between, either end gives another value.
fn quantile(counts: &[u64], edge: impl Fn(usize) -> f64, p: f64) -> f64 {
    let total = counts.iter().sum::<u64>() as f64;
    let part = |count: u64| count as f64 / total;
    let mut sum = 0;
    if p < 0.5 {
        let mut bin = 0;
        loop {
            let before = part(sum);
            sum += counts[bin];
            if bin + 1 == counts.len() || part(sum) >= p {
                let [low, high] = [edge(bin), edge(bin + 1)];
                return low + (p - before) / part(counts[bin]) * (high - low);
            }
            bin += 1;
        }
    }
    let mut bin = counts.len() - 1;
    loop {
        let before = 1.0 - part(sum);
        sum += counts[bin];
        if bin == 0 || 1.0 - part(sum) <= p {
            let [low, high] = [edge(bin), edge(bin + 1)];
            return high - (before - p) / part(counts[bin]) * (high - low);
        }
        bin -= 1;
    }
}
