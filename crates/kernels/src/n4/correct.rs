//! The full image divided by its field.

use super::observe::{Source, chunks};
use crate::at_levels;
use crate::bspline::{Axes, Axis, Expansion, Lattice, Placement, Row, padded};
use crate::level::Level;
use crate::math::{SMALL, exp, exp_normal, exp_small};
use crate::memory::{array, recycle};
use crate::moments::{LANES, Lanes, Sums, aligned, flat_mut};
use crate::run::{Cancelled, Run};
use crate::select::{BLOCK, Choice, Select};

/// How an image is corrected, and what is wanted of it.
pub struct Correction<'a> {
    /// Control points of ln field.
    pub lattice: &'a Lattice,
    /// Where the image's voxels lie on the lattice.
    pub placement: [Placement; 3],
    /// Voxels that were not chosen keep their value.
    pub keep_outside: bool,
    /// The chosen voxels are mapped linearly, so that their smallest and largest value are the input's.
    pub preserve_range: bool,
    /// The voxels are those in the place of the corrected image: what the source says of them is not read, and their range is
    /// not preserved.
    pub in_place: bool,
}

/// Where the outputs go; empty where one is not wanted, else of the image's length.
pub struct Corrected<'a> {
    /// image / field.
    pub image: &'a mut [f32],
    /// The factor.
    pub field: &'a mut [f32],
    /// The factor's logarithm.
    pub log_field: &'a mut [f32],
}

/// What is told of a correction, over the chosen voxels of the full image.
#[derive(Clone, Copy, Debug)]
pub struct Measures {
    /// Chosen voxels.
    pub voxels: usize,
    /// Of these, how many are NaN or infinite: the other measures then mean nothing.
    pub not_finite: usize,
    /// Mean and deviation before.
    pub before: (f64, f64),
    /// Mean and deviation after.
    pub after: (f64, f64),
    /// Smallest factor.
    pub field_low: f32,
    /// Largest factor.
    pub field_high: f32,
}

/// What a few planes tell, over their chosen voxels.
struct Told {
    count: usize,
    not_finite: usize,
    before: Sums,
    after: Sums,
    /// Of ln field.
    low: Lanes<f32>,
    high: Lanes<f32>,
}

/// The outputs' share of a few planes; empty where an output is not wanted.
struct Part<'a> {
    planes: std::ops::Range<usize>,
    image: &'a mut [f32],
    field: &'a mut [f32],
    log_field: &'a mut [f32],
    keep_outside: bool,
}

