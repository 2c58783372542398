//! Straight lines between points: any map of one value that a table can hold.

use crate::order;
use crate::select::BLOCK;

/// A function of straight lines through points, and beyond the first and the last of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    /// The line below the first point, and those that begin at each: from where, from which value, how steep.
    lines: Vec<[f64; 3]>,
    /// Where the points lie, in order, and infinity.
    places: Vec<f64>,
    /// How many points lie before each of the equal pieces that the places' range is cut into, and how many in all.
    before: Vec<u32>,
    /// Whether no piece holds more than one point.
    is_sparse: bool,
    low: f64,
    scale: f64,
}

impl Lookup {
    /// Lines through points of place and value, which are finite and in order; `slopes` are those before the first and
    /// after the last point. Of points in one place, the last one counts for what comes after it.
    pub fn through(points: &[[f64; 2]], [below, above]: [f64; 2]) -> Lookup {
        let slope = |i: usize| match points.get(i + 1) {
            None => above,
            Some([next, value]) if *next > points[i][0] => (value - points[i][1]) / (next - points[i][0]),
            Some(_) => 0.0,
        };
        let lines = points.iter().enumerate().map(|(i, [x, y])| [*x, *y, slope(i)]);
        Lookup::new(below, lines.collect())
    }

    /// Lines that begin in some place, at some value, and rise as steeply as their third number says, all finite; the
    /// first one's place is where the line below it ends. Without lines nothing changes.
    pub fn new(below: f64, mut lines: Vec<[f64; 3]>) -> Lookup {
        order::sort_by(&mut lines, |line| order::bits(line[0]));
        let (Some(first), Some(last)) = (lines.first().copied(), lines.last().copied()) else {
            return Lookup::new(1.0, vec![[0.0, 0.0, 1.0]]);
        };
        let mut places: Vec<f64> = lines.iter().map(|line| line[0]).collect();
        places.push(f64::INFINITY);
        lines.insert(0, [first[0], first[1], below]);
        let mut lookup =
            Lookup { lines, places, before: Vec::new(), is_sparse: false, low: first[0], scale: 0.0 };
        // Finer until no piece holds two points, unless that would leave the nearest caches.
        let least = (4 * lookup.lines.len()).next_power_of_two().clamp(1 << 8, 1 << 20);
        let mut pieces = least;
        while !lookup.cut(pieces, last[0] - first[0]) && pieces < least.max(1 << 14) {
            pieces *= 2;
        }
        lookup
    }

    /// Cuts the range into pieces, and says whether each of them holds at most one point.
    fn cut(&mut self, pieces: usize, range: f64) -> bool {
        let is_range = range > 0.0 && range.is_finite();
        self.scale = if is_range { pieces as f64 / range } else { 0.0 };
        self.before = vec![0; pieces + 1];
        for at in 0..self.lines.len() - 1 {
            let piece = self.piece(self.places[at]) as usize;
            self.before[piece + 1] += 1;
        }
        self.is_sparse = self.before.iter().all(|count| *count < 2);
        for piece in 0..pieces {
            self.before[piece + 1] += self.before[piece];
        }
        self.is_sparse
    }

    /// The piece of the range that `t` lies in, or the nearest. It never falls as t grows, whatever is rounded, and so
    /// places in earlier pieces are below t and those in later ones above.
    #[inline(always)]
    fn piece(&self, t: f64) -> i32 {
        let (piece, last) = ((t - self.low) * self.scale, (self.before.len() - 2) as f64);
        let piece = if piece < last { piece } else { last };
        // NaN goes to the first.
        let piece = if piece > 0.0 { piece } else { 0.0 };
        // SAFETY: from 0 to the number of pieces, which is at most 2^20.
        unsafe { piece.to_int_unchecked() }
    }

    /// The value at each t; NaN at NaN.
    #[inline(always)]
    pub fn row(&self, row: &mut [f64]) {
        // Numbers in vectors where they can be; only the tables are asked value by value.
        let mut pieces = [0; BLOCK];
        for block in row.chunks_mut(BLOCK) {
            let pieces = &mut pieces[..block.len()];
            for i in 0..block.len() {
                pieces[i] = self.piece(block[i]);
            }
            if self.is_sparse {
                for i in 0..block.len() {
                    block[i] = self.value(block[i], self.sparse(block[i], pieces[i] as usize));
                }
            } else {
                for i in 0..block.len() {
                    block[i] = self.value(block[i], self.dense(block[i], pieces[i] as usize));
                }
            }
        }
    }

