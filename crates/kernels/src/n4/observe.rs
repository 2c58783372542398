//! What N4 sees of an image: the logarithm of its included voxels on the shrunk grid, in blocks of sixteen.

use crate::grid::Shrunk;
use crate::math::ln;
use crate::moments::{LANES, Lanes};
use crate::parallel::ranges;
use crate::run::{Cancelled, Run};
use crate::select::Select;

/// Most chunks of planes: as many threads can help. Their results are folded in order.
const CHUNKS: usize = 32;
/// Fewest voxels of a chunk's box: below this, folding costs more than sharing saves.
const CHUNK_VOXELS: usize = 8192;

/// Consecutive kept blocks of a row.
pub(super) struct Segment {
    pub(super) y: usize,
    pub(super) x: usize,
    pub(super) length: usize,
}

/// The included voxels of a few planes.
pub(super) struct Chunk {
    pub(super) planes: std::ops::Range<usize>,
    pub(super) segments: Vec<Segment>,
    /// For each plane, where its segments end.
    pub(super) ends: Vec<usize>,
    /// ln v - field; NaN outside.
    pub(super) u: Vec<Lanes<f32>>,
    /// The fine bin of u.
    pub(super) codes: Vec<Lanes<u16>>,
    /// One weight a voxel, or nothing where all weigh the same.
    pub(super) confidence: Vec<Lanes<f32>>,
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
pub(super) fn chunks(shape: [usize; 3]) -> Vec<std::ops::Range<usize>> {
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
