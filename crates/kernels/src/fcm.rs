//! Fuzzy c-means of one value a voxel: three classes, with fuzziness 2 (Bezdek 1981, doi:10.1007/978-1-4757-0450-1).
//!
//! An iteration takes centres c to F(c): memberships u_k = d_k⁻² / Σ d_j⁻² with d_k = v - c_k, then centres
//! Σ u_k² v / Σ u_k². The centres of classes are where F(c) = c, and plain iteration comes near by a constant factor.
//!
//! H, the same of a fine histogram, costs next to nothing, and differs from F by little that depends on c. So H + b is
//! iterated to its end with b = F(c) - H(c) from the last pass over all voxels: each pass removes all but a thousandth or
//! less of what is missing, and the end is that of F, whatever the histogram.

use crate::at_levels;
use crate::histogram::{Bins, histogram};
use crate::moments::{LANES, tree};
use crate::parallel::{CHUNKS, ranges};
use crate::run::{Cancelled, Run};
use crate::select::{BLOCK, Choice, Select};

/// How many classes there are.
pub const CLASSES: usize = 3;

/// What came of the iteration.
#[derive(Clone, Debug, PartialEq)]
pub struct Classes {
    /// The centres, ascending.
    pub centres: [f64; CLASSES],
    /// The mean of the voxels, weighted by their membership in each class.
    pub means: [f64; CLASSES],
    /// Iterations, of the histogram and of all voxels.
    pub iterations: usize,
    /// By how much another iteration over all voxels moves a centre, as a fraction of the distance between the outer two.
    pub change: f64,
}

/// The classes of the values, which are finite and lie from `low` to `high`, until another iteration would move no centre
/// by more than `tolerance` or there were `most`; `None` where their fine histogram has fewer filled bins than there are
/// classes.
///
/// The start is the quantiles 1/6, 1/2 and 5/6, or as near to them as filled bins are where these fall together.
pub fn classes(
    values: &[f32],
    range: [f64; 2],
    tolerance: f64,
    most: usize,
    run: &Run,
) -> Result<Option<Classes>, Cancelled> {
    let Some(bins) = fine(range) else { return Ok(None) };
    let counts = histogram(values, Select::All, bins, run)?.bins;
    let filled: Vec<(f64, f64)> = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(bin, count)| (bins.centre(bin), *count as f64))
        .collect();
    let Some(mut centres) = start(&filled) else { return Ok(None) };
    let iterate = |centres| {
        let mut sums = Sums::default();
        filled.iter().for_each(|(value, count)| sums.add(centres, *value, *count));
        sums.centres()
    };
    let mut bias = [0.0; CLASSES];
    let mut iterations = 0;
    loop {
        while iterations < most {
            let next = plus(iterate(centres), bias);
            let change = change(centres, next);
            centres = next;
            iterations += 1;
            // Plain iteration may be far from its end where it moves little.
            if change <= 1e-3 * tolerance {
                break;
            }
        }
        let parts = ranges(values.len(), CHUNKS);
        let parts = run.map_parts(parts, |_, part| sums_of(run.level, &values[part], centres))?;
        let sums = parts.into_iter().fold(Sums::default(), Sums::and);
        iterations += 1;
        let next = sums.centres();
        let change = change(centres, next);
        if change <= tolerance || iterations >= most {
            return Ok(Some(Classes { centres, means: sums.means(), iterations, change }));
        }
        let own = iterate(centres);
        bias = std::array::from_fn(|k| next[k] - own[k]);
    }
}

/// Some thousands of bins, in the middle of which whole numbers lie where the range's ends are such.
fn fine([low, high]: [f64; 2]) -> Option<Bins> {
    const BINS: f64 = 4096.0;
    let span = high - low;
    if low.fract() == 0.0 && high.fract() == 0.0 && (1.0..4.0 * BINS).contains(&span) {
        let each = (BINS / span).floor().max(1.0);
        let half = 0.5 / each;
        return Bins::new(low - half, high + half, (span * each) as usize + 1);
    }
    Bins::new(low, high, BINS as usize)
}

/// Three different filled bins at or near the quantiles.
fn start(filled: &[(f64, f64)]) -> Option<[f64; CLASSES]> {
    let last = filled.len().checked_sub(CLASSES)?;
    let total: f64 = filled.iter().map(|(_, count)| count).sum();
    let mut least = 0;
    Some(std::array::from_fn(|k| {
        let mut sum = 0.0;
        let wanted = (2 * k + 1) as f64 / (2 * CLASSES) as f64 * total;
        let reaches = |(_, count): &(f64, f64)| {
            sum += count;
            sum >= wanted
        };
        let at = filled.iter().position(reaches).unwrap_or(last).clamp(least, last + k);
        least = at + 1;
        filled[at].0
    }))
}

fn plus(a: [f64; CLASSES], b: [f64; CLASSES]) -> [f64; CLASSES] {
    std::array::from_fn(|k| a[k] + b[k])
}

