//! N4: the slowly varying factor of an image, found by sharpening its histogram.
//!
//! Tustison et al. 2010, doi:10.1109/TMI.2010.2046908; fit by Lee et al. 1997, doi:10.1109/2945.620490.
//! An iteration is two passes over the included voxels:
//! 1. [`advance`] subtracts the last update of the field from `u = ln v - field`, and gathers in the
//!    same pass u's range, its histogram and the convergence sums. u is kept, so that only the update
//!    is ever expanded, and a finer level goes on where the coarser one ended.
//! 2. [`contract`] reads only the two-byte histogram code of each voxel, looks its residual up, and
//!    contracts it onto the lattice, axis by axis.
//!
//! Voxels are kept in blocks of sixteen along x; a block is kept if it holds an included voxel. The
//! others in it carry NaN, which no comparison, sum or table lookup below lets through.

use crate::at_levels;
use crate::bspline::{Axis, Expansion, Lattice, Row, padded};
use crate::grid::Shrunk;
use crate::math::{exp, ln};
use crate::moments::{LANES, Lanes, Sums};
use crate::parallel::ranges;
use crate::run::{Cancelled, Run};
use crate::select::Select;
use crate::sharpen::{Scale, Sharpening, add_triangular, interpolate};

/// Most chunks of planes: as many threads can help. Their results are folded in order.
const CHUNKS: usize = 32;
/// Fewest voxels of a chunk's box: below this, folding costs more than sharing saves.
const CHUNK_VOXELS: usize = 8192;
/// Bins of the histogram that the passes fill, rebinned afterwards to the number asked for.
const FINE: usize = 2048;
/// The code of voxels that are not included.
const OUTSIDE: usize = FINE;
/// Codes are looked up modulo this, which spares a bounds check.
const TABLE: usize = 4096;

/// Consecutive kept blocks of a row.
struct Segment {
    y: usize,
    x: usize,
    length: usize,
}

/// The included voxels of a few planes.
struct Chunk {
    planes: std::ops::Range<usize>,
    segments: Vec<Segment>,
    /// For each plane, where its segments end.
    ends: Vec<usize>,
    /// ln v - field; NaN outside.
    u: Vec<Lanes<f32>>,
    /// The fine bin of u.
    codes: Vec<Lanes<u16>>,
    /// One weight a voxel, or nothing where all weigh the same.
    confidence: Vec<Lanes<f32>>,
}

/// What N4 sees of an image: the logarithm of its included voxels on the shrunk grid.
pub struct Observations {
    shape: [usize; 3],
    chunks: Vec<Chunk>,
    /// Included voxels.
    pub included: usize,
    /// Included voxels that are 0 or negative: they keep their raw value in place of a logarithm.
    pub non_positive: usize,
    /// Included voxels that are NaN or infinite, or whose weight is: the fit must not be run.
    pub not_finite: usize,
    low: f32,
    high: f32,
}

impl Observations {
    /// The one logarithm that all included voxels have, if so: there is no histogram to sharpen then.
    pub fn constant(&self) -> Option<f32> {
        (self.low >= self.high).then_some(self.low)
    }
}

/// The image's voxels and which of them count.
pub struct Source<'a> {
    /// The full image.
    pub voxels: &'a [f32],
    /// Its shape.
    pub shape: [usize; 3],
    /// Which voxels are included.
    pub select: Select<'a>,
    /// Their weight in the fit; voxels of weight 0 or less are not included.
    pub weight: Option<&'a [f32]>,
}

/// Reads the voxels of the shrunk grid.
pub fn observe(source: &Source, shrunk: &Shrunk, run: &Run) -> Result<Observations, Cancelled> {
    let parts = run.map_parts(chunks(shrunk.shape), |_, planes| observe_planes(source, shrunk, planes))?;
    let mut all = Observations {
        shape: shrunk.shape,
        chunks: Vec::with_capacity(parts.len()),
        included: 0,
        non_positive: 0,
        not_finite: 0,
        low: f32::INFINITY,
        high: f32::NEG_INFINITY,
    };
    for part in parts {
        all.included += part.included;
        all.non_positive += part.non_positive;
        all.not_finite += part.not_finite;
        all.low = if part.low < all.low { part.low } else { all.low };
        all.high = if part.high > all.high { part.high } else { all.high };
        all.chunks.extend(part.chunks);
    }
    Ok(all)
}

