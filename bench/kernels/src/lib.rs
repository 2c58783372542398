//! The kernels one by one, for `bench/kernels.ts`: on one thread, on voxels that are made once. In nothing that ships.

use std::sync::{LazyLock, Mutex, PoisonError};
use voxnorm_kernels::at_levels;
use voxnorm_kernels::bspline::{Axes, Expansion, Lattice, Placement, Row};
use voxnorm_kernels::distinct::distinct;
use voxnorm_kernels::grid::Shrunk;
use voxnorm_kernels::histogram::{Bins, histogram, range, weighted_histogram};
use voxnorm_kernels::level::Level;
use voxnorm_kernels::local::{Local, local};
use voxnorm_kernels::lookup::Lookup;
use voxnorm_kernels::math::{exp, ln};
use voxnorm_kernels::moments::moments;
use voxnorm_kernels::n4::{Corrected, Correction, Settings, Source, correct, fit, observe};
use voxnorm_kernels::parallel::Pool;
use voxnorm_kernels::pointwise::{Curve, Map, Outside, map};
use voxnorm_kernels::quantile::percentiles;
use voxnorm_kernels::run::{Cancelled, Run};
use voxnorm_kernels::select::{Select, Values, chosen};
use voxnorm_kernels::sharpen::{Scale, Sharpening};
use voxnorm_kernels::{fcm, kde};

/// A head at 1 mm.
const SHAPE: [usize; 3] = [176, 238, 169];

/// What kernels read, and where those write that give as much.
struct Voxels {
    image: Vec<f32>,
    /// The image in whole numbers.
    whole: Vec<f32>,
    /// A ball in the middle, a third of the image.
    mask: Vec<u8>,
    weight: Vec<f32>,
    out: Vec<f32>,
    lattice: Lattice,
}

/// Returns what tells one output from another.
type Kernel = fn(&mut Voxels, &Run) -> Result<f64, Cancelled>;

