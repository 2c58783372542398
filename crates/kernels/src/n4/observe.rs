//! What N4 sees of an image: the logarithm of its included voxels on the shrunk grid, in blocks of sixteen.

use crate::at_levels;
use crate::bspline::padded;
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
    fn observe_planes(source: &Source, shrunk: &Shrunk, planes: std::ops::Range<usize>) -> Observations {
        let [nx, ny, _] = shrunk.shape;
        let step = shrunk.factor[0];
        let mut chunk = Chunk {
            planes: planes.clone(),
            segments: Vec::new(),
            ends: Vec::new(),
            u: Vec::new(),
            codes: Vec::new(),
            confidence: Vec::new(),
        };
        let mut tally = Tally::default();
        // A row of the shrunk grid, padded to whole lanes with voxels that are not chosen.
        let [mut values, mut chosen, mut weights] = [const { Vec::new() }; 3];
        for row in [&mut values, &mut chosen, &mut weights] {
            row.resize(padded(nx), 0.0_f32);
        }
        for z in planes {
            for y in 0..ny {
                let (z, line) = (shrunk.offset[2] + z * shrunk.factor[2], shrunk.offset[1] + y * shrunk.factor[1]);
                let first = (z * source.shape[1] + line) * source.shape[0] + shrunk.offset[0];
                gather(source.voxels, first, step, &mut values[..nx]);
                let mut count = source.select.strided_row(first, step, &values[..nx], &mut chosen[..nx]);
                if let Some(weight) = source.weight {
                    gather(weight, first, step, &mut weights[..nx]);
                    for i in 0..nx {
                        // A NaN weight must be noticed, not skipped.
                        chosen[i] = if weights[i] <= 0.0 { 0.0 } else { chosen[i] };
                        tally.not_finite.0[i % LANES] += u32::from(chosen[i] != 0.0 && !weights[i].is_finite());
                    }
                    count = chosen[..nx].iter().map(|chosen| u32::from(*chosen != 0.0)).sum::<u32>() as usize;
                }
                tally.included += count;
                if count == 0 {
                    continue;
                }
                let mut open = false;
                for x in (0..nx).step_by(LANES) {
                    let chosen: &[f32; LANES] = chosen[x..x + LANES].try_into().unwrap();
                    let is_kept = chosen.iter().fold(0, |any, chosen| any | chosen.to_bits()) != 0;
                    if is_kept {
                        let values: &[f32; LANES] = values[x..x + LANES].try_into().unwrap();
                        chunk.u.push(logarithms(values, chosen, &mut tally));
                        if source.weight.is_some() {
                            let mut confidence = Lanes([0.0; LANES]);
                            for i in 0..LANES {
                                confidence.0[i] = if chosen[i] != 0.0 { weights[x + i] } else { 0.0 };
                            }
                            chunk.confidence.push(confidence);
                        }
                        match chunk.segments.last_mut() {
                            Some(segment) if open => segment.length += LANES,
                            _ => chunk.segments.push(Segment { y, x, length: LANES }),
                        }
                    }
                    open = is_kept;
                }
            }
            chunk.ends.push(chunk.segments.len());
        }
        chunk.codes = vec![Lanes([0; LANES]); chunk.u.len()];
        tally.observations(shrunk.shape, chunk)
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

/// The logarithms of the chosen values, NaN for the others; what is 0 or negative stays as it is.
#[inline(always)]
fn logarithms(values: &[f32; LANES], chosen: &[f32; LANES], tally: &mut Tally) -> Lanes<f32> {
    let mut block = Lanes([f32::NAN; LANES]);
    for i in 0..LANES {
        let (value, inside) = (values[i], chosen[i] != 0.0);
        let log = if value > 0.0 { ln(value) } else { value };
        let log = if inside { log } else { f32::NAN };
        block.0[i] = log;
        tally.low.0[i] = if log < tally.low.0[i] { log } else { tally.low.0[i] };
        tally.high.0[i] = if log > tally.high.0[i] { log } else { tally.high.0[i] };
        tally.non_positive.0[i] += u32::from(inside && value <= 0.0);
        tally.not_finite.0[i] += u32::from(inside && !value.is_finite());
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
            chunks: vec![chunk],
            included: self.included,
            non_positive: total(&self.non_positive),
            not_finite: total(&self.not_finite),
            low: self.low.0.iter().fold(f32::INFINITY, |low, &v| if v < low { v } else { low }),
            high: self.high.0.iter().fold(f32::NEG_INFINITY, |high, &v| if v > high { v } else { high }),
        }
    }
}
