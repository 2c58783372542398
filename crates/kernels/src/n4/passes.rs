//! The two passes over the included voxels that make an iteration, and what they share.

use super::observe::{Chunk, PLACES};
use crate::at_levels;
use crate::bspline::{Axes, Axis, Expansion, Lattice, Row, padded};
use crate::math::{exp, expm1_small};
use crate::moments::{LANES, Lanes, Sums, flat, flat_mut};
use crate::run::{Cancelled, Run};

/// Fine bins: of the histogram that the passes fill, rebinned afterwards to the number asked for, and of the
/// table of residuals. A power of two spares a bounds check.
pub(super) const FINE: usize = 2048;

/// Counts of the codes, in four parts, so that equal neighbours don't wait for each other.
pub(super) struct Counts([[u32; FINE]; 4]);

impl Counts {
    /// No counts yet.
    pub(super) fn none() -> Box<Counts> {
        Box::new(Counts([[0; FINE]; 4]))
    }

    /// Counts of the fine bins, without the lanes of `chunks` that hold no voxel.
    pub(super) fn total(all: &[Box<Counts>], chunks: &[Chunk]) -> Vec<u32> {
        let mut total = vec![0; FINE];
        for part in all.iter().flat_map(|counts| &counts.0) {
            for (sum, count) in total.iter_mut().zip(part) {
                *sum += count;
            }
        }
        total[0] -= chunks.iter().map(|chunk| chunk.empty as u32).sum::<u32>();
        total
    }
}

/// How fine bins cover the values: bin = (u - base) · rate.
#[derive(Clone, Copy)]
pub(super) struct Coding {
    base: f32,
    rate: f32,
    width: f64,
}

impl Coding {
    /// Fine bins over [low, high].
    pub(super) fn new(low: f32, high: f32) -> Coding {
        let rate = FINE as f32 / (high - low);
        Coding { base: low, rate, width: 1.0 / f64::from(rate) }
    }

    /// The middle of fine bin `code`, within the range of values that occur.
    pub(super) fn value(self, code: usize, low: f32, high: f32) -> f64 {
        let centre = f64::from(self.base) + (code as f64 + 0.5) * self.width;
        centre.clamp(f64::from(low), f64::from(high))
    }
}

// The next three are compiled for the baseline on purpose: one voxel after the other they are three times as
// fast as with the gather and scatter instructions that compilers choose on wider levels.

/// What lies at each of `places`.
#[inline(never)]
fn gather(grid: &[f32; PLACES], places: &[u16], to: &mut [f32]) {
    for (to, place) in to.iter_mut().zip(places) {
        *to = grid[usize::from(*place) % PLACES];
    }
}

/// Puts what the table holds for each code at its place.
#[inline(never)]
fn scatter(table: &[f32; FINE], codes: &[u16], places: &[u16], grid: &mut [f32; PLACES]) {
    for (code, place) in codes.iter().zip(places) {
        grid[usize::from(*place) % PLACES] = table[usize::from(*code) % FINE];
    }
}

/// The same, times each voxel's confidence.
#[inline(never)]
fn scatter_weighted(
    table: &[f32; FINE],
    codes: &[u16],
    places: &[u16],
    confidence: &[f32],
    grid: &mut [f32; PLACES],
) {
    for ((code, place), confidence) in codes.iter().zip(places).zip(confidence) {
        grid[usize::from(*place) % PLACES] = table[usize::from(*code) % FINE] * confidence;
    }
}

/// What a pass over u finds.
pub(super) struct Pass {
    pub(super) low: Lanes<f32>,
    pub(super) high: Lanes<f32>,
    /// Of exp(-update) - 1, whose mean and deviation tell convergence.
    pub(super) change: Sums,
}

