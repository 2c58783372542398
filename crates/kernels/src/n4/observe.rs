//! What N4 sees of an image: the logarithm of its included voxels on the shrunk grid, packed.

use crate::at_levels;
use crate::bspline::padded;
use crate::grid::Shrunk;
use crate::math::ln;
use crate::memory::prefetch;
use crate::moments::{LANES, Lanes};
use crate::pack::{Pack, bits};
use crate::parallel::ranges;
use crate::run::{Cancelled, Run};
use crate::select::Select;

/// Most chunks of planes: as many threads can help. Their results are folded in order.
const CHUNKS: usize = 32;
/// Fewest voxels of a chunk's box: below this, folding costs more than sharing saves.
const CHUNK_VOXELS: usize = 8192;

/// Most places of a strip: rows times their length.
pub(super) const PLACES: usize = 2048;

/// A few rows of a plane, or a piece of one. Its included voxels lie packed, row after row. What is computed on the
/// grid fits the fastest cache there.
pub(super) struct Strip {
    /// The rows with included voxels.
    pub(super) rows: std::ops::Range<usize>,
    /// The first column.
    pub(super) x: usize,
    /// The whole lanes with included voxels, from `x` on.
    pub(super) lanes: std::ops::Range<usize>,
    /// How many of the chunk's blocks are its own.
    pub(super) blocks: usize,
}

impl Strip {
    /// How many of the chunk's masks are its own.
    pub(super) fn masks(&self) -> usize {
        self.rows.len() * self.lanes.len() / LANES
    }
}

/// The included voxels of a few planes.
pub(super) struct Chunk {
    pub(super) planes: std::ops::Range<usize>,
    pub(super) strips: Vec<Strip>,
    /// For each plane, where its strips end.
    pub(super) ends: Vec<usize>,
    /// ln v - field; NaN in the lanes that fill a strip's last block.
    pub(super) u: Vec<Lanes<f32>>,
    /// The fine bin of u.
    pub(super) codes: Vec<u16>,
    /// Which of its lanes are included, for each of a strip's lanes, row after row.
    pub(super) masks: Vec<u16>,
    /// One weight a voxel, or nothing where all weigh the same.
    pub(super) confidence: Vec<Lanes<f32>>,
    /// How many lanes hold no voxel.
    pub(super) empty: usize,
}

