//! Numbers in order, digit by digit of their bits. Voxels have many equals, which cost no more here than others do: the
//! selection of Rust's standard library takes quadratic time for them where it is compiled for size, as for WebAssembly.

/// Bits that are in order as whole numbers when the numbers are, -0 before 0: `total_cmp` in one number.
pub fn bits(value: f64) -> u64 {
    let bits = value.to_bits();
    if value.is_sign_negative() { !bits } else { bits | 1 << 63 }
}

/// The number of these bits.
pub fn of_bits(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 0 { !bits } else { bits ^ 1 << 63 })
}

/// A digit has eight bits.
const DIGITS: usize = 8;
const VALUES: usize = 256;

fn digit(bits: u64, place: usize) -> usize {
    (bits >> (DIGITS * place)) as usize % VALUES
}

/// Sorts numbers.
pub fn sort(all: &mut Vec<f64>) {
    sort_by(all, |value| bits(*value));
}

/// Sorts what is given by its bits; what has the same stays in its order.
pub fn sort_by<T: Copy>(all: &mut Vec<T>, bits: impl Fn(&T) -> u64) {
    let mut counts = [[0; VALUES]; 64 / DIGITS];
    for one in &*all {
        let bits = bits(one);
        for (place, counts) in counts.iter_mut().enumerate() {
            counts[digit(bits, place)] += 1;
        }
    }
    let mut sorted = all.clone();
    for (place, counts) in counts.iter_mut().enumerate() {
        // Numbers of single precision have few digits of their own.
        if counts.contains(&all.len()) {
            continue;
        }
        let mut before = 0;
        for count in counts.iter_mut() {
            before += std::mem::replace(count, before);
        }
        for one in &*all {
            let next = &mut counts[digit(bits(one), place)];
            sorted[*next] = *one;
            *next += 1;
        }
        std::mem::swap(all, &mut sorted);
    }
}

/// Which of these bits come at this place, counted from 0, and at the next, when all are sorted. There must be one at this
/// place; without one at the next, that is `u64::MAX`.
pub fn nth_and_next(mut rest: Vec<u64>, mut place: usize) -> [u64; 2] {
    let mut next = u64::MAX;
    loop {
        let (low, high) =
            rest.iter().fold((u64::MAX, 0), |(low, high), bits| (low.min(*bits), high.max(*bits)));
        if low >= high {
            return [low, if place + 1 < rest.len() { low } else { next }];
        }
        // Cut into pieces by the highest digit in which they differ, of ten bits.
        let shift = (u64::BITS - (high - low).leading_zeros()).saturating_sub(10);
        let piece = |bits: u64| (bits - low) >> shift;
        let mut counts = [0; 1 << 10];
        rest.iter().for_each(|bits| counts[piece(*bits) as usize] += 1);
        let mut found = 0;
        while counts[found] <= place {
            place -= counts[found];
            found += 1;
        }
        let found = found as u64;
        let beyond = |bits: u64| if piece(bits) > found { bits } else { u64::MAX };
        next = rest.iter().fold(next, |next, bits| next.min(beyond(*bits)));
        rest.retain(|bits| piece(*bits) == found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of both signs and zeros, many of them equal.
    fn numbers(count: usize) -> Vec<f64> {
        let of = |i: usize| match i * 7919 % 13 {
            0 => 0.0,
            1 => -0.0,
            2 => f64::INFINITY,
            3 => -f64::MIN_POSITIVE / 4.0,
            n => (i * 2_654_435_761 % 1009) as f64 * 0.37 - 100.0 * n as f64,
        };
        (0..count).map(of).collect()
    }

    #[test]
    fn bits_are_in_the_numbers_order() {
        let numbers = numbers(200);
        for a in &numbers {
            for b in &numbers {
                assert_eq!(of_bits(bits(*a)).to_bits(), a.to_bits());
                assert_eq!(bits(*a).cmp(&bits(*b)), a.total_cmp(b), "{a} {b}");
            }
        }
    }

    #[test]
    fn numbers_are_sorted_as_by_comparison_and_equal_ones_stay_in_order() {
        for count in [0, 1, 2, 255, 1000, 30_000] {
            let mut pairs: Vec<(f64, usize)> = numbers(count).into_iter().zip(0..).collect();
            let mut expected = pairs.clone();
            expected.sort_by(|a, b| a.0.total_cmp(&b.0));
            sort_by(&mut pairs, |pair| bits(pair.0));
            let exact = |pairs: Vec<(f64, usize)>| {
                pairs.into_iter().map(|(v, i)| (v.to_bits(), i)).collect::<Vec<_>>()
            };
            assert_eq!(exact(pairs), exact(expected));
        }
    }

    #[test]
    fn the_nth_and_the_next_are_those_of_the_sorted() {
        for count in [1, 2, 255, 1000] {
            let numbers = numbers(count);
            let mut expected = numbers.clone();
            expected.sort_by(f64::total_cmp);
            expected.push(of_bits(u64::MAX));
            for (place, expected) in expected.windows(2).enumerate() {
                let found = nth_and_next(numbers.iter().map(|v| bits(*v)).collect(), place);
                let bits = [expected[0], expected[1]].map(bits);
                assert_eq!(found, bits, "{count} {place}");
            }
        }
    }
}
