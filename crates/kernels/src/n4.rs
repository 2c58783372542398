//! N4: the slowly varying factor of an image, found by sharpening its histogram.
//!
//! Tustison et al. 2010, doi:10.1109/TMI.2010.2046908; fit by Lee et al. 1997, doi:10.1109/2945.620490.
//! An iteration is two passes over the included voxels:
//! 1. `advance` subtracts the last update of the field from `u = ln v - field`, and gathers in the
//!    same pass u's range, its histogram and the convergence sums. u is kept, so that only the update
//!    is ever expanded, and a finer level goes on where the coarser one ended.
//! 2. `contract` reads only the two-byte histogram code of each voxel, looks its residual up, and
//!    contracts it onto the lattice, axis by axis.
//!
//! Included voxels are packed, however scattered they lie: whatever is done for each is done for full
//! vectors. Only expansion and contraction work on the grid, a few rows at a time.

mod correct;
mod observe;
mod passes;
#[cfg(test)]
mod tests;

pub use correct::{Corrected, Correction, Measures, correct};
pub use observe::{Observations, Source, observe};

use crate::bspline::{Axes, Expansion, Lattice, Placement};
use crate::level::Level;
use crate::math::SMALL;
use crate::moments::{LANES, Sums};
use crate::run::{Cancelled, Run};
use crate::sharpen::{Places, Scale, Sharpening};
use observe::Chunk;
use passes::{Coding, Counts, FINE, advance, contract_all};

/// How the field is found.
pub struct Settings {
    /// Most iterations of each level.
    pub iterations: Vec<usize>,
    /// A level ends once the change of the field is not above this.
    pub convergence_threshold: f64,
    /// Control points per axis at the first level, at least 4; spans double from level to level.
    pub control_points: [usize; 3],
    /// Where the observed voxels lie on the lattice.
    pub placement: [Placement; 3],
    /// Bins of the histogram that is sharpened.
    pub histogram_bins: usize,
    /// Width of the Gaussian that the bias field is taken to blur the histogram with, in ln units.
    pub full_width_at_half_maximum: f64,
    /// Noise term of the Wiener filter.
    pub wiener_noise: f64,
}

/// A level's course.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// The change of the field after each iteration that was run: the coefficient of variation of
    /// exp(old field - new field) over the included voxels.
    pub convergence: Vec<f64>,
}

/// The field found.
pub struct Fit {
    /// Control points of the logarithm of the field, stretched over the image.
    pub lattice: Lattice,
    /// The course of each level.
    pub levels: Vec<Course>,
    /// Entropy of ln v over the observed voxels before the correction and after it.
    pub entropy: [f64; 2],
}

/// Where a fit stands.
pub struct Standing {
    /// Level, from 0.
    pub level: usize,
    /// Iterations done in it.
    pub iteration: usize,
    /// The last change of the field.
    pub convergence: f64,
    /// How much of the most there can be is done, 0 to 1.
    pub fraction: f64,
}

/// Finds the field. The observations must be finite, not constant, and at least one.
// Inlined, it is compiled for size in WebAssembly, as its caller is: what costs time are the passes.
#[inline(always)]
pub fn fit(
    observations: Observations,
    settings: &Settings,
    run: &Run,
    progress: &(dyn Fn(Standing) + Sync),
) -> Result<Fit, Cancelled> {
    let Observations { shape, mut chunks, included, low, high, .. } = observations;
    let sharpening =
        Sharpening::new(settings.histogram_bins, settings.full_width_at_half_maximum, settings.wiener_noise);
    let mut spans = settings.control_points.map(|points| points - 3);
    let mut lattice = Lattice::zeros(settings.control_points);
    let mut levels = Vec::new();
    // A first pass of no update codes the voxels and counts them.
    let axes = Axes::placed(shape, spans, &settings.placement);
    let mut state = advance_all(&mut chunks, &lattice, &axes, low, high, run)?;
    let before = state.entropy(run.level);

    for (level, &most) in settings.iterations.iter().enumerate() {
        if level > 0 {
            lattice = lattice.refined();
            spans = spans.map(|spans| spans * 2);
        }
        let axes = Axes::placed(shape, spans, &settings.placement);
        let cubes = axes.map(|w| {
            let s: f64 = w.iter().map(|b| b * b).sum();
            w.map(|b| b * b * b / s)
        });
        let denominator = contract_all(&chunks, &[1.0; FINE], &axes.map(|w| w.map(|b| b * b)), run)?;
        let mut course = Course::default();
        let mut convergence = f64::INFINITY;
        while course.convergence.len() < most && convergence > settings.convergence_threshold {
            let residuals = run.pool.awake(|| residuals(run.level, &state, &sharpening));
            let mut update = contract_all(&chunks, &residuals, &cubes, run)?;
            for (value, below) in update.values.iter_mut().zip(&denominator.values) {
                *value = if *below > 0.0 { *value / below } else { 0.0 };
            }
            lattice.add(&update);
            // The update stays within its control points, so u's new range is bounded beforehand.
            let (least, largest) = update.range();
            let (low, high) = (state.low - largest as f32, state.high - least as f32);
            state = advance_all(&mut chunks, &update, &axes, low, high, run)?;
            convergence = state.convergence(included);
            course.convergence.push(convergence);
            let done = course.convergence.len();
            let fraction = (level as f64 + done as f64 / most as f64) / settings.iterations.len() as f64;
            progress(Standing { level, iteration: done, convergence, fraction });
        }
        levels.push(course);
    }
    let entropy = [before, state.entropy(run.level)];
    Ok(Fit { lattice, levels, entropy })
}