/// The planes of each chunk. They follow from the shape alone, never from the threads.
fn chunks(shape: [usize; 3]) -> Vec<std::ops::Range<usize>> {
    let voxels: usize = shape.iter().product();
    ranges(shape[2], (voxels / CHUNK_VOXELS).clamp(1, CHUNKS))
}

fn observe_planes(source: &Source, shrunk: &Shrunk, planes: std::ops::Range<usize>) -> Observations {
    let [nx, ny, _] = shrunk.shape;
    let at = |axis: usize, i: usize| shrunk.offset[axis] + i * shrunk.factor[axis];
    let mut chunk = Chunk {
        planes: planes.clone(),
        segments: Vec::new(),
        ends: Vec::new(),
        u: Vec::new(),
        codes: Vec::new(),
        confidence: Vec::new(),
    };
    let (mut included, mut non_positive, mut not_finite) = (0, 0, 0);
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    for z in planes {
        for y in 0..ny {
            let row = (at(2, z) * source.shape[1] + at(1, y)) * source.shape[0];
            let mut open = false;
            for x in (0..nx).step_by(LANES) {
                let mut block = [f32::NAN; LANES];
                let mut confidence = [0.0; LANES];
                let mut kept = false;
                for lane in 0..LANES.min(nx - x) {
                    let index = row + at(0, x + lane);
                    let value = source.voxels[index];
                    let weight = source.weight.map_or(1.0, |weight| weight[index]);
                    // A NaN weight must be noticed, not skipped.
                    if !source.select.includes(index, value) || weight <= 0.0 {
                        continue;
                    }
                    kept = true;
                    included += 1;
                    if !value.is_finite() || !weight.is_finite() {
                        not_finite += 1;
                    } else if value > 0.0 {
                        block[lane] = ln(value);
                    } else {
                        non_positive += 1;
                        block[lane] = value;
                    }
                    confidence[lane] = weight;
                    low = if block[lane] < low { block[lane] } else { low };
                    high = if block[lane] > high { block[lane] } else { high };
                }
                if kept {
                    if open {
                        let last = chunk.segments.len() - 1;
                        chunk.segments[last].length += LANES;
                    } else {
                        chunk.segments.push(Segment { y, x, length: LANES });
                    }
                    chunk.u.push(Lanes(block));
                    if source.weight.is_some() {
                        chunk.confidence.push(Lanes(confidence));
                    }
                }
                open = kept;
            }
        }
        chunk.ends.push(chunk.segments.len());
    }
    chunk.codes = vec![Lanes([0; LANES]); chunk.u.len()];
    let chunks = vec![chunk];
    Observations { shape: shrunk.shape, chunks, included, non_positive, not_finite, low, high }
}

/// How fine bins cover the values: bin = (u - base) · rate.
#[derive(Clone, Copy)]
struct Coding {
    base: f32,
    rate: f32,
}

impl Coding {
    /// Fine bins over [low, high].
    fn new(low: f32, high: f32) -> Coding {
        Coding { base: low, rate: FINE as f32 / (high - low) }
    }

    /// The middle of fine bin `code`, within the range of values that occur.
    fn value(self, code: usize, low: f32, high: f32) -> f64 {
        let centre = f64::from(self.base) + (code as f64 + 0.5) / f64::from(self.rate);
        centre.clamp(f64::from(low), f64::from(high))
    }
}

/// What a pass over u finds.
struct Pass {
    low: Lanes<f32>,
    high: Lanes<f32>,
    /// Of exp(-update) - 1, whose mean and deviation tell convergence.
    change: Sums,
    /// Two histograms, so that equal neighbours don't wait for each other.
    counts: [Vec<u32>; 2],
}