at_levels! {
    /// The voxels are those of the whole image, or none where they are those in `part.image`.
    fn correct_planes(level: Level, part: &mut Part, voxels: Option<&[f32]>, select: Select, expansion: &Expansion, x_samples: usize, y_axis: &Axis) -> Told {
        let (nx, ny) = (x_samples, y_axis.samples());
        // Rows lie one behind the other: a few are one long row to all loops but the first, short enough that the
        // processor fetches the next while this one is measured.
        let most = (BLOCK / 2 / nx).clamp(1, ny);
        let (mut plane, mut logs) = (aligned(expansion.plane_size()), aligned(padded(most * nx) + LANES));
        let (plane, logs) = (flat_mut(&mut plane), flat_mut(&mut logs));
        // Padded with voxels that are not chosen.
        let mut chosen = vec![0; padded(most * nx)];
        let mut blocks = vec![0; chosen.len() / LANES];
        let [mut unwanted, mut held] = [part.image.is_empty(), voxels.is_none()].map(|is| vec![0.0; if is { most * nx } else { 0 }]);
        let mut told = Told {
            count: 0,
            not_finite: 0,
            before: Sums::default(),
            after: Sums::default(),
            low: Lanes([f32::INFINITY; LANES]),
            high: Lanes([f32::NEG_INFINITY; LANES]),
        };
        for (local, z) in part.planes.clone().enumerate() {
            expansion.plane(z, plane);
            // Few fields get far from 1, and a row lies between those that it is made of. Without their sign, numbers
            // are ordered as their bits are.
            let most_bits = plane.iter().fold(0, |most, log| log.to_bits().wrapping_shl(1).max(most));
            let is_small = most_bits < SMALL.to_bits() << 1;
            for top in (0..ny).step_by(most) {
                let rows = top..(top + most).min(ny);
                let length = rows.len() * nx;
                let (from, to) = ((z * ny + top) * nx, (local * ny + top) * nx);
                for (row, y) in rows.enumerate() {
                    // Whole lanes: what is beyond a row's end, the next one overwrites.
                    let to = &mut logs[row * nx..][..padded(nx)];
                    Row::new(plane, expansion.stride(), y_axis, y).expand(0, to);
                }
                let output = if part.image.is_empty() { &mut unwanted[..length] } else { &mut part.image[to..to + length] };
                let input = match voxels {
                    Some(voxels) => &voxels[from..from + length],
                    None => {
                        held[..length].copy_from_slice(output);
                        &held[..length]
                    }
                };
                let each = output.iter_mut().zip(input.iter().zip(&*logs));
                if is_small {
                    for (output, (value, log)) in each {
                        *output = value / exp_small(*log);
                    }
                } else {
                    for (output, (value, log)) in each {
                        *output = value / exp_normal(*log);
                    }
                }
                chosen[length..].fill(0);
                let select = select.part(from..from + length);
                let count = select.among(input).row(0, 1, &mut chosen[..length]);
                if part.keep_outside {
                    for (output, (value, chosen)) in output.iter_mut().zip(input.iter().zip(&chosen)) {
                        // Bits rather than a condition, which compilers make a branch for each voxel.
                        let kept = u32::from(*chosen).wrapping_sub(1);
                        *output = f32::from_bits(value.to_bits() & kept | output.to_bits() & !kept);
                    }
                }
                // Most of an image is background, which tells nothing.
                if count > 0 {
                    told.count += count;
                    let whole = length / LANES * LANES;
                    let held = holding(&chosen[..whole], &mut blocks);
                    measure(level, &mut told, input, output, logs, &chosen, held);
                    if whole < length {
                        let [input, output] = [input, &*output].map(|row| filled(&row[whole..]));
                        measure(level, &mut told, &input, &output, &logs[whole..], &chosen[whole..], &[0]);
                    }
                    if voxels.is_none() && !told.before.fold().0.is_finite() {
                        told.not_finite += not_finite(input, select);
                    }
                }
                if !part.log_field.is_empty() {
                    part.log_field[to..to + length].copy_from_slice(&logs[..length]);
                }
                if !part.field.is_empty() {
                    for (field, log) in part.field[to..to + length].iter_mut().zip(&*logs) {
                        *field = exp_normal(*log);
                    }
                }
            }
        }
        if let Some(voxels) = voxels && !told.before.fold().0.is_finite() {
            let range = part.planes.start * nx * ny..part.planes.end * nx * ny;
            told.not_finite = not_finite(&voxels[range.clone()], select.part(range));
        }
        told
    }
}

/// How many of the chosen are NaN or infinite: only looked for where a sum shows that there are some.
#[cold]
fn not_finite(voxels: &[f32], select: Select) -> usize {
    let choice = select.among(voxels);
    let chosen = |(index, voxel): &(usize, &f32)| !voxel.is_finite() && choice.includes(*index);
    voxels.iter().enumerate().filter(chosen).count()
}

/// The whole lanes among which there are chosen voxels.
#[inline(always)]
fn holding<'a>(chosen: &[u8], blocks: &'a mut [usize]) -> &'a [usize] {
    let mut count = 0;
    for (block, chosen) in chosen.as_chunks::<LANES>().0.iter().enumerate() {
        blocks[count] = block;
        count += usize::from(u128::from_ne_bytes(*chosen) != 0);
    }
    &blocks[..count]
}

/// The end of a row as a whole block.
fn filled(rest: &[f32]) -> [f32; LANES] {
    let mut block = [0.0; LANES];
    block[..rest.len()].copy_from_slice(rest);
    block
}

/// All bits for the chosen, none for the others.
#[inline(always)]
fn kept(chosen: &[u8; LANES]) -> [u32; LANES] {
    chosen.map(|chosen| u32::from(chosen).wrapping_neg())
}

/// The chosen values, and 0 for the others.
#[inline(always)]
fn taken(values: &[f32; LANES], keep: &[u32; LANES]) -> Lanes<f32> {
    let mut taken = Lanes([0.0; LANES]);
    for i in 0..LANES {
        taken.0[i] = f32::from_bits(values[i].to_bits() & keep[i]);
    }
    taken
}

/// Widens a range by the chosen values.
#[inline(always)]
fn reach(low: &mut Lanes<f32>, high: &mut Lanes<f32>, values: &[f32; LANES], keep: &[u32; LANES]) {
    for i in 0..LANES {
        // NaN where not chosen.
        let value = f32::from_bits(values[i].to_bits() | !keep[i]);
        low.0[i] = if value < low.0[i] { value } else { low.0[i] };
        high.0[i] = if value > high.0[i] { value } else { high.0[i] };
    }
}

