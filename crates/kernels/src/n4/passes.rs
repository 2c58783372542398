//! The two passes over the included voxels that make an iteration, and what they share.

use super::observe::{Chunk, PLACES};
use crate::at_levels;
use crate::bspline::{Axes, Axis, Expansion, Lattice, Row, padded};
use crate::math::{exp, expm1_small};
use crate::moments::{GROUP, LANES, Lanes, Sums, aligned, flat, flat_mut};
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

    /// Counts codes, of whole blocks.
    #[inline(never)]
    fn add(&mut self, codes: &[u16]) {
        for codes in codes.chunks_exact(4) {
            for part in 0..4 {
                self.0[part][usize::from(codes[part]) % FINE] += 1;
            }
        }
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

    /// The middle of the first fine bin, and the distance to the next.
    pub(super) fn middles(self) -> (f64, f64) {
        (f64::from(self.base) + 0.5 * self.width, self.width)
    }
}

/// What the table holds for each code. Compiled for the baseline on purpose, as counting is: one voxel after the other
/// is three times as fast as the gather instruction that compilers choose on wider levels.
#[inline(never)]
fn look_up(table: &[f32; FINE], codes: &[u16], to: &mut [f32]) {
    for (to, codes) in to.as_chunks_mut::<4>().0.iter_mut().zip(codes.as_chunks::<4>().0) {
        *to = codes.map(|code| table[usize::from(code) % FINE]);
    }
}