/// Name, bytes of a voxel that go to or come from memory (0 where work, not memory, is what counts), and the call.
const KERNELS: &[(&str, u32, Kernel)] = &[
    ("a plain copy", 8, |v, _| {
        v.out.copy_from_slice(&v.image);
        Ok(sampled(&v.out))
    }),
    ("a plain read", 4, |v, run| Ok(largest_bits(run.level, &v.image).into())),
    ("range", 4, |v, run| Ok(range(&v.image, Select::All, run)?.high.into())),
    ("range in a mask", 5, |v, run| Ok(range(&v.image, in_mask(&v.mask), run)?.high.into())),
    ("moments", 4, |v, run| Ok(moments(&v.image, Select::All, run)?.squares)),
    ("moments in a mask", 5, |v, run| Ok(moments(&v.image, in_mask(&v.mask), run)?.squares)),
    ("histogram, 256 bins", 4, |v, run| {
        Ok(histogram(&v.image, Select::All, bins(), run)?
            .bins
            .iter()
            .fold(0.0, |sum, n| sum * 0.5 + *n as f64))
    }),
    ("histogram in a mask, 256 bins", 5, |v, run| {
        let counts = histogram(&v.image, in_mask(&v.mask), bins(), run)?.bins;
        Ok(counts.iter().fold(0.0, |sum, n| sum * 0.5 + *n as f64))
    }),
    ("weighted histogram, 256 bins", 8, |v, run| {
        Ok(weighted_histogram(&v.image, &v.weight, bins(), run)?
            .bins
            .iter()
            .fold(0.0, |sum, n| sum * 0.5 + n))
    }),
    ("percentiles 0.5 and 99.5", 4, |v, run| {
        Ok(percentiles(&v.image, Select::All, &[0.5, 99.5], run)?.values.iter().sum())
    }),
    ("percentiles 0.5 and 99.5 in a mask", 5, |v, run| {
        Ok(percentiles(&v.image, in_mask(&v.mask), &[0.5, 99.5], run)?.values.iter().sum())
    }),
    ("map: a line", 8, |v, run| mapped(v, Map { subtract: 300.0, divide: 70.0, ..Map::IDENTITY }, run)),
    ("map: clip", 8, |v, run| mapped(v, Map { clip: [20.0, 700.0], ..Map::IDENTITY }, run)),
    ("map: clip, then a line", 8, |v, run| {
        mapped(v, Map { clip: [20.0, 700.0], subtract: 20.0, divide: 680.0, ..Map::IDENTITY }, run)
    }),
    ("map: a power", 8, |v, run| mapped(v, Map { curve: Curve::Power(0.7), ..Map::IDENTITY }, run)),
    ("map: lines between 17 points", 8, |v, run| {
        let points: Vec<_> = (0..17).map(|i| [f64::from(i * i) * 3.0, f64::from(i)]).collect();
        mapped(v, Map { curve: Curve::Lines(Lookup::through(&points, [1.0; 2])), ..Map::IDENTITY }, run)
    }),
    ("a mask's voxels side by side", 5, |v, run| {
        Ok(sampled(&chosen(&v.image, in_mask(&v.mask), &v.image, run)?))
    }),
    ("different values, of whole numbers", 4, |v, run| {
        Ok(distinct(&v.whole, Select::All, 1 << 18, run)?.map_or(f64::NAN, |values| values.len() as f64))
    }),
    ("density of 80 points: Gaussian kernels", 4, |v, run| {
        Ok(kde::gaussian(kde::Numbers::Voxels(&v.image, Select::All), EXTENT, 80, 10.0, run)?.iter().sum())
    }),
    ("density of 128 points: Fourier transform", 4, |v, run| {
        Ok(kde::silverman(kde::Numbers::Voxels(&v.image, Select::All), EXTENT, 128, 10.0, run)?
            .density
            .iter()
            .sum())
    }),
    ("fuzzy c-means: three classes", 0, |v, run| {
        Ok(fcm::classes(&v.image, EXTENT, 0.005, 100, run)?
            .map_or(f64::NAN, |found| found.means.iter().sum()))
    }),
    ("fuzzy c-means: membership", 8, |v, run| {
        fcm::membership(&v.image, Select::All, [20.0, 400.0, 600.0], 2, &mut v.out, run)?;
        Ok(sampled(&v.out))
    }),
    ("local mean and deviation, 13³ voxels", 8, |v, run| {
        local(&v.image, SHAPE, [6; 3], 300.0, Local::Deviation(1.0), &mut v.out, run)?;
        Ok(sampled(&v.out))
    }),
    ("exponential", 8, |v, run| {
        exps(run.level, &v.image, &mut v.out);
        Ok(sampled(&v.out))
    }),
    ("logarithm", 8, |v, run| {
        lns(run.level, &v.image, &mut v.out);
        Ok(sampled(&v.out))
    }),
    ("B-spline expansion, 7³ control points", 4, |v, run| {
        expand(run.level, &v.lattice, &mut v.out);
        Ok(sampled(&v.out))
    }),
    ("N4: observe the mask", 5, |v, run| Ok(observed(v, run)?.included as f64)),
    ("N4: observe, then 10 iterations (contraction, sharpening, advance)", 0, |v, run| {
        let found = fit(observed(v, run)?, &settings(), run, &|_| ())?;
        Ok(found.lattice.values.iter().sum())
    }),
    ("N4: correct", 9, |v, run| {
        let correction = Correction {
            lattice: &v.lattice,
            placement: SHAPE.map(Placement::stretched),
            keep_outside: false,
            preserve_range: false,
            in_place: false,
        };
        let mut image = std::mem::take(&mut v.out);
        let to = Corrected { image: &mut image, field: &mut [], log_field: &mut [] };
        let done = correct(&source(v), &correction, to, run);
        v.out = image;
        done.map(|_| sampled(&v.out))
    }),
    ("sharpening of 200 bins", 0, |_, run| {
        let counts: Vec<f64> = (0..200).map(|i| f64::from(i * 7 % 13)).collect();
        let scale = Scale { low: 1.0, slope: 0.01 };
        Ok(Sharpening::new(200, 0.15, 0.01).expected(run.level, &counts, scale).iter().sum())
    }),
];

at_levels! {
    fn largest_bits(from: &[f32]) -> u32 {
        from.iter().fold(0, |largest, voxel| largest.max(voxel.to_bits()))
    }

    fn exps(from: &[f32], to: &mut [f32]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = exp(*from * 0.01);
        }
    }

    fn lns(from: &[f32], to: &mut [f32]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = ln(*from + 1.0);
        }
    }

    fn expand(lattice: &Lattice, to: &mut [f32]) {
        let axes = Axes::new(SHAPE, lattice.points.map(|points| points - 3));
        let [x, y, z] = &axes.0;
        let expansion = Expansion::new(lattice, x, z);
        let mut plane = vec![0.0; expansion.plane_size()];
        for (k, to) in to.chunks_exact_mut(SHAPE[0] * SHAPE[1]).enumerate() {
            expansion.plane(k, &mut plane);
            for (j, to) in to.chunks_exact_mut(SHAPE[0]).enumerate() {
                Row::new(&plane, expansion.stride(), y, j).expand(0, to);
            }
        }
    }
}

/// Bounds of the image.
const EXTENT: [f64; 2] = [0.0, 1000.0];

fn in_mask(mask: &[u8]) -> Select<'_> {
    Select::Other(Values::Bytes(mask), 0.0)
}