/// The largest step of a centre, as a fraction of the distance between the outer two.
fn change(from: [f64; CLASSES], to: [f64; CLASSES]) -> f64 {
    let step = (0..CLASSES).map(|k| (to[k] - from[k]).abs()).fold(0.0, f64::max);
    step / (to[CLASSES - 1] - to[0]).abs()
}

/// Of each class Σ u², Σ u² v, Σ u, Σ u v, with v counted from the middle centre, which they keep.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    origin: f64,
    squares: [f64; CLASSES],
    squares_times: [f64; CLASSES],
    members: [f64; CLASSES],
    members_times: [f64; CLASSES],
}

impl Sums {
    fn add(&mut self, centres: [f64; CLASSES], value: f64, count: f64) {
        self.origin = centres[1];
        let v = value - self.origin;
        let members = memberships([centres[0] - self.origin, 0.0, centres[2] - self.origin], v);
        for k in 0..CLASSES {
            let member = members[k] * count;
            self.squares[k] += members[k] * member;
            self.squares_times[k] += members[k] * member * v;
        }
    }

    fn and(self, later: Sums) -> Sums {
        Sums {
            origin: later.origin,
            squares: plus(self.squares, later.squares),
            squares_times: plus(self.squares_times, later.squares_times),
            members: plus(self.members, later.members),
            members_times: plus(self.members_times, later.members_times),
        }
    }

    fn centres(&self) -> [f64; CLASSES] {
        std::array::from_fn(|k| self.origin + self.squares_times[k] / self.squares[k])
    }

    fn means(&self) -> [f64; CLASSES] {
        std::array::from_fn(|k| self.origin + self.members_times[k] / self.members[k])
    }
}

/// The membership of `v` in each class; they add up to 1. The centres differ.
#[inline(always)]
fn memberships(centres: [f64; CLASSES], v: f64) -> [f64; CLASSES] {
    // d₁⁻² : d₂⁻² : d₃⁻² = d₂² d₃² : d₁² d₃² : d₁² d₂², which needs one division, and none by 0.
    let [a, b, c] = centres.map(|centre| (v - centre) * (v - centre));
    let shares = [b * c, a * c, a * b];
    let whole = 1.0 / (shares[0] + shares[1] + shares[2]);
    shares.map(|share| share * whole)
}

/// Values at a time: what is noted of them stays in the nearest cache.
const SHORT: usize = 128;

at_levels! {
    fn sums_of(values: &[f32], centres: [f64; CLASSES]) -> Sums {
        let (origin, unit) = (centres[1], centres[2] - centres[0]);
        // In units of the outer centres' distance, of which fourth powers stay within any number's range.
        let (scaled, factor) = (centres.map(|centre| (centre - origin) / unit), 1.0 / unit);
        let mut sums = [[[0.0; LANES / 2]; 4]; CLASSES];
        let (mut v, mut members, mut weights) = ([0.0; SHORT], [[0.0; SHORT]; CLASSES], [1.0; SHORT]);
        for values in values.chunks(SHORT) {
            if values.len() < SHORT {
                weights[values.len()..].fill(0.0);
                v.fill(0.0);
            }
            for (v, value) in v.iter_mut().zip(values) {
                *v = (f64::from(*value) - origin) * factor;
            }
            for i in 0..SHORT {
                let all = memberships(scaled, v[i]);
                for k in 0..CLASSES {
                    members[k][i] = all[k] * weights[i];
                }
            }
            for (sums, members) in sums.iter_mut().zip(&members) {
                let mut own = *sums;
                for (u, v) in members.as_chunks::<{ LANES / 2 }>().0.iter().zip(v.as_chunks::<{ LANES / 2 }>().0) {
                    for lane in 0..LANES / 2 {
                        let (u, v) = (u[lane], v[lane]);
                        own[0][lane] += u * u;
                        own[1][lane] += u * u * v;
                        own[2][lane] += u;
                        own[3][lane] += u * v;
                    }
                }
                *sums = own;
            }
        }
        let fold = |which: usize, unit: f64| std::array::from_fn(|k| tree(&sums[k][which]) * unit);
        Sums {
            origin,
            squares: fold(0, 1.0),
            squares_times: fold(1, unit),
            members: fold(2, 1.0),
            members_times: fold(3, unit),
        }
    }

    fn membership_part(
        voxels: &[f32],
        first: usize,
        choice: Choice,
        centres: [f64; CLASSES],
        class: usize,
        to: &mut [f32],
    ) {
        let mut chosen = [0; BLOCK];
        for (block, (values, to)) in voxels.chunks(BLOCK).zip(to.chunks_mut(BLOCK)).enumerate() {
            let chosen = &mut chosen[..values.len()];
            choice.row(first + block * BLOCK, 1, chosen);
            let (origin, unit) = (centres[1], centres[2] - centres[0]);
            let scaled = centres.map(|centre| (centre - origin) / unit);
            for i in 0..values.len() {
                let member = memberships(scaled, (f64::from(values[i]) - origin) / unit)[class];
                to[i] = if chosen[i] != 0 { member as f32 } else { 0.0 };
            }
        }
    }

    fn weighted_part(values: &[f32], weights: &[f32]) -> [f64; 2] {
        let mut sums = [[0.0; LANES / 2]; 2];
        for (values, weights) in values.chunks(LANES / 2).zip(weights.chunks(LANES / 2)) {
            for lane in 0..values.len() {
                let weight = f64::from(weights[lane]);
                sums[0][lane] += weight;
                sums[1][lane] += weight * f64::from(values[lane]);
            }
        }
        sums.map(|lanes| tree(&lanes))
    }
}