    /// How many points are not above `t`, which lies in this piece of at most one.
    #[inline(always)]
    fn sparse(&self, t: f64, piece: usize) -> usize {
        // SAFETY: a piece is one of all, and no more points lie before it than there are, behind which lies infinity.
        unsafe {
            let line = *self.before.get_unchecked(piece) as usize;
            line + if *self.places.get_unchecked(line) <= t { 1 } else { 0 }
        }
    }

    #[inline(always)]
    fn dense(&self, t: f64, piece: usize) -> usize {
        let [first, end] = [self.before[piece], self.before[piece + 1]].map(|at| at as usize);
        first + self.places[first..end].partition_point(|place| *place <= t)
    }

    #[inline(always)]
    fn value(&self, t: f64, line: usize) -> f64 {
        // At infinity the sparse count takes in the infinity behind the points.
        let [place, value, slope] = self.lines[line.min(self.lines.len() - 1)];
        let rise = (t - place) * slope;
        // A level line is level at infinity, too.
        value + if slope == 0.0 && !t.is_nan() { 0.0 } else { rise }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the definition says.
    fn slow(points: &[[f64; 2]], slopes: [f64; 2], t: f64) -> f64 {
        let line = points.iter().rposition(|point| point[0] <= t);
        let [x, y] = points[line.unwrap_or(0)];
        let slope = match line {
            None => slopes[0],
            Some(line) if line + 1 == points.len() => slopes[1],
            Some(line) => (points[line + 1][1] - y) / (points[line + 1][0] - x),
        };
        y + (t - x) * slope
    }

    impl Lookup {
        /// The value at `t`.
        pub fn at(&self, t: f64) -> f64 {
            let mut row = [t];
            self.row(&mut row);
            row[0]
        }
    }

    #[test]
    fn lines_are_where_their_points_are() {
        // One, few, many, and many side by side with one far away.
        let crowded = |i: u32| f64::from(i).powi(3) * 1e-9 + if i == 4_999 { 1e6 } else { 0.0 };
        let spread = |i: u32| f64::from(i) * 0.3 - 7.0;
        for (count, place) in [
            (1, &spread as &dyn Fn(u32) -> f64),
            (2, &spread),
            (17, &spread),
            (700, &spread),
            (5_000, &crowded),
        ] {
            let points: Vec<[f64; 2]> =
                (0..count).map(|i| [place(i), f64::from(i * 7919 % 101) - 30.0]).collect();
            let slopes = [0.5, -2.0];
            let lookup = Lookup::through(&points, slopes);
            let [low, high] = [points[0][0], points[points.len() - 1][0]];
            let between = (0..=10_000).map(|i| low - 3.0 + (high - low + 6.0) * f64::from(i) / 10_000.0);
            for t in points.iter().map(|point| point[0]).chain(between) {
                assert_eq!(lookup.at(t), slow(&points, slopes, t), "{count} points at {t}");
            }
        }
    }

    #[test]
    fn points_in_one_place_are_a_step() {
        let lookup = Lookup::through(&[[0.0, 0.0], [1.0, 1.0], [1.0, 5.0], [2.0, 6.0]], [0.0, 0.0]);
        assert_eq!([0.5, 1.0, 1.5, 9.0].map(|t| lookup.at(t)), [0.5, 5.0, 5.5, 6.0]);
        let upright = Lookup::through(&[[3.0, 1.0], [3.0, 2.0]], [0.0, 0.0]);
        assert_eq!([2.0, 3.0, 4.0].map(|t| upright.at(t)), [1.0, 2.0, 2.0]);
    }

    #[test]
    fn beyond_all_numbers() {
        let lookup = Lookup::through(&[[0.0, 3.0], [1.0, 4.0]], [0.0, 2.0]);
        assert_eq!((lookup.at(f64::NEG_INFINITY), lookup.at(f64::INFINITY)), (3.0, f64::INFINITY));
        assert!(lookup.at(f64::NAN).is_nan());
        assert_eq!(Lookup::through(&[], [0.0, 0.0]).at(-4.5), -4.5);
    }
}