at_levels! {
    /// u -= update, with the range, the codes, the histogram and the convergence sums of the result.
    fn advance(chunk: &mut Chunk, update: &Expansion, y_axis: &Axis, coding: Coding) -> Pass {
        let mut plane = vec![0.0; update.plane_size()];
        let mut pass = Pass {
            low: Lanes([f32::INFINITY; LANES]),
            high: Lanes([f32::NEG_INFINITY; LANES]),
            change: Sums::default(),
            counts: [vec![0; TABLE], vec![0; TABLE]],
        };
        let [even, odd] = &mut pass.counts;
        let (even, odd): (&mut [u32; TABLE], &mut [u32; TABLE]) =
            ((&mut even[..]).try_into().unwrap(), (&mut odd[..]).try_into().unwrap());
        let (mut low, mut high, mut sums) = (pass.low, pass.high, pass.change);
        let (mut block, mut begin) = (0, 0);
        for (z, &end) in chunk.planes.clone().zip(&chunk.ends) {
            if begin < end {
                update.plane(z, &mut plane);
            }
            for segment in &chunk.segments[begin..end] {
                let row = Row::new(&plane, update.stride(), y_axis, segment.y);
                for x in (segment.x..segment.x + segment.length).step_by(LANES) {
                    let u = &mut chunk.u[block].0;
                    let codes = &mut chunk.codes[block].0;
                    block += 1;
                    let update = row.lanes(x).0;
                    let mut change = Lanes([0.0; LANES]);
                    for i in 0..LANES {
                        let v = u[i] - update[i];
                        let inside = !v.is_nan();
                        u[i] = v;
                        low.0[i] = if v < low.0[i] { v } else { low.0[i] };
                        high.0[i] = if v > high.0[i] { v } else { high.0[i] };
                        change.0[i] = if inside { exp(-update[i]) - 1.0 } else { 0.0 };
                        let bin = (v - coding.base) * coding.rate;
                        let bin = if bin > 0.0 { bin } else { 0.0 };
                        let bin = if bin < (FINE - 1) as f32 { bin } else { (FINE - 1) as f32 };
                        let bin = if inside { bin } else { OUTSIDE as f32 };
                        // SAFETY: 0 ≤ bin ≤ OUTSIDE, and not NaN: every comparison above fails for NaN.
                        codes[i] = unsafe { bin.to_int_unchecked::<i32>() } as u16;
                    }
                    sums.add(&change);
                    for i in (0..LANES).step_by(2) {
                        even[codes[i] as usize % TABLE] += 1;
                        odd[codes[i + 1] as usize % TABLE] += 1;
                    }
                }
            }
            begin = end;
        }
        (pass.low, pass.high, pass.change) = (low, high, sums);
        pass
    }

    /// Σ over the chunk's voxels of wy wz · table[code] · confidence, for every (z point, y point, x).
    fn contract(chunk: &Chunk, table: &[f32; TABLE], y_axis: &Axis, z_axis: &Axis, stride: usize) -> Vec<f64> {
        let size = y_axis.points * stride;
        let (first, count) = touched(chunk, z_axis);
        let mut sums = vec![0.0_f64; count * size];
        let mut plane = vec![0.0_f32; size];
        let (mut block, mut begin) = (0, 0);
        for (z, &end) in chunk.planes.clone().zip(&chunk.ends) {
            if begin == end {
                continue;
            }
            plane.fill(0.0);
            for segment in &chunk.segments[begin..end] {
                let rows = &mut plane[y_axis.first[segment.y] * stride..][..4 * stride];
                let w = y_axis.weights[segment.y].map(|weight| weight as f32);
                for x in (segment.x..segment.x + segment.length).step_by(LANES) {
                    let codes = &chunk.codes[block].0;
                    let mut residual = Lanes([0.0; LANES]);
                    for i in 0..LANES {
                        residual.0[i] = table[codes[i] as usize % TABLE];
                    }
                    if !chunk.confidence.is_empty() {
                        let confidence = &chunk.confidence[block].0;
                        for i in 0..LANES {
                            residual.0[i] *= confidence[i];
                        }
                    }
                    block += 1;
                    for a in 0..4 {
                        let row: &mut [f32; LANES] = (&mut rows[a * stride + x..][..LANES]).try_into().unwrap();
                        for i in 0..LANES {
                            row[i] += w[a] * residual.0[i];
                        }
                    }
                }
            }
            for a in 0..4 {
                let weight = z_axis.weights[z][a];
                let sums = &mut sums[(z_axis.first[z] + a - first) * size..][..size];
                for i in 0..size {
                    sums[i] += weight * f64::from(plane[i]);
                }
            }
            begin = end;
        }
        sums
    }
}