#[cfg(not(target_arch = "wasm32"))]
at_levels! {
    /// Adds the chosen voxels of a row, which lie in the given blocks. A call of its own, as registers are few.
    fn measure(told: &mut Told, input: &[f32], output: &[f32], logs: &[f32], chosen: &[u8], blocks: &[usize]) {
        // Copies of their own stay in registers.
        let (mut before, mut after, mut low, mut high) = (told.before, told.after, told.low, told.high);
        let (ins, outs) = (input.as_chunks::<LANES>().0, output.as_chunks::<LANES>().0);
        let (logs, chosen) = (logs.as_chunks::<LANES>().0, chosen.as_chunks::<LANES>().0);
        for &block in blocks {
            let keep = kept(&chosen[block]);
            before.add(&taken(&ins[block], &keep));
            after.add(&taken(&outs[block], &keep));
            reach(&mut low, &mut high, &logs[block], &keep);
        }
        (told.before, told.after, told.low, told.high) = (before, after, low, high);
    }
}

/// The same, one after the other: sixteen registers of four lanes do not hold all at once. What is taken is written down
/// before it is summed, as the compiler would halve the vectors of both otherwise.
#[cfg(target_arch = "wasm32")]
#[inline(never)]
fn measure(
    _: Level,
    told: &mut Told,
    input: &[f32],
    output: &[f32],
    logs: &[f32],
    chosen: &[u8],
    blocks: &[usize],
) {
    let mut only = [Lanes([0.0; LANES]); 8];
    let chosen = chosen.as_chunks::<LANES>().0;
    for (row, sums) in [(input, &mut told.before), (output, &mut told.after)] {
        let row = row.as_chunks::<LANES>().0;
        let mut own = *sums;
        for blocks in blocks.chunks(only.len()) {
            for (only, &block) in only.iter_mut().zip(blocks) {
                *only = taken(&row[block], &kept(&chosen[block]));
            }
            for only in &only[..blocks.len()] {
                own.add(only);
            }
        }
        *sums = own;
    }
    let (mut low, mut high) = (told.low, told.high);
    for &block in blocks {
        reach(&mut low, &mut high, &logs.as_chunks::<LANES>().0[block], &kept(&chosen[block]));
    }
    (told.low, told.high) = (low, high);
}

/// Divides the image by the field that the lattice describes.
pub fn correct(
    source: &Source,
    correction: &Correction,
    to: Corrected,
    run: &Run,
) -> Result<Measures, Cancelled> {
    let shape = source.shape;
    let lattice = correction.lattice;
    let axes = Axes::placed(shape, lattice.points.map(|points| points - 3), &correction.placement);
    let [x, y, z] = &axes.0;
    let expansion = Expansion::new(lattice, x, z);
    let Corrected { image, field, log_field } = to;
    // The extremes of the corrected voxels are known only once all are.
    let needs_image = correction.preserve_range && image.is_empty();
    let mut unwanted = array(if needs_image { source.voxels.len() } else { 0 });
    let image = if needs_image { &mut unwanted[..] } else { image };

    let mut rests = [&mut *image, field, log_field];
    let mut parts = Vec::new();
    for planes in chunks(shape) {
        let voxels = planes.len() * shape[0] * shape[1];
        let [image, field, log_field] = rests.each_mut().map(|rest| take(rest, voxels));
        parts.push(Part { planes, image, field, log_field, keep_outside: correction.keep_outside });
    }
    let voxels = if correction.in_place { None } else { Some(source.voxels) };
    let told = run.map_parts(parts, |_, mut part| {
        correct_planes(run.level, run.level, &mut part, voxels, source.select, &expansion, shape[0], y)
    })?;
    let mut measures = measures(&told);
    if correction.preserve_range && measures.not_finite == 0 && measures.voxels > 0 {
        let mapping = preserve_range(source, image, run)?;
        let (mean, deviation) = measures.after;
        let slope = f64::from(mapping.slope);
        let below = slope * (f64::from(mapping.corrected_high) - mean);
        measures.after = (f64::from(mapping.high) - below, slope * deviation);
    }
    recycle(unwanted);
    Ok(measures)
}