/// What is known of u after a pass.
struct State {
    low: f32,
    high: f32,
    coding: Coding,
    counts: Vec<u32>,
    change: Sums,
}

impl State {
    /// Coefficient of variation (n - 1) of exp(-update).
    fn convergence(&self, count: usize) -> f64 {
        let (mean, deviation) = self.change.mean_and_deviation(count);
        deviation / (1.0 + mean)
    }

    /// The distance of two of `bins` bins that cover u.
    fn slope(&self, bins: usize) -> f64 {
        (f64::from(self.high) - f64::from(self.low)) / (bins - 1) as f64
    }

    /// Where the fine bins' middles lie among the bins of a histogram, none beyond the values that occur.
    fn places(&self, level: Level, slope: f64) -> Places {
        let scale = Scale { low: f64::from(self.low), slope };
        let (first, step) = self.coding.middles();
        Places::new(level, scale, first, step, f64::from(self.high), FINE)
    }

    /// Entropy of u's density in nats, seen through a Gaussian window: of the shares p of bins of width w,
    /// -Σ p ln p + ln w. A wider range by itself does not change it, nor do the gaps between the
    /// logarithms of whole numbers, which a field fills.
    fn entropy(&self, level: Level) -> f64 {
        const BINS: usize = 200;
        const WINDOW: f64 = 0.05;
        let range = f64::from(self.high) - f64::from(self.low);
        let slope = (range / (BINS - 1) as f64).max(WINDOW / 16.0);
        let bins = (range / slope) as usize + 2;
        let histogram = self.places(level, slope).histogram(&self.counts, bins);
        let reach = (1.5 * WINDOW / slope).ceil() as usize;
        let window: Vec<f64> = (0..=2 * reach)
            .map(|i| {
                let at = (i as f64 - reach as f64) * slope / WINDOW;
                libm::exp(-4.0 * std::f64::consts::LN_2 * at * at)
            })
            .collect();
        let mut smooth = vec![0.0; histogram.len() + 2 * reach];
        for (i, count) in histogram.iter().enumerate() {
            for (to, weight) in smooth[i..].iter_mut().zip(&window) {
                *to += count * weight;
            }
        }
        let total: f64 = smooth.iter().sum();
        let shares = smooth.iter().filter(|count| **count > 0.0).map(|count| count / total);
        libm::log(slope) - shares.map(|share| share * libm::log(share)).sum::<f64>()
    }
}

fn advance_all(
    chunks: &mut [Chunk],
    update: &Lattice,
    axes: &Axes,
    low: f32,
    high: f32,
    run: &Run,
) -> Result<State, Cancelled> {
    let [x, y, z] = &axes.0;
    let expansion = Expansion::new(update, x, z);
    let coding = Coding::new(low, high);
    let (least, largest) = update.range();
    // The field stays between its control points.
    let is_small = least.abs().max(largest.abs()) < f64::from(SMALL);
    let (passes, counts) =
        run.map_parts_with(chunks.iter_mut().collect(), Counts::none, |counts, chunk| {
            advance(run.level, chunk, &expansion, y, coding, is_small, counts)
        })?;
    let mut state = State {
        low: f32::INFINITY,
        high: f32::NEG_INFINITY,
        coding,
        counts: Counts::total(&counts, chunks),
        change: Sums::default(),
    };
    for pass in &passes {
        for lane in 0..LANES {
            state.low = if pass.low.0[lane] < state.low { pass.low.0[lane] } else { state.low };
            state.high = if pass.high.0[lane] > state.high { pass.high.0[lane] } else { state.high };
        }
        state.change.merge(&pass.change);
    }
    Ok(state)
}

/// u - E(u) for every fine bin.
fn residuals(level: Level, state: &State, sharpening: &Sharpening) -> [f32; FINE] {
    let mut table = [0.0; FINE];
    let slope = state.slope(sharpening.bins());
    if slope > 0.0 {
        let places = state.places(level, slope);
        let histogram = places.histogram(&state.counts, sharpening.bins());
        let scale = Scale { low: f64::from(state.low), slope };
        places.residuals(&sharpening.expected(level, &histogram, scale), &mut table);
    }
    table
}