/// The first z point that the chunk's planes touch, and how many they do.
fn touched(chunk: &Chunk, z_axis: &Axis) -> (usize, usize) {
    let first = z_axis.first[chunk.planes.start];
    (first, z_axis.first[chunk.planes.end - 1] + 4 - first)
}

/// Three axes whose weights a contraction uses.
struct Axes([Axis; 3]);

impl Axes {
    fn new(shape: [usize; 3], spans: [usize; 3]) -> Axes {
        Axes([0, 1, 2].map(|a| Axis::new(shape[a], spans[a])))
    }

    fn map(&self, each: impl Fn(&[f64; 4]) -> [f64; 4]) -> Axes {
        let [x, y, z] = &self.0;
        Axes([x.map(&each), y.map(&each), z.map(&each)])
    }

    fn points(&self) -> [usize; 3] {
        [0, 1, 2].map(|a| self.0[a].points)
    }
}

/// Σ over all included voxels of wx wy wz · table[code] · confidence, a value for each control point.
fn contract_all(
    chunks: &[Chunk],
    table: &[f32; TABLE],
    axes: &Axes,
    run: &Run,
) -> Result<Lattice, Cancelled> {
    let [x, y, z] = &axes.0;
    let stride = padded(x.samples());
    let size = y.points * stride;
    let parts =
        run.map_parts(chunks.iter().collect(), |_, chunk| contract(run.level, chunk, table, y, z, stride))?;
    let mut total = vec![0.0; z.points * size];
    for (chunk, part) in chunks.iter().zip(&parts) {
        let from = touched(chunk, z).0 * size;
        for (sum, more) in total[from..from + part.len()].iter_mut().zip(part) {
            *sum += more;
        }
    }
    let mut lattice = Lattice::zeros(axes.points());
    for (row, out) in total.chunks_exact(stride).zip(lattice.values.chunks_exact_mut(x.points)) {
        for sample in 0..x.samples() {
            let first = x.first[sample];
            for a in 0..4 {
                out[first + a] += x.weights[sample][a] * row[sample];
            }
        }
    }
    Ok(lattice)
}

/// How the field is found.
pub struct Settings {
    /// Most iterations of each level.
    pub iterations: Vec<usize>,
    /// A level ends once the change of the field is not above this.
    pub convergence_threshold: f64,
    /// Control points per axis at the first level, at least 4; spans double from level to level.
    pub control_points: [usize; 3],
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
    let axes = Axes::new(shape, spans);
    let mut state = advance_all(&mut chunks, &lattice, &axes, low, high, run)?;