/// The whole part of a number from 0 to below 2^16.
#[inline(always)]
fn whole(number: f32) -> u32 {
    if cfg!(target_arch = "wasm32") {
        // WebAssembly's conversion minds NaN and overflow, which takes seven instructions. Beyond 2^23 floats are whole.
        (number.trunc() + 8_388_608.0).to_bits() & 0xFFFF
    } else {
        // SAFETY: it is neither NaN nor beyond what the type holds.
        unsafe { number.to_int_unchecked::<i32>() as u32 }
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
    pub(super) fn advance<L>(
        chunk: &mut Chunk,
        update: &Expansion,
        y_axis: &Axis,
        coding: Coding,
        is_small: bool,
        counts: &mut Counts,
    ) -> Pass {
        let mut plane = aligned(update.plane_size());
        let plane = flat_mut(&mut plane);
        let mut pass = Pass {
            low: Lanes([f32::INFINITY; LANES]),
            high: Lanes([f32::NEG_INFINITY; LANES]),
            change: Sums::default(),
        };
        let (mut low, mut high, mut sums) = (pass.low, pass.high, pass.change);
        let mut row = [Lanes([0.0; LANES]); PLACES / LANES];
        let mut packed = [Lanes([0.0; LANES]); PLACES / LANES + 1];
        let (mut block, mut mask, mut begin) = (0, 0, 0);
        for (z, &end) in chunk.planes.clone().zip(&chunk.ends) {
            if begin < end {
                update.plane(z, plane);
            }
            for strip in &chunk.strips[begin..end] {
                let masks = &chunk.masks[mask..mask + strip.masks()];
                mask += masks.len();
                let packed_values = flat_mut(&mut packed);
                let mut count = 0;
                for (y, masks) in strip.rows.clone().zip(masks.chunks_exact(strip.lanes.len() / LANES)) {
                    let row = &mut row[..masks.len()];
                    Row::new(plane, update.stride(), y_axis, y).expand(strip.x + strip.lanes.start, flat_mut(row));
                    for (Lanes(lanes), &mask) in row.iter().zip(masks) {
                        let to = packed_values[count..].first_chunk_mut().expect("a block more than there are places");
                        L::pack(lanes, mask, to);
                        count += mask.count_ones() as usize;
                    }
                }
                // Lanes without a voxel change nothing.
                packed_values[count..strip.blocks * LANES].fill(0.0);
                let own = block * LANES..(block + strip.blocks) * LANES;
                let update = &mut packed[..strip.blocks];
                let (u, codes) = (&mut chunk.u[block..block + strip.blocks], &mut chunk.codes[own]);
                // Loops of few values each, which stay in registers.
                for ((u, update), code) in flat_mut(u).iter_mut().zip(flat(update)).zip(codes.iter_mut()) {
                    *u -= update;
                    let bin = (*u - coding.base) * coding.rate;
                    // NaN, in lanes without a voxel, becomes 0.
                    let bin = if bin > 0.0 { bin } else { 0.0 };
                    let bin = if bin < (FINE - 1) as f32 { bin } else { (FINE - 1) as f32 };
                    *code = whole(bin) as u16;
                }
                for u in u.iter() {
                    for i in 0..LANES {
                        // No comparison lets NaN through.
                        low.0[i] = if u.0[i] < low.0[i] { u.0[i] } else { low.0[i] };
                        high.0[i] = if u.0[i] > high.0[i] { u.0[i] } else { high.0[i] };
                    }
                }
                for update in flat_mut(update) {
                    *update = if is_small { expm1_small(-*update) } else { exp(-*update) - 1.0 };
                }
                for change in update.iter() {
                    sums.add(change);
                }
                counts.add(codes);
                block += strip.blocks;
            }
            begin = end;
        }
        (pass.low, pass.high, pass.change) = (low, high, sums);
        pass
    }

    /// Σ over the chunk's voxels of wx wy wz · table[code] · confidence, for the control points that its planes touch.
    fn contract<L>(chunk: &Chunk, table: &[f32; FINE], axes: &Axes) -> Vec<f64> {
        let [x_axis, y_axis, z_axis] = &axes.0;
        let (first, count) = touched(chunk, z_axis);
        let (stride, size) = (padded(x_axis.samples()), y_axis.points * x_axis.points);
        let mut sums = vec![0.0_f64; count * size];
        // Over y in single precision, then over x and z in double.
        let mut plane = aligned(y_axis.points.next_multiple_of(4) * stride);
        let plane = flat_mut(&mut plane);
        let mut points = vec![0.0_f64; size];
        let mut across = vec![[0.0_f64; 4]; stride];
        let mut grid = [Lanes([0.0_f32; LANES]); PLACES / LANES];
        let mut packed = [0.0_f32; PLACES + LANES];
        let (mut block, mut mask, mut begin) = (0, 0, 0);
        for (z, &end) in chunk.planes.clone().zip(&chunk.ends) {
            if begin == end {
                continue;
            }
            plane.fill(0.0);
            for strip in &chunk.strips[begin..end] {
                let packed_residuals = &mut packed[..strip.blocks * LANES];
                look_up(table, &chunk.codes[block * LANES..][..strip.blocks * LANES], packed_residuals);
                if let Some(confidence) = chunk.confidence.get(block..block + strip.blocks) {
                    packed_residuals.iter_mut().zip(flat(confidence)).for_each(|(value, weight)| *value *= weight);
                }
                block += strip.blocks;
                let width = strip.lanes.len();
                let mut count = 0;
                for (Lanes(lanes), &mask) in grid.iter_mut().zip(&chunk.masks[mask..mask + strip.masks()]) {
                    L::unpack(packed[count..].first_chunk().expect("a block more than there are places"), mask, lanes);
                    count += mask.count_ones() as usize;
                }
                mask += strip.masks();
                let grid = flat(&grid);
                let mut y = strip.rows.start;
                while y < strip.rows.end {
                    // Rows of one span add to the same four sums.
                    let first = y_axis.first[y];
                    let end = (y..strip.rows.end).find(|y| y_axis.first[*y] != first).unwrap_or(strip.rows.end);
                    let rows = &mut plane[first * stride + strip.x + strip.lanes.start..];
                    for x in (0..width).step_by(GROUP) {
                        let mut sums = [0, 1, 2, 3].map(|a| {
                            let sums: [f32; GROUP] = rows[a * stride + x..][..GROUP].try_into().unwrap();
                            sums
                        });
                        for (residuals, weights) in
                            grid[(y - strip.rows.start) * width..].chunks_exact(width).zip(&y_axis.narrow[y..end])
                        {
                            let residuals = &residuals[x..x + GROUP];
                            for a in 0..4 {
                                for i in 0..GROUP {
                                    sums[a][i] += weights[a] * residuals[i];
                                }
                            }
                        }
                        for a in 0..4 {
                            rows[a * stride + x..][..GROUP].copy_from_slice(&sums[a]);
                        }
                    }
                    y = end;
                }
            }
            contract_rows(plane, stride, x_axis, &mut across, &mut points);
            for a in 0..4 {
                let weight = z_axis.weights[z][a];
                let sums = &mut sums[(z_axis.first[z] + a - first) * size..][..size];
                for (sum, point) in sums.iter_mut().zip(&points) {
                    *sum += weight * point;
                }
            }
            begin = end;
        }
        sums
    }
}

/// Σ wx · value along each row, for every control point; four rows at once, as each sum alone would wait for itself.
#[inline(always)]
fn contract_rows(plane: &[f32], stride: usize, x_axis: &Axis, across: &mut [[f64; 4]], points: &mut [f64]) {
    let width = x_axis.points;
    for (rows, out) in plane.chunks_exact(4 * stride).zip(points.chunks_mut(4 * width)) {
        out.fill(0.0);
        let [a, b, c, d] = [0, 1, 2, 3].map(|r| &rows[r * stride..(r + 1) * stride]);
        for (x, values) in across.iter_mut().enumerate() {
            *values = [a[x], b[x], c[x], d[x]].map(f64::from);
        }
        let mut sample = 0;
        while sample < x_axis.samples() {
            let first = x_axis.first[sample];
            let mut sums = [[0.0_f64; 4]; 4];
            while sample < x_axis.samples() && x_axis.first[sample] == first {
                let (weights, values) = (&x_axis.weights[sample], &across[sample]);
                for r in 0..4 {
                    for a in 0..4 {
                        sums[r][a] += weights[a] * values[r];
                    }
                }
                sample += 1;
            }
            for (row, sums) in out.chunks_exact_mut(width).zip(&sums) {
                for a in 0..4 {
                    row[first + a] += sums[a];
                }
            }
        }
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
    let parts = run.map_parts(chunks.iter().collect(), |_, chunk| contract(run.level, chunk, table, axes))?;
    let z_axis = &axes.0[2];
    let mut lattice = Lattice::zeros(axes.points());
    let size = lattice.points[0] * lattice.points[1];
    for (chunk, part) in chunks.iter().zip(&parts) {
        let from = touched(chunk, z_axis).0 * size;
        for (sum, more) in lattice.values[from..from + part.len()].iter_mut().zip(part) {
            *sum += more;
        }
    }
    Ok(lattice)
}