at_levels! {
    /// u -= update, with the range, the codes, the histogram and the convergence sums of the result.
    pub(super) fn advance(
        chunk: &mut Chunk,
        update: &Expansion,
        y_axis: &Axis,
        coding: Coding,
        is_small: bool,
        counts: &mut Counts,
    ) -> Pass {
        let mut plane = vec![0.0; update.plane_size()];
        let mut pass = Pass {
            low: Lanes([f32::INFINITY; LANES]),
            high: Lanes([f32::NEG_INFINITY; LANES]),
            change: Sums::default(),
        };
        let (mut low, mut high, mut sums) = (pass.low, pass.high, pass.change);
        let mut grid = [0.0; PLACES];
        let mut packed = [Lanes([0.0; LANES]); PLACES / LANES];
        let (mut block, mut begin) = (0, 0);
        for (z, &end) in chunk.planes.clone().zip(&chunk.ends) {
            if begin < end {
                update.plane(z, &mut plane);
            }
            for strip in &chunk.strips[begin..end] {
                for (y, places) in strip.rows.clone().zip(grid.chunks_exact_mut(chunk.width)) {
                    let row = Row::new(&plane, update.stride(), y_axis, y);
                    row.expand(strip.x + strip.lanes.start, &mut places[strip.lanes.clone()]);
                }
                let own = block * LANES..(block + strip.blocks) * LANES;
                gather(&grid, &chunk.places[own], flat_mut(&mut packed));
                for (at, block) in (block..block + strip.blocks).enumerate() {
                    let u = &mut chunk.u[block].0;
                    let codes: &mut [u16; LANES] = (&mut chunk.codes[block * LANES..][..LANES]).try_into().unwrap();
                    let update = &packed[at].0;
                    let mut change = Lanes([0.0; LANES]);
                    if is_small {
                        for i in 0..LANES {
                            change.0[i] = expm1_small(-update[i]);
                        }
                    } else {
                        for i in 0..LANES {
                            change.0[i] = exp(-update[i]) - 1.0;
                        }
                    }
                    for i in 0..LANES {
                        // NaN in lanes without a voxel: no comparison lets it through, and its bin is 0.
                        let v = u[i] - update[i];
                        u[i] = v;
                        low.0[i] = if v < low.0[i] { v } else { low.0[i] };
                        high.0[i] = if v > high.0[i] { v } else { high.0[i] };
                        let bin = (v - coding.base) * coding.rate;
                        let bin = if bin > 0.0 { bin } else { 0.0 };
                        let bin = if bin < (FINE - 1) as f32 { bin } else { (FINE - 1) as f32 };
                        // SAFETY: 0 ≤ bin < FINE, and not NaN.
                        codes[i] = unsafe { bin.to_int_unchecked::<i32>() } as u16;
                    }
                    sums.add(&change);
                    for i in (0..LANES).step_by(4) {
                        for part in 0..4 {
                            counts.0[part][codes[i + part] as usize % FINE] += 1;
                        }
                    }
                }
                block += strip.blocks;
            }
            begin = end;
        }
        (pass.low, pass.high, pass.change) = (low, high, sums);
        pass
    }

    /// Σ over the chunk's voxels of wy wz · table[code] · confidence, for every (z point, y point, x).
    fn contract(chunk: &Chunk, table: &[f32; FINE], y_axis: &Axis, z_axis: &Axis, stride: usize) -> Vec<f64> {
        let size = y_axis.points * stride;
        let (first, count) = touched(chunk, z_axis);
        let mut sums = vec![0.0_f64; count * size];
        let mut plane = vec![0.0_f32; size];
        let mut grid = [0.0_f32; PLACES];
        let (mut block, mut begin) = (0, 0);
        for (z, &end) in chunk.planes.clone().zip(&chunk.ends) {
            if begin == end {
                continue;
            }
            plane.fill(0.0);
            for strip in &chunk.strips[begin..end] {
                grid[..strip.rows.len() * chunk.width].fill(0.0);
                let blocks = block..block + strip.blocks;
                let own = block * LANES..(block + strip.blocks) * LANES;
                let (codes, places) = (&chunk.codes[own.clone()], &chunk.places[own]);
                if chunk.confidence.is_empty() {
                    scatter(table, codes, places, &mut grid);
                } else {
                    scatter_weighted(table, codes, places, flat(&chunk.confidence[blocks]), &mut grid);
                }
                block += strip.blocks;
                for (y, places) in strip.rows.clone().zip(grid.chunks_exact(chunk.width)) {
                    let from = y_axis.first[y] * stride + strip.x;
                    let residuals = &places[strip.lanes.clone()];
                    for a in 0..4 {
                        let weight = y_axis.weights[y][a] as f32;
                        let row = &mut plane[from + a * stride..][strip.lanes.clone()];
                        for (sum, residual) in row.iter_mut().zip(residuals) {
                            *sum += weight * residual;
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
pub(super) fn touched(chunk: &Chunk, z_axis: &Axis) -> (usize, usize) {
    let first = z_axis.first[chunk.planes.start];
    (first, z_axis.first[chunk.planes.end - 1] + 4 - first)
}

/// Σ over all included voxels of wx wy wz · table[code] · confidence, a value for each control point.
pub(super) fn contract_all(
    chunks: &[Chunk],
    table: &[f32; FINE],
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