    for (level, &most) in settings.iterations.iter().enumerate() {
        if level > 0 {
            lattice = lattice.refined();
            spans = spans.map(|spans| spans * 2);
        }
        let axes = Axes::new(shape, spans);
        let cubes = axes.map(|w| {
            let s: f64 = w.iter().map(|b| b * b).sum();
            w.map(|b| b * b * b / s)
        });
        let denominator = contract_all(&chunks, &ones(), &axes.map(|w| w.map(|b| b * b)), run)?;
        let mut course = Course::default();
        let mut convergence = f64::INFINITY;
        while course.convergence.len() < most && convergence > settings.convergence_threshold {
            let residuals = residuals(&state, &sharpening);
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
    Ok(Fit { lattice, levels })
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
    let passes = run.map_parts(chunks.iter_mut().collect(), |_, chunk| {
        advance(run.level, chunk, &expansion, y, coding)
    })?;
    let mut state = State {
        low: f32::INFINITY,
        high: f32::NEG_INFINITY,
        coding,
        counts: vec![0; FINE],
        change: Sums::default(),
    };
    for pass in &passes {
        for lane in 0..LANES {
            state.low = if pass.low.0[lane] < state.low { pass.low.0[lane] } else { state.low };
            state.high = if pass.high.0[lane] > state.high { pass.high.0[lane] } else { state.high };
        }
        state.change.merge(&pass.change);
        for counts in &pass.counts {
            for (total, more) in state.counts.iter_mut().zip(counts) {
                *total += more;
            }
        }
    }
    Ok(state)
}

/// u - E(u) for every fine bin; 0 outside.
fn residuals(state: &State, sharpening: &Sharpening) -> [f32; TABLE] {
    let mut table = [0.0; TABLE];
    let (low, high) = (state.low, state.high);
    let slope = (f64::from(high) - f64::from(low)) / (sharpening.bins() - 1) as f64;
    if slope <= 0.0 {
        return table;
    }
    let scale = Scale { low: f64::from(low), slope };
    let mut histogram = vec![0.0; sharpening.bins()];
    for (code, &count) in state.counts.iter().enumerate() {
        if count > 0 {
            add_triangular(&mut histogram, scale, state.coding.value(code, low, high), f64::from(count));
        }
    }
    let expected = sharpening.expected(&histogram, scale);
    for code in 0..FINE {
        let value = state.coding.value(code, low, high);
        table[code] = (value - interpolate(&expected, scale, value)) as f32;
    }
    table
}

/// 1 for every included voxel.
fn ones() -> [f32; TABLE] {
    let mut table = [1.0; TABLE];
    table[OUTSIDE] = 0.0;
    table
}

/// An image divided by its field, and what is told of it.
pub struct Corrected {
    /// image / field, if asked for.
    pub image: Option<Vec<f32>>,
    /// The factor, if asked for.
    pub field: Option<Vec<f32>>,
    /// Measured over the chosen voxels.
    pub measures: Measures,
}

/// What is told of a correction, over the chosen voxels of the full image.
#[derive(Clone, Copy, Debug)]
pub struct Measures {
    /// Chosen voxels.
    pub voxels: usize,
    /// Deviation over mean before.
    pub coefficient_of_variation_before: f64,
    /// Deviation over mean after.
    pub coefficient_of_variation_after: f64,
    /// Smallest factor.
    pub field_low: f32,
    /// Largest factor.
    pub field_high: f32,
}

/// Sums over the chosen voxels of a few planes.
struct Told {
    count: usize,
    before: Sums,
    after: Sums,
    low: Lanes<f32>,
    high: Lanes<f32>,
}

/// The outputs' share of a few planes; empty where an output is not wanted.
struct Part<'a> {
    planes: std::ops::Range<usize>,
    image: &'a mut [f32],
    field: &'a mut [f32],
}

at_levels! {
    fn correct_planes(part: &mut Part, voxels: &[f32], select: Select, expansion: &Expansion, x_samples: usize, y_axis: &Axis) -> Told {
        let (nx, ny) = (x_samples, y_axis.samples());
        let mut plane = vec![0.0; expansion.plane_size()];
        let mut chosen = vec![0.0; expansion.stride()];
        let mut told = Told {
            count: 0,
            before: Sums::default(),
            after: Sums::default(),
            low: Lanes([f32::INFINITY; LANES]),
            high: Lanes([f32::NEG_INFINITY; LANES]),
        };
        let (mut low, mut high) = (told.low, told.high);
        for (local, z) in part.planes.clone().enumerate() {
            expansion.plane(z, &mut plane);
            for y in 0..ny {
                let row = Row::new(&plane, expansion.stride(), y_axis, y);
                let (from, to) = ((z * ny + y) * nx, (local * ny + y) * nx);
                let input = &voxels[from..from + nx];
                select.row(from, input, &mut chosen[..nx]);
                for x in (0..nx).step_by(LANES) {
                    let width = LANES.min(nx - x);
                    let mut value = Lanes([0.0; LANES]);
                    if width == LANES {
                        value.0.copy_from_slice(&input[x..x + LANES]);
                    } else {
                        value.0[..width].copy_from_slice(&input[x..]);
                    }
                    let log = row.lanes(x).0;
                    let chosen: &[f32; LANES] = chosen[x..x + LANES].try_into().unwrap();
                    let [mut field, mut output, mut before, mut after] = [Lanes([0.0; LANES]); 4];
                    for i in 0..LANES {
                        let (v, f) = (value.0[i], exp(log[i]));
                        let corrected = v / f;
                        let inside = chosen[i] != 0.0;
                        (field.0[i], output.0[i]) = (f, corrected);
                        before.0[i] = if inside { v } else { 0.0 };
                        after.0[i] = if inside { corrected } else { 0.0 };
                        let factor = if inside { f } else { f32::NAN };
                        low.0[i] = if factor < low.0[i] { factor } else { low.0[i] };
                        high.0[i] = if factor > high.0[i] { factor } else { high.0[i] };
                    }
                    let mut count = 0.0;
                    for i in 0..LANES {
                        count += chosen[i];
                    }
                    told.count += count as usize;
                    told.before.add(&before);
                    told.after.add(&after);
                    if !part.image.is_empty() {
                        part.image[to + x..to + x + width].copy_from_slice(&output.0[..width]);
                    }
                    if !part.field.is_empty() {
                        part.field[to + x..to + x + width].copy_from_slice(&field.0[..width]);
                    }
                }
            }
        }
        (told.low, told.high) = (low, high);
        told
    }
}

/// Divides the image by the field that the lattice describes, stretched over the whole image.
pub fn correct(
    source: &Source,
    lattice: &Lattice,
    want_image: bool,
    want_field: bool,
    run: &Run,
) -> Result<Corrected, Cancelled> {
    let shape = source.shape;
    let axes = Axes::new(shape, lattice.points.map(|points| points - 3));
    let [x, y, z] = &axes.0;
    let expansion = Expansion::new(lattice, x, z);
    let size = |wanted: bool| if wanted { source.voxels.len() } else { 0 };
    let mut image = vec![0.0; size(want_image)];
    let mut field = vec![0.0; size(want_field)];

    let (mut image_rest, mut field_rest) = (&mut image[..], &mut field[..]);
    let mut parts = Vec::new();
    for planes in chunks(shape) {
        let voxels = planes.len() * shape[0] * shape[1];
        let (image, rest) = image_rest.split_at_mut(if want_image { voxels } else { 0 });
        image_rest = rest;
        let (field, rest) = field_rest.split_at_mut(if want_field { voxels } else { 0 });
        field_rest = rest;
        parts.push(Part { planes, image, field });
    }
    let told = run.map_parts(parts, |_, mut part| {
        correct_planes(run.level, &mut part, source.voxels, source.select, &expansion, shape[0], y)
    })?;
    let measures = measures(&told);
    Ok(Corrected { image: want_image.then_some(image), field: want_field.then_some(field), measures })
}

fn measures(told: &[Told]) -> Measures {
    let (mut before, mut after) = (Sums::default(), Sums::default());
    let (mut voxels, mut low, mut high) = (0, f32::INFINITY, f32::NEG_INFINITY);
    for part in told {
        voxels += part.count;
        before.merge(&part.before);
        after.merge(&part.after);
        for lane in 0..LANES {
            low = if part.low.0[lane] < low { part.low.0[lane] } else { low };
            high = if part.high.0[lane] > high { part.high.0[lane] } else { high };
        }
    }
    let variation = |sums: &Sums| {
        let (mean, deviation) = sums.mean_and_deviation(voxels);
        deviation / mean
    };
    Measures {
        voxels,
        coefficient_of_variation_before: variation(&before),
        coefficient_of_variation_after: variation(&after),
        field_low: low,
        field_high: high,
    }
}
