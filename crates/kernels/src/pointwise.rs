//! Maps that change each voxel by its own value alone.

use crate::at_levels;
use crate::histogram::{Extremes, last_rank, of_rank, rank};
use crate::lookup::Lookup;
use crate::math::{exp_f64, ln_f64};
use crate::parallel::{CHUNKS, ranges};
use crate::run::{Cancelled, Run};
use crate::select::{BLOCK, Select};

/// A map of one value, in double precision:
///
/// ```text
/// t = (min(max(v, clip₀), clip₁) - subtract) / divide
/// t = curve(t)
/// out = min(max(t, limit₀), limit₁) · multiply + add
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// Values beyond are clipped before anything else.
    pub clip: [f64; 2],
    #[allow(missing_docs)]
    pub subtract: f64,
    /// Not 0.
    pub divide: f64,
    #[allow(missing_docs)]
    pub curve: Curve,
    /// Results of the curve beyond are clipped. Only where `divide` is above 0, and not for logarithms.
    pub limit: [f64; 2],
    #[allow(missing_docs)]
    pub multiply: f64,
    #[allow(missing_docs)]
    pub add: f64,
}

/// What becomes of t.
#[derive(Clone, Debug, PartialEq)]
pub enum Curve {
    /// t.
    Straight,
    /// t to this power for t ≥ 0, which is not NaN; -(-t) to this power below 0.
    Power(f64),
    /// The natural logarithm: of 0 minus infinity, of less NaN.
    Log,
    /// Straight lines between points.
    Lines(Lookup),
}

impl Map {
    /// Changes nothing.
    pub const IDENTITY: Map = Map {
        clip: [f64::NEG_INFINITY, f64::INFINITY],
        subtract: 0.0,
        divide: 1.0,
        curve: Curve::Straight,
        limit: [f64::NEG_INFINITY, f64::INFINITY],
        multiply: 1.0,
        add: 0.0,
    };
}

/// What becomes of a voxel that is not chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outside {
    /// It stays as it is.
    Keep,
    /// It becomes this value.
    Value(f32),
}

/// What a map did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mapped {
    /// Voxels that were mapped.
    pub count: usize,
    /// Of these, clipped up to a lower end, and down to an upper one.
    pub clipped: [usize; 2],
    /// Smallest and largest finite result; infinity and minus infinity where none is finite. Never -0.
    pub range: [f32; 2],
    /// Results that are NaN or infinite.
    pub not_finite: usize,
}

/// Writes to `to` the map of the chosen voxels, and what `outside` says of the others. The voxels, as many, are those in `to`
/// where none are given.
///
/// Each result is rounded once, from double precision: it lies within a unit in the last place of the exact one.
/// One pass, no allocation.
pub fn map(
    voxels: Option<&[f32]>,
    select: Select,
    map: &Map,
    outside: Outside,
    to: &mut [f32],
    run: &Run,
) -> Result<Mapped, Cancelled> {
    let unclipped = unclipped(map);
    let mut rest = to;
    let mut parts = Vec::new();
    for range in ranges(rest.len(), CHUNKS) {
        let (part, after) = rest.split_at_mut(range.len());
        parts.push((voxels.map(|voxels| &voxels[range.clone()]), select.part(range), part));
        rest = after;
    }
    let parts = run.map_parts(parts, |_, (voxels, select, to)| {
        map_part(run.level, voxels, select, map, unclipped, outside, to)
    })?;
    Ok(parts.into_iter().fold(Mapped::NONE, Mapped::and))
}

impl Mapped {
    /// Of no voxel.
    pub const NONE: Mapped =
        Mapped { count: 0, clipped: [0; 2], range: [f32::INFINITY, f32::NEG_INFINITY], not_finite: 0 };

    /// Of both together.
    pub fn and(self, other: Mapped) -> Mapped {
        // -0 and 0 are equal: which of them is found depends on the order.
        let [low, high] = [self.range[0].min(other.range[0]) + 0.0, self.range[1].max(other.range[1]) + 0.0];
        Mapped {
            count: self.count + other.count,
            clipped: [0, 1].map(|end| self.clipped[end] + other.clipped[end]),
            range: [low, high],
            not_finite: self.not_finite + other.not_finite,
        }
    }
}

