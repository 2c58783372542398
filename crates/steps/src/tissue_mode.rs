//! The mode of a tissue: a peak of the chosen voxels' distribution. Semantics and options: `ts/steps/tissue-mode.ts`.

use crate::error::{Error, Number};
use crate::pointwise::Sample;
use voxnorm_kernels::histogram::{Bins, histogram, histogram_of_counts};
use voxnorm_kernels::kde::{Numbers, gaussian, silverman};
use voxnorm_kernels::math::once::{exp, ln};
use voxnorm_kernels::moments::moments_of_counts;
use voxnorm_kernels::quantile::percentile_of_counts;
use voxnorm_kernels::select::Select;

record! {
    pub struct Options {
        /// Left out where a peak stands in its place.
        modality: Option<Modality>,
        peak: Option<Peak>,
        density: Density,
        scott_voxels: Option<u32>,
        points: usize,
        lower_tail: f64,
        last_tail: f64,
        first_tail: f64,
        largest_tail: f64,
    }
}

impl Options {
    /// The peak asked for, or the one that bears the tissue.
    pub fn peak(&self) -> Peak {
        let of_modality = || match self.modality {
            Some(Modality::T2 | Modality::Flair) => Peak::Largest,
            Some(Modality::Pd | Modality::Md) => Peak::First,
            Some(Modality::T1 | Modality::Other) | None => Peak::Last,
        };
        self.peak.unwrap_or_else(of_modality)
    }
}

choice! {
    enum Modality {
        T1,
        T2,
        Flair,
        Pd,
        Md,
        Other,
    }

    pub enum Peak {
        Last,
        Largest,
        First,
    }

    enum Density {
        Gaussian,
        Silverman,
        Histogram,
    }
}

/// A mode, and whether it is a peak: there need not be a first or a last one.
pub struct Mode {
    pub value: f64,
    pub is_peak: bool,
}

/// The mode of a sample's voxels. Where they are whole numbers, they are counted once, and all comes from the counts.
pub fn find(options: &Options, peak: Peak, sample: &Sample) -> Result<Mode, Error> {
    let mut counts = sample.whole()?;
    if counts.is_none() && !matches!(sample.select(), Select::All) {
        let chosen = sample.chosen(sample.voxels)?;
        return find(options, peak, &sample.again(&chosen, Select::All));
    }
    let upper_tail = match peak {
        Peak::Last => options.last_tail,
        Peak::First => options.first_tail,
        Peak::Largest => options.largest_tail,
    };
    let at = |percentage: f64| match &counts {
        Some(counts) => Ok(percentile_of_counts(counts, percentage)),
        None => sample.percentiles([percentage]).map(|[value]| value),
    };
    let low = if options.lower_tail > 0.0 { at_least(at(options.lower_tail)?) } else { f32::NEG_INFINITY };
    let high = if upper_tail < 100.0 { at_most(at(upper_tail)?) } else { f32::INFINITY };
    // A range has no room for NaN; percentiles have told of it.
    let is_whole = low == f32::NEG_INFINITY && high == f32::INFINITY;
    let select = if is_whole { Select::All } else { Select::Within(low, high) };
    let kept = sample.again(sample.voxels, select);
    if let Some(counts) = &mut counts {
        counts.retain(|(value, _)| (low..=high).contains(value));
    }
    let [low, high] = match counts.as_deref() {
        Some([]) => return Err(kept.none()),
        Some([only]) => [only.0; 2].map(f64::from),
        Some([first, .., last]) => [first.0, last.0].map(f64::from),
        None => kept.range()?,
    };
    if low == high {
        return Err(sample.constant(low));
    }
    let (points, run) = (options.points, sample.run);
    let numbers = counts.as_deref().map_or(Numbers::Voxels(sample.voxels, select), Numbers::Counted);
    let density = match options.density {
        Density::Gaussian => {
            let moments =
                counts.as_deref().map_or_else(|| kept.moments(), |counts| Ok(moments_of_counts(counts)))?;
            let count = options.scott_voxels.map_or(moments.count, |most| moments.count.min(most as usize));
            let shrink = exp(-0.2 * ln(count as f64));
            let bandwidth = moments.variance(1).sqrt() * shrink;
            let density = gaussian(numbers, [low, high], points, bandwidth, run)?;
            (low, (high - low) / (points - 1) as f64, density)
        }
        Density::Silverman => {
            let bandwidth = high / points as f64;
            if bandwidth <= 0.0 {
                return Err(bad_scale(
                    sample,
                    "a largest value above 0, as the bandwidth is a part of it",
                    high,
                ));
            }
            let points = points.next_power_of_two();
            let found = silverman(numbers, [low, high], points, bandwidth, run)?;
            (found.low, found.step, found.density)
        }
        Density::Histogram => {
            let bins = Bins::new(low, high, points).ok_or_else(|| sample.constant(low))?;
            let found = match &counts {
                Some(counts) => histogram_of_counts(counts, bins),
                None => histogram(sample.voxels, select, bins, run)?,
            };
            (bins.centre(0), bins.edge(1) - low, found.bins.into_iter().map(|count| count as f64).collect())
        }
    };
    let (first, step, density) = density;
    let (at, is_peak) = peak_of(&density, peak);
    Ok(Mode { value: first + at as f64 * step, is_peak })
}

/// Where the peak lies, and whether there is one: the largest value otherwise, the first of several.
fn peak_of(density: &[f64], peak: Peak) -> (usize, bool) {
    let largest = (0..density.len()).fold(0, |best, i| if density[i] > density[best] { i } else { best });
    let mut peaks =
        (1..density.len() - 1).filter(|&i| density[i] > density[i - 1] && density[i] > density[i + 1]);
    let found = match peak {
        Peak::Largest => Some(largest),
        Peak::First => peaks.next(),
        Peak::Last => peaks.next_back(),
    };
    (found.unwrap_or(largest), found.is_some())
}

/// The error of a number that cannot be divided by.
pub fn bad_scale(sample: &Sample, expected: &str, got: f64) -> Error {
    Error::new("BadScale", format!("{}: image: expected {expected}, got {}", sample.subject, Number(got)))
        .with(object! { got })
}

/// The smallest `f32` that is not below a number.
pub fn at_least(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) < value { near.next_up() } else { near }
}

/// The largest `f32` that is not above a number.
pub fn at_most(value: f64) -> f32 {
    -at_least(-value)
}
