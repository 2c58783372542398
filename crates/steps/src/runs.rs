//! Deflate (RFC 1951) by runs and Huffman codes alone: several times as fast as libraries whose encoders look for
//! repeats at every distance, and as small where voxels hold air and noise.
//!
//! A run is what repeats the four bytes before it: a voxel of `float32`, or several of a smaller type. Blocks are short, as
//! rows through air and through tissue want different codes. Nothing depends on the machine.

use std::ops::Range;

/// Bytes of a block: its code takes about 100.
const BLOCK: usize = 32 << 10;
/// The distance at which runs are looked for.
const PERIOD: usize = 4;
/// Longest code.
const LONGEST: u32 = 14;
/// Codes that are held until whole bytes of them go out.
const HELD: usize = 4;
const _: () = assert!(HELD as u32 * LONGEST + 7 <= u64::BITS);
/// Length of the longest repeat that one symbol tells.
const MOST_REPEATED: usize = 258;

/// Symbols of literals, the end and lengths.
const SYMBOLS: usize = 286;
const END: usize = 256;
/// Lengths of the distances' codes: the fourth symbol is `PERIOD`, the first makes the code complete.
const DISTANCES: [u8; 4] = [1, 0, 0, 1];
/// The order in which a block tells the lengths of the code lengths' codes.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const LONGEST_OF_LENGTHS: u32 = 7;

/// The chunk's part of a deflate stream, which ends with a whole byte.
pub(crate) fn packed(chunk: &[u8], is_last: bool) -> Vec<u8> {
    let count = chunk.len().div_ceil(BLOCK).max(1);
    let mut bits = Bits { out: vec![0; chunk.len() + 8 * count + 16], at: 0, held: 0, count: 0 };
    for index in 0..count {
        let block = index * BLOCK..chunk.len().min((index + 1) * BLOCK);
        pack(chunk, block, is_last && index + 1 == count, &mut bits);
    }
    if !is_last {
        // An empty block of bytes as they are, by which the stream comes to a whole byte.
        stored(&[], false, &mut bits);
    }
    bits.align();
    bits.out.truncate(bits.at);
    bits.out.shrink_to_fit();
    bits.out
}

fn pack(chunk: &[u8], block: Range<usize>, is_last: bool, bits: &mut Bits) {
    let parts = parts(chunk, block.clone());
    let mut frequencies = [0; SYMBOLS];
    frequencies[END] = 1;
    count_literals(chunk, &parts, &mut frequencies);
    for length in parts.iter().flat_map(|part| repeats(part.run)) {
        frequencies[length_symbol(length).0] += 1;
    }
    let codes = Codes::of(&frequencies, LONGEST);
    let lengths: Vec<u8> = codes.lengths().chain(DISTANCES).collect();
    let mut uses = [0; ORDER.len()];
    lengths.iter().for_each(|&length| uses[length as usize] += 1);
    let of_lengths = Codes::of(&uses, LONGEST_OF_LENGTHS);

    let extra: u32 =
        parts.iter().flat_map(|part| repeats(part.run)).map(|length| 1 + length_symbol(length).1).sum();
    let header = 3 + 5 + 5 + 4 + 3 * ORDER.len() as u32;
    let size = header + of_lengths.size(&uses) + codes.size(&frequencies) + extra;
    if size as usize >= 8 * block.len() {
        return stored(&chunk[block], is_last, bits);
    }
    bits.put(u64::from(is_last), 1);
    bits.put(2, 2);
    bits.put((SYMBOLS - 257) as u64, 5);
    bits.put(DISTANCES.len() as u64 - 1, 5);
    bits.put(ORDER.len() as u64 - 4, 4);
    bits.write();
    for symbol in ORDER {
        bits.put(u64::from(of_lengths.0[symbol].1), 3);
        bits.write();
    }
    for length in lengths {
        bits.code(of_lengths.0[length as usize]);
        bits.write();
    }
    for Part { literals, run } in parts {
        bits.literals(&chunk[literals], &codes);
        for length in repeats(run) {
            let (symbol, count, value) = length_symbol(length);
            bits.code(codes.0[symbol]);
            bits.put(value, count);
            bits.put(1, 1);
            bits.write();
        }
    }
    bits.code(codes.0[END]);
    bits.write();
}