/// What N4 sees of an image: the logarithm of its included voxels on the shrunk grid.
pub struct Observations {
    pub(super) shape: [usize; 3],
    pub(super) chunks: Vec<Chunk>,
    /// Included voxels.
    pub included: usize,
    /// Included voxels that are 0 or negative: they keep their raw value in place of a logarithm.
    pub non_positive: usize,
    /// Included voxels that are NaN or infinite, or whose weight is: the fit must not be run.
    pub not_finite: usize,
    pub(super) low: f32,
    pub(super) high: f32,
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
    let parts =
        run.map_parts(chunks(shrunk.shape), |_, planes| observe_planes(run.level, source, shrunk, planes))?;
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
pub(super) fn chunks(shape: [usize; 3]) -> Vec<std::ops::Range<usize>> {
    let voxels: usize = shape.iter().product();
    ranges(shape[2], (voxels / CHUNK_VOXELS).clamp(1, CHUNKS))
}

at_levels! {
    fn observe_planes<L>(source: &Source, shrunk: &Shrunk, planes: std::ops::Range<usize>) -> Observations {
        let [nx, ny, _] = shrunk.shape;
        let step = shrunk.factor[0];
        let width = padded(nx).min(PLACES);
        let height = PLACES / width;
        let mut chunk = Chunk {
            planes: planes.clone(),
            strips: Vec::new(),
            ends: Vec::new(),
            u: Vec::new(),
            codes: Vec::new(),
            masks: Vec::new(),
            confidence: Vec::new(),
            empty: 0,
        };
        let choice = source.select.among(source.voxels);
        let mut tally = Tally::default();
        let mut packed = Packed::new(width);
        let [mut values, mut weights] = [const { Vec::new() }; 2];
        for row in [&mut values, &mut weights] {
            row.resize(width, 0.0_f32);
        }
        let mut chosen = vec![0; width];
        for z in planes {
            let plane = (shrunk.offset[2] + z * shrunk.factor[2]) * source.shape[1];
            for top in (0..ny).step_by(height) {
                for x in (0..nx).step_by(width) {
                    let length = width.min(nx - x);
                    packed.clear();
                    chosen[length..].fill(0);
                    for y in top..(top + height).min(ny) {
                        let line = plane + shrunk.offset[1] + y * shrunk.factor[1];
                        let first = line * source.shape[0] + shrunk.offset[0] + x * step;
                        if shrunk.factor[1] > 1 {
                            // Rows that lie apart: the next but one, since memory answers late.
                            let ahead = first + 2 * shrunk.factor[1] * source.shape[0];
                            prefetch(source.voxels, ahead, length * step);
                            choice.prefetch(ahead, length * step);
                        }
                        let mut count = choice.row(first, step, &mut chosen[..length]);
                        if count > 0 {
                            gather(source.voxels, first, step, &mut values[..length]);
                        }
                        if let Some(weight) = source.weight {
                            gather(weight, first, step, &mut weights[..length]);
                            for i in 0..length {
                                // A NaN weight must be noticed, not skipped.
                                chosen[i] = if weights[i] <= 0.0 { 0 } else { chosen[i] };
                                tally.not_finite.0[i % LANES] += u32::from(chosen[i] != 0 && !weights[i].is_finite());
                            }
                            count = chosen.iter().map(|&chosen| usize::from(chosen)).sum();
                        }
                        if count > 0 {
                            packed.add::<L>(y, &values, source.weight.is_some().then_some(&weights[..]), &chosen);
                        }
                    }
                    tally.included += packed.count;
                    packed.store(x, source.weight.is_some(), &mut chunk, &mut tally);
                }
            }
            chunk.ends.push(chunk.strips.len());
        }
        chunk.codes = vec![0; chunk.u.len() * LANES];
        tally.observations(shrunk.shape, chunk)
    }
}

/// The included voxels of a strip, as they are gathered.
struct Packed {
    values: Vec<f32>,
    weights: Vec<f32>,
    count: usize,
    /// Which are included, for all lanes of the rows.
    masks: Vec<u16>,
    /// The lanes of a row.
    lanes: usize,
    rows: std::ops::Range<usize>,
    /// The first lanes with a voxel, and those behind the last.
    reach: (usize, usize),
}

impl Packed {
    fn new(width: usize) -> Packed {
        // A block more, so that the last can be filled up.
        let [values, weights] = [(); 2].map(|()| vec![0.0; PLACES + LANES]);
        let lanes = width / LANES;
        Packed { values, weights, count: 0, masks: Vec::new(), lanes, rows: 0..0, reach: (0, 0) }
    }

    #[inline(always)]
    fn clear(&mut self) {
        (self.count, self.rows, self.reach) = (0, 0..0, (usize::MAX, 0));
        self.masks.clear();
    }

    /// Appends the chosen voxels of row `y`, at least one; the first such row becomes the strip's first.
    #[inline(always)]
    fn add<L: Pack>(&mut self, y: usize, values: &[f32], weights: Option<&[f32]>, chosen: &[u8]) {
        if self.count == 0 {
            self.rows = y..y;
        }
        self.rows.end = y + 1;
        // Rows without a voxel may lie between.
        self.masks.resize((y - self.rows.start) * self.lanes, 0);
        let values = values.as_chunks().0;
        for (lane, (values, chosen)) in values.iter().zip(chosen.as_chunks().0).enumerate() {
            let mask = bits(chosen);
            L::pack(values, mask, self.values[self.count..].first_chunk_mut().expect("a block more"));
            if let Some(weights) = weights.and_then(|weights| weights.as_chunks().0.get(lane)) {
                L::pack(weights, mask, self.weights[self.count..].first_chunk_mut().expect("a block more"));
            }
            self.masks.push(mask);
            self.count += mask.count_ones() as usize;
            if mask != 0 {
                self.reach = (self.reach.0.min(lane), self.reach.1.max(lane + 1));
            }
        }
    }