fn mapped(voxels: &mut Voxels, each: Map, run: &Run) -> Result<f64, Cancelled> {
    map(Some(&voxels.image), Select::All, &each, Outside::Keep, &mut voxels.out, run)?;
    Ok(sampled(&voxels.out))
}

fn bins() -> Bins {
    Bins::new(EXTENT[0], EXTENT[1], 256).expect("a range")
}

fn source(voxels: &Voxels) -> Source<'_> {
    Source { voxels: &voxels.image, shape: SHAPE, select: in_mask(&voxels.mask), weight: None }
}

fn observed(voxels: &Voxels, run: &Run) -> Result<voxnorm_kernels::n4::Observations, Cancelled> {
    let shrunk = Shrunk { shape: SHAPE, offset: [0; 3], factor: [1; 3], before: [0; 3], whole: SHAPE };
    observe(&source(voxels), &shrunk, run)
}

fn settings() -> Settings {
    Settings {
        iterations: vec![10],
        convergence_threshold: 0.0,
        control_points: [4; 3],
        placement: SHAPE.map(Placement::stretched),
        histogram_bins: 200,
        full_width_at_half_maximum: 0.15,
        wiener_noise: 0.01,
    }
}

/// The sum of some of the voxels.
fn sampled(voxels: &[f32]) -> f64 {
    voxels.iter().step_by(9973).map(|voxel| f64::from(*voxel)).sum()
}

/// Two tissues with noise under a smooth field, air around them.
fn phantom() -> Voxels {
    let length = SHAPE.iter().product();
    let (mut image, mut mask) = (Vec::with_capacity(length), Vec::with_capacity(length));
    let mut noise = 1_u32;
    for i in 0..length {
        let index = [i % SHAPE[0], i / SHAPE[0] % SHAPE[1], i / SHAPE[0] / SHAPE[1]];
        let [x, y, z] = [0, 1, 2].map(|a| index[a] as f32 / SHAPE[a] as f32 - 0.5);
        let radius = (x * x + y * y + z * z).sqrt();
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let tissue = if radius > 0.43 {
            20.0
        } else if radius > 0.3 {
            400.0
        } else {
            600.0
        };
        image.push(tissue * (1.0 + 0.3 * x - 0.2 * y * z) + (noise >> 24) as f32 * 0.2);
        mask.push(u8::from(radius <= 0.43));
    }
    let points = [7, 7, 7];
    let values = (0..343).map(|i| f64::from(i * 29 % 17) * 0.01).collect();
    let whole = image.iter().map(|voxel| voxel.round()).collect();
    let weight = mask.iter().map(|inside| f32::from(*inside)).collect();
    Voxels { image, whole, mask, weight, out: vec![0.0; length], lattice: Lattice { points, values } }
}

/// Runs a kernel once at a level, both by their places in the lists; NaN where there is none such.
fn run_kernel(kernel: usize, level: usize) -> f64 {
    static VOXELS: LazyLock<Mutex<Voxels>> = LazyLock::new(|| Mutex::new(phantom()));
    let level = Level::supported().get(level).and_then(|name| Level::named(name));
    let (Some((_, _, kernel)), Some(level), Ok(pool)) = (KERNELS.get(kernel), level, Pool::new(1)) else {
        return f64::NAN;
    };
    let mut voxels = VOXELS.lock().unwrap_or_else(PoisonError::into_inner);
    kernel(&mut voxels, &Run { level, pool, cancelled: &|| false }).unwrap_or(f64::NAN)
}

/// What a WebAssembly module gives out.
#[cfg(target_arch = "wasm32")]
pub mod exports {
    /// [`super::run_kernel`].
    #[unsafe(no_mangle)]
    pub extern "C" fn run(kernel: u32, level: u32) -> f64 {
        super::run_kernel(kernel as usize, level as usize)
    }
}

/// What an addon for Node gives out.
#[cfg(not(target_arch = "wasm32"))]
pub mod exports {
    use napi_derive::napi;

    /// [`super::run_kernel`].
    #[napi]
    pub fn run(kernel: u32, level: u32) -> f64 {
        super::run_kernel(kernel as usize, level as usize)
    }

    /// The kernels' names, in order.
    #[napi]
    pub fn names() -> Vec<String> {
        super::KERNELS.iter().map(|(name, ..)| (*name).to_owned()).collect()
    }

    /// Bytes that each moves for a voxel.
    #[napi]
    pub fn bytes() -> Vec<u32> {
        super::KERNELS.iter().map(|(_, bytes, _)| *bytes).collect()
    }

    /// The levels' names, in order.
    #[napi]
    pub fn levels() -> Vec<String> {
        super::Level::supported().into_iter().map(str::to_owned).collect()
    }

    /// How many voxels there are.
    #[napi]
    pub fn voxels() -> u32 {
        super::SHAPE.iter().product::<usize>() as u32
    }
}