/// A block of bytes as they are.
fn stored(bytes: &[u8], is_last: bool, bits: &mut Bits) {
    bits.put(u64::from(is_last), 1);
    bits.put(0, 2);
    bits.align();
    let length = bytes.len() as u16;
    bits.put(u64::from(length) | u64::from(!length) << 16, 32);
    bits.write();
    bits.out[bits.at..][..bytes.len()].copy_from_slice(bytes);
    bits.at += bytes.len();
}

/// Bytes to be told one by one, and how many more repeat what stands `PERIOD` before.
struct Part {
    literals: Range<usize>,
    run: usize,
}

/// The block's parts. The last may have no run, or the first no literals.
fn parts(chunk: &[u8], block: Range<usize>) -> Vec<Part> {
    let word = |at: usize| u64::from_le_bytes(chunk[at..at + 8].try_into().expect("eight bytes"));
    let (mut parts, mut told, mut at) = (Vec::new(), block.start, block.start.max(PERIOD));
    while at + 8 <= block.end {
        if word(at) != word(at - PERIOD) {
            at += 8;
            continue;
        }
        let least = told.max(PERIOD);
        let start = (least..at).rev().find(|&i| chunk[i] != chunk[i - PERIOD]).map_or(least, |i| i + 1);
        while at + 8 <= block.end && word(at) == word(at - PERIOD) {
            at += 8;
        }
        while at < block.end && chunk[at] == chunk[at - PERIOD] {
            at += 1;
        }
        parts.push(Part { literals: told..start, run: at - start });
        told = at;
    }
    parts.push(Part { literals: told..block.end, run: 0 });
    parts
}

/// A run as lengths of repeats, each of which has a symbol.
fn repeats(mut run: usize) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        // The shortest that has a symbol is 3.
        let length = if run > MOST_REPEATED { MOST_REPEATED.min(run - 3) } else { run };
        run -= length;
        (length > 0).then_some(length)
    })
}

/// A repeat's symbol, and how many bits tell what it leaves open.
fn length_symbol(length: usize) -> (usize, u32, u64) {
    let above = length - 3;
    match above {
        255 => (285, 0, 0),
        0..8 => (257 + above, 0, 0),
        _ => {
            let open = above.ilog2() - 2;
            (257 + 4 * open as usize + (above >> open), open, (above & ((1 << open) - 1)) as u64)
        }
    }
}

/// Four counts side by side, as a byte that comes often would wait for its own last count.
fn count_literals(chunk: &[u8], parts: &[Part], frequencies: &mut [u32; SYMBOLS]) {
    let mut counts = [[0u32; 256]; 4];
    for part in parts {
        let mut words = chunk[part.literals.clone()].chunks_exact(4);
        for word in &mut words {
            for (count, &byte) in counts.iter_mut().zip(word) {
                count[byte as usize] += 1;
            }
        }
        words.remainder().iter().for_each(|&byte| counts[0][byte as usize] += 1);
    }
    for byte in 0..256 {
        frequencies[byte] = counts.iter().map(|count| count[byte]).sum();
    }
}

/// Each symbol's code, first bit lowest, and its length; 0 where it has none.
struct Codes(Vec<(u32, u32)>);