/// Writes to `to` how much each chosen voxel is a member of a class, and 0 for the others.
pub fn membership(
    voxels: &[f32],
    select: Select,
    centres: [f64; CLASSES],
    class: usize,
    to: &mut [f32],
    run: &Run,
) -> Result<(), Cancelled> {
    let (choice, size) = (select.among(voxels), voxels.len().div_ceil(CHUNKS).max(1));
    let parts = to.chunks_mut(size).enumerate().map(|(part, to)| (part * size, to));
    run.map_parts(parts.collect(), |_, (first, to)| {
        membership_part(run.level, &voxels[first..first + to.len()], first, choice, centres, class, to);
    })?;
    Ok(())
}

/// The sum of the weights, of which there are as many, and the mean of the values weighted by them.
pub fn weighted_mean(values: &[f32], weights: &[f32], run: &Run) -> Result<[f64; 2], Cancelled> {
    let parts = run.map_parts(ranges(values.len(), CHUNKS), |_, part| {
        weighted_part(run.level, &values[part.clone()], &weights[part])
    })?;
    let [weight, sum] = parts.into_iter().fold([0.0; 2], |sum, part| [sum[0] + part[0], sum[1] + part[1]]);
    Ok([weight, sum / weight])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;
    use crate::parallel::Pool;

    /// Plain iteration over all values, from given centres.
    fn slow(values: &[f32], mut centres: [f64; 3]) -> ([f64; 3], [f64; 3]) {
        let members = |centres: [f64; 3], v: f64| {
            let near = centres.map(|c| 1.0 / ((v - c) * (v - c)).max(1e-300));
            near.map(|n| n / near.iter().sum::<f64>())
        };
        let mean = |centres, k: usize, power: i32| {
            let (mut sum, mut weight) = (0.0, 0.0);
            for v in values.iter().map(|v| f64::from(*v)) {
                let u = members(centres, v)[k].powi(power);
                sum += u * v;
                weight += u;
            }
            sum / weight
        };
        for _ in 0..300 {
            centres = std::array::from_fn(|k| mean(centres, k, 2));
        }
        (centres, std::array::from_fn(|k| mean(centres, k, 1)))
    }

    #[test]
    fn classes_are_those_of_plain_iteration() {
        let tissue = |i: usize, noise: f32| [100.0, 400.0, 550.0][i * 7 % 5 % 3] + noise;
        let smooth: Vec<f32> = (0..9001).map(|i| tissue(i, ((i * 7919) % 2003) as f32 * 0.05)).collect();
        let whole: Vec<f32> = smooth.iter().map(|v| (v / 10.0).round()).collect();
        // Two thirds are one value: quantiles fall together.
        let tied: Vec<f32> = (0..999).map(|i| if i % 3 > 0 { 5.0 } else { (i % 100) as f32 * 0.1 }).collect();
        let offset: Vec<f32> = whole.iter().map(|v| v + 8_000_000.0).collect();
        for (values, start) in [
            (smooth, [130.0, 400.0, 600.0]),
            (whole, [13.0, 40.0, 60.0]),
            (tied, [0.5, 5.0, 9.0]),
            (offset, [8_000_013.0, 8_000_040.0, 8_000_060.0]),
            (vec![1.0, 2.0, 4.0], [1.1, 2.1, 4.1]),
        ] {
            let low = values.iter().copied().fold(f32::INFINITY, f32::min);
            let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let (centres, means) = slow(&values, start);
            let mut first = None;
            for level in Level::supported() {
                for threads in [1, 3] {
                    let level = Level::named(level).unwrap();
                    let run = Run { level, pool: Pool::new(threads).unwrap(), cancelled: &|| false };
                    let found =
                        classes(&values, [low, high].map(f64::from), 1e-10, 10_000, &run).unwrap().unwrap();
                    assert!(found.change <= 1e-10, "{found:?}");
                    for k in 0..CLASSES {
                        let spread = centres[2] - centres[0];
                        assert!(
                            (found.centres[k] - centres[k]).abs() < 1e-8 * spread,
                            "{found:?} {centres:?}"
                        );
                        assert!((found.means[k] - means[k]).abs() < 1e-8 * spread, "{found:?} {means:?}");
                    }
                    assert_eq!(first.get_or_insert_with(|| found.clone()), &found);
                }
            }
        }
    }

    #[test]
    fn too_few_values_have_no_classes() {
        let run = Run { level: Level::best(), pool: Pool::new(1).unwrap(), cancelled: &|| false };
        assert_eq!(classes(&[1.0, 5.0, 1.0], [1.0, 5.0], 1e-6, 100, &run), Ok(None));
        assert_eq!(classes(&[1.0, 1.0], [1.0, 1.0], 1e-6, 100, &run), Ok(None));
    }
}