at_levels! {
    fn map_part(
        voxels: Option<&[f32]>,
        select: Select,
        map: &Map,
        unclipped: [f32; 2],
        outside: Outside,
        to: &mut [f32],
    ) -> Mapped {
        let (mut count, mut clipped, mut not_finite, mut extremes) = (0, [0; 2], 0, Extremes::NONE);
        let (mut chosen, mut curved, mut held) = ([0; BLOCK], [0.0; BLOCK], [0.0; BLOCK]);
        let is_limited = [map.clip, map.limit] != [Map::IDENTITY.clip; 2];
        let is_clip = *map == Map { clip: map.clip, ..Map::IDENTITY };
        for (block, to) in to.chunks_mut(BLOCK).enumerate() {
            let range = block * BLOCK..block * BLOCK + to.len();
            let values = match voxels {
                Some(voxels) => &voxels[range.clone()],
                None => {
                    held[..to.len()].copy_from_slice(to);
                    &held[..to.len()]
                }
            };
            // Slices of one length, as the compiler sees: what may be beyond an end is not vectorised.
            let (chosen, to) = (&mut chosen[..values.len()], &mut to[..values.len()]);
            let some = select.part(range).among(values).row(0, 1, chosen);
            count += some;
            match &map.curve {
                Curve::Straight if is_clip => clip_row(values, map.clip, to),
                Curve::Straight if !is_limited => plain_row(values, map, to),
                Curve::Straight if map.limit == Map::IDENTITY.limit => clipped_row(values, map, to),
                Curve::Straight => row(values, map, |_, t| t, to),
                Curve::Power(exponent) => row(values, map, |_, t| power(t, *exponent), to),
                Curve::Log => row(values, map, |_, t| logarithm(t), to),
                Curve::Lines(lookup) => {
                    let curved = &mut curved[..values.len()];
                    before_curve(values, map, curved);
                    lookup.row(curved);
                    row(values, map, |i, _| curved[i], to);
                }
            }
            if is_limited {
                let [mut below, mut above] = [0_u32; 2];
                if some == values.len() {
                    for i in 0..values.len() {
                        below += u32::from(values[i] < unclipped[0]);
                        above += u32::from(values[i] > unclipped[1]);
                    }
                } else {
                    for i in 0..values.len() {
                        below += u32::from(chosen[i]) & u32::from(values[i] < unclipped[0]);
                        above += u32::from(chosen[i]) & u32::from(values[i] > unclipped[1]);
                    }
                }
                clipped = [clipped[0] + below as usize, clipped[1] + above as usize];
            }
            not_finite += extremes.add(to, chosen, some);
            match outside {
                _ if some == values.len() => {}
                Outside::Keep => (0..values.len()).for_each(|i| to[i] = either(chosen[i], to[i], values[i])),
                Outside::Value(value) => (0..values.len()).for_each(|i| to[i] = either(chosen[i], to[i], value)),
            }
        }
        Mapped { count, clipped, range: extremes.values(), not_finite }
    }
}

/// The first value where `chosen` is 1, the other where it is 0: without a branch that would keep a loop from being vectorised.
#[inline(always)]
fn either(chosen: u8, one: f32, other: f32) -> f32 {
    let mask = u32::from(chosen).wrapping_neg();
    f32::from_bits(one.to_bits() & mask | other.to_bits() & !mask)
}

/// Each value between two ends; -0 becomes 0. As good as in double precision, since no value lies between an end and what
/// it rounds to.
#[inline(always)]
fn clip_row(values: &[f32], clip: [f64; 2], to: &mut [f32]) {
    let [low, high] = clip.map(|end| end as f32);
    for (to, value) in to.iter_mut().zip(values) {
        let v = if *value < low { low } else { *value };
        *to = if v > high { high } else { v } + 0.0;
    }
}

/// A straight map without limits of each value.
#[inline(always)]
fn plain_row(values: &[f32], map: &Map, to: &mut [f32]) {
    let Map { subtract, divide, multiply, add, .. } = *map;
    // Within a ten-millionth of a unit in the last place of a `f32`, at a fraction of the time.
    let factor = 1.0 / divide;
    for (to, value) in to.iter_mut().zip(values) {
        *to = ((f64::from(*value) - subtract) * factor * multiply + add) as f32;
    }
}

/// A straight map without limits but the clip of each value.
#[inline(always)]
fn clipped_row(values: &[f32], map: &Map, to: &mut [f32]) {
    let (factor, multiply, add) = (1.0 / map.divide, map.multiply, map.add);
    for (to, value) in to.iter_mut().zip(values) {
        *to = (straight(*value, map, factor) * multiply + add) as f32;
    }
}

/// The map of each value. The curve is told which value it is.
#[inline(always)]
fn row(values: &[f32], map: &Map, curve: impl Fn(usize, f64) -> f64, to: &mut [f32]) {
    let Map { divide, limit, multiply, add, .. } = *map;
    let (factor, to) = (1.0 / divide, &mut to[..values.len()]);
    for i in 0..values.len() {
        let t = curve(i, straight(values[i], map, factor));
        let t = if t < limit[0] { limit[0] } else { t };
        let t = if t > limit[1] { limit[1] } else { t };
        to[i] = (t * multiply + add) as f32;
    }
}