impl Codes {
    /// Huffman's code for at least two symbols that occur, none longer than `longest`: where one is, frequencies are made
    /// more alike until none is.
    fn of(frequencies: &[u32], longest: u32) -> Codes {
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

    fn lengths(&self) -> impl Iterator<Item = u8> {
        self.0.iter().map(|&(_, length)| length as u8)
    }

    /// Bits for as many of each symbol.
    fn size(&self, frequencies: &[u32]) -> u32 {
        self.0.iter().zip(frequencies).map(|(&(_, length), frequency)| length * frequency).sum()
    }
}

/// Depths of the symbols in Huffman's tree; 0 for those that do not occur.
fn huffman_lengths(frequencies: &[u32]) -> Vec<u32> {
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

/// Bits on their way into bytes, the first one lowest.
struct Bits {
    /// With 8 bytes more than are written.
    out: Vec<u8>,
    at: usize,
    held: u64,
    count: u32,
}

impl Bits {
    /// At most 57 between two calls of `write`.
    #[inline(always)]
    fn put(&mut self, bits: u64, count: u32) {
        self.held |= bits << self.count;
        self.count += count;
    }

    #[inline(always)]
    fn code(&mut self, (bits, length): (u32, u32)) {
        self.put(u64::from(bits), length);
    }

    /// Whole bytes go out.
    #[inline(always)]
    fn write(&mut self) {
        self.out[self.at..self.at + 8].copy_from_slice(&self.held.to_le_bytes());
        self.at += (self.count / 8) as usize;
        self.held >>= self.count & !7;
        self.count &= 7;
    }

    /// Zeros up to a whole byte.
    fn align(&mut self) {
        self.count = self.count.next_multiple_of(8);
        self.write();
    }

    fn literals(&mut self, literals: &[u8], codes: &Codes) {
        let codes: &[(u32, u32); 256] = codes.0.first_chunk().expect("all bytes are symbols");
        let mut words = literals.chunks_exact(HELD);
        for word in &mut words {
            word.iter().for_each(|&byte| self.code(codes[byte as usize]));
            self.write();
        }
        for &byte in words.remainder() {
            self.code(codes[byte as usize]);
            self.write();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zlib_rs::{Inflate, InflateFlush, Status};

    /// What zlib-rs makes of it.
    fn unpacked(packed: &[u8], length: usize) -> Vec<u8> {
        let (mut stream, mut content) = (Inflate::new(false, 15), vec![0; length + 1]);
        let status = stream.decompress(packed, &mut content, InflateFlush::NoFlush).unwrap();
        assert_eq!((status, stream.total_in() as usize), (Status::StreamEnd, packed.len()));
        content.truncate(stream.total_out() as usize);
        content
    }

    fn expect_back(content: &[u8]) -> usize {
        let packed = packed(content, true);
        assert!(unpacked(&packed, content.len()) == content, "{} bytes", content.len());
        // No block of bytes as they are holds more than 6 bytes beyond them.
        assert!(packed.len() <= content.len() + 6 * content.len().div_ceil(BLOCK).max(1));
        packed.len()
    }

    fn noise(state: &mut u32) -> u32 {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *state >> 8
    }

    #[test]
    fn zlib_unpacks_random_noise_and_runs_to_the_same() {
        let mut state = 7;
        for round in 0..400 {
            let mut content = Vec::new();
            for _ in 0..noise(&mut state) % 12 {
                let (length, period) = (noise(&mut state) % (1 << (round % 15)), 1 + noise(&mut state) % 9);
                let bits = noise(&mut state) % 9;
                let few: Vec<u8> = (0..period).map(|_| noise(&mut state) as u8).collect();
                match noise(&mut state) % 2 {
                    0 => content.extend((0..length).map(|_| (noise(&mut state) & ((1 << bits) - 1)) as u8)),
                    _ => content.extend(few.iter().cycle().take(length as usize)),
                }
            }
            expect_back(&content);
        }
    }

    #[test]
    fn runs_of_all_lengths_and_places_are_told_in_few_bytes() {
        let mut state = 3;
        for length in (0..40).chain([257, 258, 259, 260, 261, 262, 520]).chain(BLOCK - 20..BLOCK + 20) {
            let before: Vec<u8> = (0..noise(&mut state) % 16).map(|_| noise(&mut state) as u8).collect();
            let content = [&before[..], &[1, 2, 3, 4].repeat(length), &before].concat();
            assert!(
                expect_back(&content) <= 2 * before.len() + 120 * (1 + content.len() / BLOCK) + length / 100
            );
        }
    }

    #[test]
    fn noise_is_stored_and_what_is_empty_ends() {
        let mut state = 1;
        for length in [0, 1, 100, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            let content: Vec<u8> = (0..length).map(|_| noise(&mut state) as u8).collect();
            assert!(expect_back(&content) >= length);
        }
    }

    #[test]
    fn chunks_follow_each_other() {
        let content: Vec<u8> = (0..5 * BLOCK).map(|i| (i / 77) as u8).collect();
        let (first, second) = content.split_at(BLOCK + 5);
        let joined = [packed(first, false), packed(&[], false), packed(second, true)].concat();
        assert!(unpacked(&joined, content.len()) == content);
    }

    /// Frequencies like Fibonacci's numbers make the deepest trees.
    #[test]
    fn no_code_is_longer_than_it_may_be() {
        let mut frequencies = vec![1u32, 1];
        while frequencies.iter().sum::<u32>() < BLOCK as u32 / 2 {
            frequencies.push(frequencies.iter().rev().take(2).sum());
        }
        assert!(huffman_lengths(&frequencies).iter().any(|&length| length > LONGEST));
        let mut state = 5;
        let mut content: Vec<u8> =
            (0..).zip(&frequencies).flat_map(|(byte, &count)| vec![byte; count as usize]).collect();
        for at in (1..content.len()).rev() {
            content.swap(at, noise(&mut state) as usize % (at + 1));
        }
        expect_back(&content);
        for longest in [5, 7, LONGEST] {
            let lengths: Vec<u32> = Codes::of(&frequencies, longest).0.iter().map(|code| code.1).collect();
            assert!(lengths.iter().all(|length| (1..=longest).contains(length)));
            // Kraft's sum of a complete code.
            assert_eq!(lengths.iter().map(|length| 1 << (longest - length)).sum::<u32>(), 1 << longest);
        }
    }

    /// The example of RFC 1951, section 3.2.2, its bits turned round.
    #[test]
    fn codes_are_numbered_as_the_standard_does() {
        let codes = Codes::with(&[3, 3, 3, 3, 3, 2, 4, 4]).0;
        let wanted = [0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111];
        assert_eq!(codes.iter().map(|code| code.0).collect::<Vec<_>>(), wanted);
    }

    /// The table of RFC 1951, section 3.2.5: where each symbol's lengths begin, and how many bits tell which.
    #[test]
    fn lengths_have_the_symbols_of_the_standard() {
        let first = [
            3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
            163, 195, 227, 258,
        ];
        for length in 3..=258 {
            let index = first.iter().rposition(|&first| first <= length).unwrap();
            let open = if (8..28).contains(&index) { index as u32 / 4 - 1 } else { 0 };
            assert_eq!(length_symbol(length), (257 + index, open, (length - first[index]) as u64));
        }
    }

    /// A Huffman code is the best there is: no worse than Shannon's, and within a bit of the entropy.
    #[test]
    fn codes_are_as_short_as_entropy_allows() {
        let mut state = 11;
        for round in 0..50 {
            let frequencies: Vec<u32> =
                (0..SYMBOLS).map(|_| noise(&mut state) % (2 << (round % 10))).collect();
            let total = f64::from(frequencies.iter().sum::<u32>());
            let bits = |&count: &u32| {
                if count > 0 { f64::from(count) * (total / f64::from(count)).log2() } else { 0.0 }
            };
            let entropy: f64 = frequencies.iter().map(bits).sum();
            let size = f64::from(Codes::of(&frequencies, LONGEST).size(&frequencies));
            assert!((entropy..entropy + 0.1 * total + 10.0).contains(&size), "{size} for {entropy}");
        }
    }
}