/// The first `count` of what is left of an output; nothing of one that is not wanted.
fn take<'a>(rest: &mut &'a mut [f32], count: usize) -> &'a mut [f32] {
    let all = std::mem::take(rest);
    let (taken, left) = if all.is_empty() { (all, &mut [][..]) } else { all.split_at_mut(count) };
    *rest = left;
    taken
}

/// value -> high - slope · (corrected high - value), in single precision as ANTs.
#[derive(Clone, Copy)]
struct Mapping {
    high: f32,
    corrected_high: f32,
    slope: f32,
}

impl Mapping {
    #[inline(always)]
    fn of(self, value: f32) -> f32 {
        self.high - self.slope * (self.corrected_high - value)
    }
}

/// Maps the chosen voxels of `image` so that they reach as far as those of the source.
fn preserve_range(source: &Source, image: &mut [f32], run: &Run) -> Result<Mapping, Cancelled> {
    let plane = source.shape[0] * source.shape[1];
    let planes = chunks(source.shape);
    let choice = source.select.among(source.voxels);
    let rows = |planes: &std::ops::Range<usize>| planes.start * plane..planes.end * plane;
    let found = run.map_parts(planes.clone(), |_, planes| {
        let (from, voxels) = (rows(&planes).start, rows(&planes));
        extremes(run.level, &source.voxels[voxels.clone()], &image[voxels], choice, from, source.shape[0])
    })?;
    let [mut original, mut corrected] = [(f32::INFINITY, f32::NEG_INFINITY); 2];
    for (before, after) in found {
        original = (original.0.min(before.0), original.1.max(before.1));
        corrected = (corrected.0.min(after.0), corrected.1.max(after.1));
    }
    let span = corrected.1 - corrected.0;
    let slope = if span > 0.0 { (original.1 - original.0) / span } else { 0.0 };
    let mapping = Mapping { high: original.1, corrected_high: corrected.1, slope };
    let mut rest = image;
    let mut parts = Vec::new();
    for planes in planes {
        parts.push((rows(&planes).start, take(&mut rest, planes.len() * plane)));
    }
    run.map_parts(parts, |_, (from, part)| {
        map_chosen(run.level, part, choice, from, source.shape[0], mapping);
    })?;
    Ok(mapping)
}

at_levels! {
    /// Smallest and largest chosen value before and after.
    fn extremes(before: &[f32], after: &[f32], choice: Choice, from: usize, nx: usize) -> ((f32, f32), (f32, f32)) {
        let mut chosen = vec![0; nx];
        let [mut low, mut high] = [[f32::INFINITY; 2], [f32::NEG_INFINITY; 2]];
        for (row, (before, after)) in before.chunks_exact(nx).zip(after.chunks_exact(nx)).enumerate() {
            choice.row(from + row * nx, 1, &mut chosen);
            for x in 0..nx {
                let inside = chosen[x] != 0;
                for (i, value) in [before[x], after[x]].into_iter().enumerate() {
                    low[i] = if inside && value < low[i] { value } else { low[i] };
                    high[i] = if inside && value > high[i] { value } else { high[i] };
                }
            }
        }
        ((low[0], high[0]), (low[1], high[1]))
    }

    /// `mapping` of the chosen voxels.
    fn map_chosen(part: &mut [f32], choice: Choice, from: usize, nx: usize, mapping: Mapping) {
        let mut chosen = vec![0; nx];
        for (row, values) in part.chunks_exact_mut(nx).enumerate() {
            if choice.row(from + row * nx, 1, &mut chosen) == 0 {
                continue;
            }
            for (value, chosen) in values.iter_mut().zip(&chosen) {
                *value = if *chosen != 0 { mapping.of(*value) } else { *value };
            }
        }
    }
}

fn measures(told: &[Told]) -> Measures {
    let (mut before, mut after) = (Sums::default(), Sums::default());
    let (mut voxels, mut not_finite, mut low, mut high) = (0, 0, f32::INFINITY, f32::NEG_INFINITY);
    for part in told {
        voxels += part.count;
        not_finite += part.not_finite;
        before.merge(&part.before);
        after.merge(&part.after);
        for lane in 0..LANES {
            low = if part.low.0[lane] < low { part.low.0[lane] } else { low };
            high = if part.high.0[lane] > high { part.high.0[lane] } else { high };
        }
    }
    Measures {
        voxels,
        not_finite,
        before: before.mean_and_deviation(voxels),
        after: after.mean_and_deviation(voxels),
        field_low: exp(low),
        field_high: exp(high),
    }
}