/// What the curve is given of each value.
#[inline(always)]
fn before_curve(values: &[f32], map: &Map, to: &mut [f64]) {
    let factor = 1.0 / map.divide;
    for i in 0..values.len() {
        to[i] = straight(values[i], map, factor);
    }
}

#[inline(always)]
fn straight(value: f32, &Map { clip, subtract, .. }: &Map, factor: f64) -> f64 {
    let v = f64::from(value);
    let v = if v < clip[0] { clip[0] } else { v };
    let v = if v > clip[1] { clip[1] } else { v };
    (v - subtract) * factor
}

/// The smallest and the largest value that no limit changes: since the map never falls, those beyond are clipped.
fn unclipped(map: &Map) -> [f32; 2] {
    let [lowest, highest] = [f32::NEG_INFINITY, f32::INFINITY].map(rank);
    let factor = 1.0 / map.divide;
    let t = |value| {
        let mut t = [straight(value, map, factor)];
        match &map.curve {
            Curve::Straight => {}
            Curve::Power(exponent) => t[0] = power(t[0], *exponent),
            Curve::Log => t[0] = logarithm(t[0]),
            Curve::Lines(lookup) => lookup.row(&mut t),
        }
        t[0]
    };
    let is_under = |v: f32| f64::from(v) < map.clip[0] || t(v) < map.limit[0];
    let is_over = |v: f32| f64::from(v) > map.clip[1] || t(v) > map.limit[1];
    let last =
        [last_rank(highest, lowest - 1, |v| !is_under(v)), last_rank(lowest, highest + 1, |v| !is_over(v))];
    last.map(of_rank)
}

#[inline(always)]
fn logarithm(t: f64) -> f64 {
    let positive = ln_f64(if t > 0.0 { t } else { 1.0 });
    let other = if t == 0.0 { f64::NEG_INFINITY } else { f64::NAN };
    let finite = if t > 0.0 { positive } else { other };
    if t == f64::INFINITY { t } else { finite }
}

