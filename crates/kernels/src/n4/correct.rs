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
                    let [mut field, mut output] = [Lanes([0.0; LANES]); 2];
                    let mut count = 0;
                    for i in 0..LANES {
                        field.0[i] = exp(log[i]);
                        output.0[i] = value.0[i] / field.0[i];
                        count += u32::from(chosen[i] != 0.0);
                    }
                    // Most blocks of an image are background, which nothing is told of.
                    if count > 0 {
                        let [mut before, mut after] = [Lanes([0.0; LANES]); 2];
                        for i in 0..LANES {
                            let inside = chosen[i] != 0.0;
                            before.0[i] = if inside { value.0[i] } else { 0.0 };
                            after.0[i] = if inside { output.0[i] } else { 0.0 };
                            let factor = if inside { field.0[i] } else { f32::NAN };
                            low.0[i] = if factor < low.0[i] { factor } else { low.0[i] };
                            high.0[i] = if factor > high.0[i] { factor } else { high.0[i] };
                        }
                        told.count += count as usize;
                        told.before.add(&before);
                        told.after.add(&after);
                    }
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
