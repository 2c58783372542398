//! Histograms of a fixed number of equal bins, and Otsu's threshold.

use crate::at_levels;
use crate::parallel::ranges;
use crate::run::{Cancelled, Run};

/// Smallest and largest finite value, and how many values are not finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Smallest; infinity where no value is finite.
    pub low: f32,
    /// Largest; minus infinity where no value is finite.
    pub high: f32,
    /// NaN and infinite values.
    pub not_finite: usize,
}

/// The chunks a pass over voxels is cut into; enough for many cores, few enough to fold.
const CHUNKS: usize = 64;

at_levels! {
    fn range_of(voxels: &[f32]) -> Range {
        let mut range = Range { low: f32::INFINITY, high: f32::NEG_INFINITY, not_finite: 0 };
        for part in voxels.chunks(4096) {
            let (mut low, mut high, mut bad) = ([f32::INFINITY; 16], [f32::NEG_INFINITY; 16], [0_u32; 16]);
            let lanes = part.chunks_exact(16);
            let rest = lanes.remainder();
            for values in lanes {
                for lane in 0..16 {
                    let (v, finite) = (values[lane], values[lane].abs() < f32::INFINITY);
                    low[lane] = if finite && v < low[lane] { v } else { low[lane] };
                    high[lane] = if finite && v > high[lane] { v } else { high[lane] };
                    bad[lane] += u32::from(!finite);
                }
            }
            for (lane, &v) in rest.iter().enumerate() {
                if v.is_finite() {
                    low[lane] = low[lane].min(v);
                    high[lane] = high[lane].max(v);
                } else {
                    bad[lane] += 1;
                }
            }
            for lane in 0..16 {
                range.low = if low[lane] < range.low { low[lane] } else { range.low };
                range.high = if high[lane] > range.high { high[lane] } else { range.high };
                range.not_finite += bad[lane] as usize;
            }
        }
        range
    }

    fn count(voxels: &[f32], low: f64, scale: f64, counts: &mut [u64]) {
        let last = counts.len() as f64 - 1.0;
        for &voxel in voxels {
            if voxel.is_finite() {
                let bin = ((f64::from(voxel) - low) * scale).clamp(0.0, last);
                counts[bin as usize] += 1;
            }
        }
    }
}

/// The finite range of `voxels`. Exact, so the order of the pass does not matter.
pub fn range(voxels: &[f32], run: &Run) -> Result<Range, Cancelled> {
    let parts = run.map_parts(ranges(voxels.len(), CHUNKS), |_, part| range_of(run.level, &voxels[part]))?;
    Ok(parts.into_iter().fold(
        Range { low: f32::INFINITY, high: f32::NEG_INFINITY, not_finite: 0 },
        |a, b| Range {
            low: if b.low < a.low { b.low } else { a.low },
            high: if b.high > a.high { b.high } else { a.high },
            not_finite: a.not_finite + b.not_finite,
        },
    ))
}

/// How many voxels fall into each of `bins` equal bins of [low, high]; values beyond go to the end bins.
///
/// Bin i is [low + i w, low + (i+1) w) with w = (high - low) / bins, its edges as rounding of
/// `(v - low) · (bins / (high - low))` in `f64` puts them. NaN and infinite voxels are not counted.
pub fn histogram(voxels: &[f32], low: f64, high: f64, bins: usize, run: &Run) -> Result<Vec<u64>, Cancelled> {
    let scale = bins as f64 / (high - low);
    let parts = run.map_parts(ranges(voxels.len(), CHUNKS), |_, part| {
        let mut counts = vec![0; bins];
        count(run.level, &voxels[part], low, scale, &mut counts);
        counts
    })?;
    let mut counts = vec![0; bins];
    for part in parts {
        for (total, more) in counts.iter_mut().zip(part) {
            *total += more;
        }
    }
    Ok(counts)
}

/// The last bin of the lower class: the cut that makes the variance between the two classes largest
/// (Otsu 1979, doi:10.1109/TSMC.1979.4310076). Bin i stands for the value `centre(i)`. Of equal cuts
/// the first is taken. `None` for fewer than two filled bins.
pub fn otsu(counts: &[u64], centre: impl Fn(usize) -> f64) -> Option<usize> {
    let total: u64 = counts.iter().sum();
    let sum: f64 = counts.iter().enumerate().map(|(i, &n)| n as f64 * centre(i)).sum();
    let (mut below, mut sum_below) = (0_u64, 0.0);
    let mut best: Option<(usize, f64)> = None;
    for (i, &n) in counts.iter().enumerate() {
        below += n;
        sum_below += n as f64 * centre(i);
        let above = total - below;
        if below == 0 || above == 0 {
            continue;
        }
        let gap = sum_below / below as f64 - (sum - sum_below) / above as f64;
        let variance = below as f64 * above as f64 * gap * gap;
        if best.is_none_or(|(_, most)| variance > most) {
            best = Some((i, variance));
        }
    }
    best.map(|(i, _)| i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{level::Level, parallel::Pool};

    fn run() -> Run<'static> {
        Run { level: Level::best(), pool: Pool::new(2).unwrap(), cancelled: &|| false }
    }

    #[test]
    fn range_skips_what_is_not_finite() {
        for n in [0, 1, 15, 16, 17, 5000] {
            let mut voxels: Vec<f32> = (0..n).map(|i| ((i * 37) % 101) as f32 - 50.0).collect();
            let expected =
                voxels.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
            voxels.extend([f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
            let range = range(&voxels, &run()).unwrap();
            assert_eq!((range.low, range.high, range.not_finite), (expected.0, expected.1, 3));
        }
    }

    #[test]
    fn every_voxel_is_counted_once() {
        let voxels: Vec<f32> = (0..10_000).map(|i| (i % 100) as f32).collect();
        let counts = histogram(&voxels, 0.0, 100.0, 10, &run()).unwrap();
        assert_eq!(counts, [1000; 10]);
    }

    #[test]
    fn otsu_cuts_between_two_classes() {
        assert_eq!(otsu(&[5, 9, 4, 0, 0, 3, 8, 2], |i| i as f64), Some(2));
        assert_eq!(otsu(&[0, 7, 0], |i| i as f64), None);
        assert_eq!(otsu(&[], |i| i as f64), None);
    }

    #[test]
    fn a_cancelled_pass_gives_nothing() {
        let run = Run { cancelled: &|| true, ..run() };
        assert_eq!(range(&[1.0], &run), Err(Cancelled));
    }
}