#[inline(always)]
fn power(t: f64, exponent: f64) -> f64 {
    let size = t.abs();
    let is_plain = (size > 0.0) & (size < f64::INFINITY);
    let raised = exp_f64(exponent * ln_f64(if is_plain { size } else { 1.0 }));
    // 0 and infinity stay as they are, and so does NaN.
    let raised = if is_plain { raised } else { size };
    if t < 0.0 { -raised } else { raised }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;
    use crate::parallel::Pool;
    use crate::select::Values;

    /// As the definition says, by the `libm` crate.
    fn slow(v: f32, map: &Map) -> (f64, [bool; 2]) {
        let v = f64::from(v);
        let [low, high] = map.clip;
        let t = (v.max(low).min(high) - map.subtract) / map.divide;
        let t = match &map.curve {
            Curve::Straight => t,
            Curve::Power(exponent) => libm::pow(t.abs(), *exponent).copysign(t),
            Curve::Log => libm::log(t),
            Curve::Lines(lookup) => lookup.at(t),
        };
        let clipped = [v < low || t < map.limit[0], v > high || t > map.limit[1]];
        (t.max(map.limit[0]).min(map.limit[1]) * map.multiply + map.add, clipped)
    }

    fn everywhere(voxels: &[f32], select: Select, each: &Map, outside: Outside) -> (Vec<f32>, Mapped) {
        let mut first: Option<(Vec<f32>, Mapped)> = None;
        for name in Level::supported() {
            for threads in [1, 2, 3, 8] {
                let pool = Pool::new(threads).unwrap();
                let run = Run { level: Level::named(name).unwrap(), pool, cancelled: &|| false };
                for in_place in [false, true] {
                    let mut to = if in_place { voxels.to_vec() } else { vec![0.0; voxels.len()] };
                    let from = (!in_place).then_some(voxels);
                    let told = map(from, select, each, outside, &mut to, &run).unwrap();
                    let bits = |to: &[f32]| to.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                    let first = first.get_or_insert_with(|| (to.clone(), told));
                    assert_eq!((bits(&to), told), (bits(&first.0), first.1), "{name} {threads} {in_place}");
                }
            }
        }
        first.unwrap()
    }

    fn maps() -> Vec<Map> {
        let infinite = [f64::NEG_INFINITY, f64::INFINITY];
        let affine = Map { subtract: 3.3, divide: 0.7, multiply: 100.0, add: -4.0, ..Map::IDENTITY };
        let curved =
            |curve| Map { clip: [0.5, 900.0], subtract: 0.25, divide: 899.5, curve, ..Map::IDENTITY };
        vec![
            Map::IDENTITY,
            affine.clone(),
            Map { clip: [-20.0, 31.5], limit: [-0.5, 30.0], ..affine.clone() },
            Map { clip: [-20.1, 31.7], ..affine },
            Map { clip: [-20.1, 31.7], ..Map::IDENTITY },
            Map { limit: infinite, ..curved(Curve::Power(0.45)) },
            Map { clip: infinite, ..curved(Curve::Power(2.2)) },
            Map { multiply: 3.0, ..curved(Curve::Log) },
            curved(Curve::Lines(Lookup::through(&[[0.1, 2.0], [0.3, 7.0], [0.31, -1.0]], [0.5, -3.0]))),
        ]
    }

    #[test]
    fn each_map_is_what_its_formula_says() {
        for count in [0, 1, 15, 16, 17, 1023, 1024, 1025, 70_001] {
            let voxels: Vec<f32> = (0..count).map(|i| ((i * 7919) % 2003) as f32 * 0.63 - 100.0).collect();
            let mask: Vec<u8> = (0..count).map(|i| u8::from(i % 5 != 2)).collect();
            for (each, outside) in
                maps().iter().flat_map(|map| [(map, Outside::Keep), (map, Outside::Value(-7.5))])
            {
                let (to, told) = everywhere(&voxels, Select::Other(Values::Bytes(&mask), 0.0), each, outside);
                let (mut clipped, mut range) = ([0; 2], [f32::INFINITY, f32::NEG_INFINITY]);
                for i in 0..count {
                    let (exact, beyond) = slow(voxels[i], each);
                    if mask[i] == 0 {
                        assert_eq!(to[i], if outside == Outside::Keep { voxels[i] } else { -7.5 });
                        continue;
                    }
                    let near = exact as f32;
                    assert!(
                        (near.next_down()..=near.next_up()).contains(&to[i]),
                        "{each:?} {} {exact}",
                        to[i]
                    );
                    for end in [0, 1] {
                        clipped[end] += usize::from(beyond[end]);
                    }
                    range = [range[0].min(to[i]), range[1].max(to[i])];
                }
                assert_eq!((told.clipped, told.range, told.not_finite), (clipped, range, 0));
                assert_eq!(told.count, mask.iter().filter(|chosen| **chosen == 1).count());
            }
        }
    }

    #[test]
    fn clipping_alone_rounds_as_any_map_does() {
        let ends = [-0.1, 0.1, 1e300, f64::from(f32::MAX) * 1.1, -1e-46, 0.0, 16_777_217.0];
        let near = ends.iter().flat_map(|end| {
            let end = *end as f32;
            [end.next_down(), end, end.next_up(), -end]
        });
        let voxels: Vec<f32> = near.chain([-0.0, f32::NAN]).collect();
        for low in ends {
            for high in ends.into_iter().filter(|high| *high > low) {
                let clip = Map { clip: [low, high], ..Map::IDENTITY };
                let (mut to, _) = everywhere(&voxels, Select::All, &clip, Outside::Keep);
                // A curve takes the long way.
                let lines = Curve::Lines(Lookup::through(&[[0.0, 0.0]], [1.0, 1.0]));
                let (mut same, _) =
                    everywhere(&voxels, Select::All, &Map { curve: lines, ..clip }, Outside::Keep);
                assert_eq!(to.pop().map(f32::is_nan), same.pop().map(f32::is_nan));
                assert_eq!(to, same, "{low} {high}");
            }
        }
    }

    #[test]
    fn what_has_no_value_is_counted() {
        let voxels = [f32::NAN, 0.0, -1.0, f32::INFINITY, 1.0, -0.0];
        let log = Map { curve: Curve::Log, ..Map::IDENTITY };
        let (to, told) = everywhere(&voxels, Select::All, &log, Outside::Keep);
        assert!(to[0].is_nan() && to[2].is_nan());
        assert_eq!((to[1], to[3], to[4], to[5]), (f32::NEG_INFINITY, f32::INFINITY, 0.0, f32::NEG_INFINITY));
        assert_eq!((told.not_finite, told.range), (5, [0.0, 0.0]));
        let square = Map { curve: Curve::Power(2.0), ..Map::IDENTITY };
        let (to, told) = everywhere(&voxels, Select::All, &square, Outside::Keep);
        assert!(to[0].is_nan());
        assert_eq!((to[1], to[2], to[3], to[4]), (0.0, -1.0, f32::INFINITY, 1.0));
        assert_eq!((told.not_finite, told.range), (2, [-1.0, 1.0]));
    }
}