    /// Makes a strip of the voxels, if there are any.
    #[inline(always)]
    fn store(&mut self, x: usize, is_weighted: bool, chunk: &mut Chunk, tally: &mut Tally) {
        if self.count == 0 {
            return;
        }
        let end = padded(self.count);
        chunk.empty += end - self.count;
        self.values[self.count..end].fill(f32::NAN);
        self.weights[self.count..end].fill(0.0);
        for at in (0..end).step_by(LANES) {
            let block = Lanes(self.values[at..at + LANES].try_into().unwrap());
            chunk.u.push(logarithms(&block, tally));
            if is_weighted {
                chunk.confidence.push(Lanes(self.weights[at..at + LANES].try_into().unwrap()));
            }
        }
        for masks in self.masks.chunks_exact(self.lanes) {
            chunk.masks.extend_from_slice(&masks[self.reach.0..self.reach.1]);
        }
        let lanes = self.reach.0 * LANES..self.reach.1 * LANES;
        chunk.strips.push(Strip { rows: self.rows.clone(), x, lanes, blocks: end / LANES });
    }
}

/// Every `step`-th voxel from `first` on.
#[inline(always)]
fn gather(voxels: &[f32], first: usize, step: usize, out: &mut [f32]) {
    if step == 1 {
        out.copy_from_slice(&voxels[first..first + out.len()]);
    } else {
        for (to, from) in out.iter_mut().zip(voxels[first..].iter().step_by(step)) {
            *to = *from;
        }
    }
}

/// The logarithms of the values; what is 0 or negative stays as it is, and so does NaN.
#[inline(always)]
fn logarithms(values: &Lanes<f32>, tally: &mut Tally) -> Lanes<f32> {
    let mut block = Lanes([0.0; LANES]);
    for i in 0..LANES {
        let value = values.0[i];
        let log = if value > 0.0 { ln(value) } else { value };
        block.0[i] = log;
        tally.low.0[i] = if log < tally.low.0[i] { log } else { tally.low.0[i] };
        tally.high.0[i] = if log > tally.high.0[i] { log } else { tally.high.0[i] };
        tally.non_positive.0[i] += u32::from(value <= 0.0);
        tally.not_finite.0[i] += u32::from(!value.is_finite());
    }
    block
}

/// Counts and ranges, a lane each.
struct Tally {
    included: usize,
    non_positive: Lanes<u32>,
    not_finite: Lanes<u32>,
    low: Lanes<f32>,
    high: Lanes<f32>,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            included: 0,
            non_positive: Lanes::default(),
            not_finite: Lanes::default(),
            low: Lanes([f32::INFINITY; LANES]),
            high: Lanes([f32::NEG_INFINITY; LANES]),
        }
    }
}

impl Tally {
    fn observations(&self, shape: [usize; 3], chunk: Chunk) -> Observations {
        let total = |counts: &Lanes<u32>| counts.0.iter().map(|&count| count as usize).sum();
        Observations {
            shape,
            not_finite: total(&self.not_finite) - chunk.empty,
            chunks: vec![chunk],
            included: self.included,
            non_positive: total(&self.non_positive),
            low: self.low.0.iter().fold(f32::INFINITY, |low, &v| if v < low { v } else { low }),
            high: self.high.0.iter().fold(f32::NEG_INFINITY, |high, &v| if v > high { v } else { high }),
        }
    }
}
