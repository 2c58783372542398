//! Huffman's codes as deflate (RFC 1951) numbers them.

/// Each symbol's code, first bit lowest, and its length; 0 where it has none.
pub struct Codes(pub Vec<(u32, u32)>);

impl Codes {
    /// Huffman's code for at least two symbols that occur, none longer than `longest`: where one is, frequencies are made
    /// more alike until none is.
    pub fn of(frequencies: &[u32], longest: u32) -> Codes {
        let mut frequencies = frequencies.to_vec();
        loop {
            let lengths = huffman_lengths(&frequencies);
            if lengths.iter().all(|&length| length <= longest) {
                return Codes::with(&lengths);
            }
            frequencies.iter_mut().filter(|each| **each > 0).for_each(|each| *each = *each / 2 + 1);
        }
    }

    /// Deflate's choice among the codes of these lengths: numbered by length, then by symbol.
    fn with(lengths: &[u32]) -> Codes {
        let mut next = [0; 16];
        for length in 1..15 {
            let count = lengths.iter().filter(|&&each| each == length as u32).count() as u32;
            next[length + 1] = (next[length] + count) << 1;
        }
        let code = |&length: &u32| {
            let code = next[length as usize];
            next[length as usize] += 1;
            (if length > 0 { code.reverse_bits() >> (32 - length) } else { 0 }, length)
        };
        Codes(lengths.iter().map(code).collect())
    }

    pub fn lengths(&self) -> impl Iterator<Item = u8> {
        self.0.iter().map(|&(_, length)| length as u8)
    }

    /// Bits for as many of each symbol.
    pub fn size(&self, frequencies: &[u32]) -> u32 {
        self.0.iter().zip(frequencies).map(|(&(_, length), frequency)| length * frequency).sum()
    }
}

/// Depths of the symbols in Huffman's tree; 0 for those that do not occur.
pub(crate) fn huffman_lengths(frequencies: &[u32]) -> Vec<u32> {
    let mut leaves: Vec<(u32, usize)> = frequencies
        .iter()
        .enumerate()
        .filter(|each| *each.1 > 0)
        .map(|(symbol, &count)| (count, symbol))
        .collect();
    leaves.sort_unstable();
    // Leaves and joints both come in order of weight: the two lightest of all stand at the front of either.
    let mut weights: Vec<u32> = leaves.iter().map(|leaf| leaf.0).collect();
    let (count, mut leaf, mut joint) = (leaves.len(), 0, leaves.len());
    let mut parents = vec![0; 2 * count];
    for node in count..2 * count - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            let lightest = if leaf < count && (joint == node || weights[leaf] <= weights[joint]) {
                &mut leaf
            } else {
                &mut joint
            };
            weight += weights[*lightest];
            parents[*lightest] = node;
            *lightest += 1;
        }
        weights.push(weight);
    }
    let mut depths = vec![0; 2 * count - 1];
    for node in (0..2 * count - 2).rev() {
        depths[node] = depths[parents[node]] + 1;
    }
    let mut lengths = vec![0; frequencies.len()];
    for (depth, (_, symbol)) in depths.into_iter().zip(leaves) {
        lengths[symbol] = depth;
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 1951, section 3.2.2, its bits turned round.
    #[test]
    fn codes_are_numbered_as_the_standard_does() {
        let codes = Codes::with(&[3, 3, 3, 3, 3, 2, 4, 4]).0;
        let wanted = [0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111];
        assert_eq!(codes.iter().map(|code| code.0).collect::<Vec<_>>(), wanted);
    }

    /// A Huffman code is the best there is: no worse than Shannon's, and within a bit of the entropy.
    #[test]
    fn codes_are_as_short_as_entropy_allows() {
        let mut state = 11u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 8
        };
        for round in 0..50 {
            let frequencies: Vec<u32> = (0..286).map(|_| random() % (2 << (round % 10))).collect();
            let total = f64::from(frequencies.iter().sum::<u32>());
            let bits = |&count: &u32| {
                if count > 0 { f64::from(count) * (total / f64::from(count)).log2() } else { 0.0 }
            };
            let entropy: f64 = frequencies.iter().map(bits).sum();
            let size = f64::from(Codes::of(&frequencies, 14).size(&frequencies));
            assert!((entropy..entropy + 0.1 * total + 10.0).contains(&size), "{size} for {entropy}");
        }
    }
}
