//! The full image divided by its field.

use super::observe::{Source, chunks};
use crate::at_levels;
use crate::bspline::{Axes, Axis, Expansion, Lattice, Row};
use crate::math::exp;
use crate::memory::zeros;
use crate::moments::{LANES, Lanes, Sums};
use crate::run::{Cancelled, Run};
use crate::select::Select;

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
    /// Of these, how many are NaN or infinite: the other measures then mean nothing.
    pub not_finite: usize,
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
        let mut fields = vec![0.0; expansion.stride()];
        let mut outputs = vec![0.0; expansion.stride()];
        for (local, z) in part.planes.clone().enumerate() {
            expansion.plane(z, &mut plane);
            for y in 0..ny {
                let (from, to) = ((z * ny + y) * nx, (local * ny + y) * nx);
                let input = &voxels[from..from + nx];
                Row::new(&plane, expansion.stride(), y_axis, y).expand(&mut fields);
                for field in &mut fields {
                    *field = exp(*field);
                }
                for (output, (value, field)) in outputs.iter_mut().zip(input.iter().zip(&fields)) {
                    *output = value / field;
                }
                if !part.image.is_empty() {
                    part.image[to..to + nx].copy_from_slice(&outputs[..nx]);
                }
                if !part.field.is_empty() {
                    part.field[to..to + nx].copy_from_slice(&fields[..nx]);
                }
                let count = select.row(from, input, &mut chosen[..nx]);
                if count > 0 {
                    told.count += count;
                    tell(&mut told, input, &outputs, &fields, &chosen);
                }
            }
        }
        told
    }
}

/// Adds what the chosen voxels of a row tell. `chosen` is padded with zeros to whole lanes, the other
/// arrays reach as far or end with the row.
#[inline(always)]
fn tell(told: &mut Told, input: &[f32], outputs: &[f32], fields: &[f32], chosen: &[f32]) {
    for x in (0..chosen.len()).step_by(LANES) {
        let chosen: &[f32; LANES] = chosen[x..x + LANES].try_into().unwrap();
        // Most blocks of an image are background, which tells nothing.
        if chosen.iter().fold(0, |any, chosen| any | chosen.to_bits()) == 0 {
            continue;
        }
        let mut values = Lanes([0.0; LANES]);
        let width = LANES.min(input.len() - x);
        values.0[..width].copy_from_slice(&input[x..x + width]);
        let outputs: &[f32; LANES] = outputs[x..x + LANES].try_into().unwrap();
        let fields: &[f32; LANES] = fields[x..x + LANES].try_into().unwrap();
        let [mut before, mut after] = [Lanes([0.0; LANES]); 2];
        for i in 0..LANES {
            let inside = chosen[i] != 0.0;
            before.0[i] = if inside { values.0[i] } else { 0.0 };
            after.0[i] = if inside { outputs[i] } else { 0.0 };
            let factor = if inside { fields[i] } else { f32::NAN };
            told.low.0[i] = if factor < told.low.0[i] { factor } else { told.low.0[i] };
            told.high.0[i] = if factor > told.high.0[i] { factor } else { told.high.0[i] };
        }
        told.before.add(&before);
        told.after.add(&after);
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
    let mut image = zeros(size(want_image));
    let mut field = zeros(size(want_field));

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
    let measures = measures(&told, source);
    Ok(Corrected { image: want_image.then_some(image), field: want_field.then_some(field), measures })
}

fn measures(told: &[Told], source: &Source) -> Measures {
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
        not_finite: if before.fold().0.is_finite() { 0 } else { count_not_finite(source) },
        coefficient_of_variation_before: variation(&before),
        coefficient_of_variation_after: variation(&after),
        field_low: low,
        field_high: high,
    }
}

/// Only looked for where a sum shows that there are some.
fn count_not_finite(source: &Source) -> usize {
    let chosen =
        |(index, voxel): &(usize, &f32)| !voxel.is_finite() && source.select.includes(*index, **voxel);
    source.voxels.iter().enumerate().filter(chosen).count()
}
