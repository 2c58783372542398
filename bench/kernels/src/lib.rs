//! The kernels one by one, for `bench/kernels.ts`: on one thread, on voxels that are made once. In nothing that ships.

use std::sync::{LazyLock, Mutex, PoisonError};
use voxnorm_kernels::at_levels;
use voxnorm_kernels::bspline::{Axes, Expansion, Lattice, Placement, Row};
use voxnorm_kernels::grid::Shrunk;
use voxnorm_kernels::histogram::{Bins, histogram, range, weighted_histogram};
use voxnorm_kernels::level::Level;
use voxnorm_kernels::math::{exp, ln};
use voxnorm_kernels::moments::moments;
use voxnorm_kernels::n4::{Corrected, Correction, Settings, Source, correct, fit, observe};
use voxnorm_kernels::parallel::Pool;
use voxnorm_kernels::run::{Cancelled, Run};
use voxnorm_kernels::select::{Select, Values};
use voxnorm_kernels::sharpen::{Scale, Sharpening};

/// A head at 1 mm.
const SHAPE: [usize; 3] = [176, 238, 169];

/// What kernels read, and where those write that give as much.
struct Voxels {
    image: Vec<f32>,
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
    ("range", 4, |v, run| Ok(range(&v.image, Select::All, run)?.high.into())),
    ("range in a mask", 5, |v, run| {
        Ok(range(&v.image, Select::Other(Values::Bytes(&v.mask), 0.0), run)?.high.into())
    }),
    ("moments", 4, |v, run| Ok(moments(&v.image, Select::All, run)?.squares)),
    ("moments in a mask", 5, |v, run| {
        Ok(moments(&v.image, Select::Other(Values::Bytes(&v.mask), 0.0), run)?.squares)
    }),
    ("histogram, 256 bins", 4, |v, run| {
        Ok(histogram(&v.image, Select::All, bins(), run)?
            .bins
            .iter()
            .fold(0.0, |sum, n| sum * 0.5 + *n as f64))
    }),
    ("histogram in a mask, 256 bins", 5, |v, run| {
        let counts = histogram(&v.image, Select::Other(Values::Bytes(&v.mask), 0.0), bins(), run)?.bins;
        Ok(counts.iter().fold(0.0, |sum, n| sum * 0.5 + *n as f64))
    }),
    ("weighted histogram, 256 bins", 8, |v, run| {
        Ok(weighted_histogram(&v.image, &v.weight, bins(), run)?
            .bins
            .iter()
            .fold(0.0, |sum, n| sum * 0.5 + n))
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

fn bins() -> Bins {
    Bins::new(0.0, 1000.0, 256).expect("a range")
}

fn source(voxels: &Voxels) -> Source<'_> {
    Source {
        voxels: &voxels.image,
        shape: SHAPE,
        select: Select::Other(Values::Bytes(&voxels.mask), 0.0),
        weight: None,
    }
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
    let weight = mask.iter().map(|inside| f32::from(*inside)).collect();
    Voxels { image, mask, weight, out: vec![0.0; length], lattice: Lattice { points, values } }
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
