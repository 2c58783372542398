//! Deflate (RFC 1951) by a few kinds of repeats and Huffman codes: several times as fast as libraries whose encoders look for
//! repeats of any bytes at every distance, and as small for voxels.
//!
//! A run is what repeats the four bytes before it: a voxel of `float32`, or several of a smaller type. Where numbers of four
//! bytes or eight take few values, as a normalised image of 8 or 12 bits does, the last place of each word of four is told
//! instead of its bytes. Blocks are short, as rows through air and through tissue want different codes. Nothing depends on the
//! machine.

use crate::huffman::Codes;
use std::ops::Range;

/// Bytes of a block: its code takes about 100.
const BLOCK: usize = 32 << 10;
/// The distance at which runs are looked for, and the size of a word.
const WORD: usize = 4;
/// The farthest repeat that a symbol tells, in words.
const FARTHEST: usize = (32 << 10) / WORD;
/// Longest code.
const LONGEST: u32 = 14;
/// Codes that are held until whole bytes of them go out.
const HELD: usize = 4;
const _: () = assert!(HELD as u32 * LONGEST + 7 <= u64::BITS);
// A repeat: two codes, and at most 5 and 13 bits that tell what they leave open.
const _: () = assert!(2 * LONGEST + 5 + 13 + 7 <= u64::BITS);
/// Length of the longest repeat that one symbol tells.
const MOST_REPEATED: usize = 258;

/// Symbols of literals, the end and lengths.
const SYMBOLS: usize = 286;
const END: usize = 256;
/// Symbols of distances.
const DISTANCES: usize = 30;
/// The order in which a block tells the lengths of the code lengths' codes.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const LONGEST_OF_LENGTHS: u32 = 7;

/// The chunk's part of a deflate stream, which ends with a whole byte. `of_words` says that its numbers take whole words.
pub(crate) fn packed(chunk: &[u8], of_words: bool, is_last: bool) -> Vec<u8> {
    let count = chunk.len().div_ceil(BLOCK).max(1);
    let mut bits = Bits { out: vec![0; chunk.len() + 8 * count + 16], at: 0, held: 0, count: 0 };
    let (mut places, mut parts) = (Places::new(), Vec::with_capacity(BLOCK / WORD + 1));
    for index in 0..count {
        let block = index * BLOCK..chunk.len().min((index + 1) * BLOCK);
        parts.clear();
        if of_words && has_few_values(&chunk[block.clone()]) {
            places.repeats(chunk, &block, &mut parts);
        } else {
            runs(chunk, &block, &mut parts);
        }
        pack(chunk, block, &parts, is_last && index + 1 == count, &mut bits);
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

fn pack(chunk: &[u8], block: Range<usize>, parts: &[Part], is_last: bool, bits: &mut Bits) {
    let mut symbols = [0; SYMBOLS];
    symbols[END] = 1;
    // Two that occur make the code complete.
    let mut distances = [0; DISTANCES];
    distances[..2].fill(1);
    let mut open = 0;
    count_literals(chunk, block.start, parts, &mut symbols);
    for part in parts {
        for length in lengths(part.repeated) {
            let (symbol, length_open, _) = length_symbol(length);
            symbols[symbol] += 1;
            distances[usize::from(part.distance_symbol)] += 1;
            open += length_open + u32::from(OPEN[usize::from(part.distance_symbol)]);
        }
    }
    let (codes, distance_codes) = (Codes::of(&symbols, LONGEST), Codes::of(&distances, LONGEST));
    let told: Vec<u8> = codes.lengths().chain(distance_codes.lengths()).collect();
    let mut uses = [0; ORDER.len()];
    told.iter().for_each(|&length| uses[length as usize] += 1);
    let of_lengths = Codes::of(&uses, LONGEST_OF_LENGTHS);

    let header = 3 + 5 + 5 + 4 + 3 * ORDER.len() as u32;
    let size =
        header + of_lengths.size(&uses) + codes.size(&symbols) + distance_codes.size(&distances) + open;
    if size as usize >= 8 * block.len() {
        return stored(&chunk[block], is_last, bits);
    }
    bits.put(u64::from(is_last), 1);
    bits.put(2, 2);
    bits.put((SYMBOLS - 257) as u64, 5);
    bits.put(DISTANCES as u64 - 1, 5);
    bits.put(ORDER.len() as u64 - 4, 4);
    bits.write();
    for symbol in ORDER {
        bits.put(u64::from(of_lengths.0[symbol].1), 3);
        bits.write();
    }
    for length in told {
        bits.code(of_lengths.0[length as usize]);
        bits.write();
    }
    let mut at = block.start;
    let one_word: [(u64, u32); DISTANCES] = std::array::from_fn(|distance| {
        let (length, distance) = (codes.0[length_symbol(WORD).0], distance_codes.0[distance]);
        (u64::from(length.0) | u64::from(distance.0) << length.1, length.1 + distance.1)
    });
    for part in parts {
        let literals = &chunk[at..at + usize::from(part.literals)];
        if !literals.is_empty() {
            bits.literals(literals, &codes);
        }
        at += usize::from(part.literals) + usize::from(part.repeated);
        let distance = usize::from(part.distance_symbol);
        if usize::from(part.repeated) == WORD {
            let (code, length) = one_word[distance];
            bits.put(
                code | u64::from(part.distance - FIRST[distance]) << length,
                length + u32::from(OPEN[distance]),
            );
            bits.write();
            continue;
        }
        for length in lengths(part.repeated) {
            let (symbol, open, value) = length_symbol(length);
            bits.code(codes.0[symbol]);
            bits.put(value, open);
            bits.code(distance_codes.0[distance]);
            bits.put(u64::from(part.distance - FIRST[distance]), u32::from(OPEN[distance]));
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

/// Bytes to be told one by one, and how many more repeat what stands `distance` before them.
#[derive(Clone, Copy)]
struct Part {
    literals: u16,
    repeated: u16,
    distance: u16,
    distance_symbol: u8,
}

impl Part {
    #[inline(always)]
    fn new(literals: usize, repeated: usize, distance: usize) -> Part {
        Part {
            literals: literals as u16,
            repeated: repeated as u16,
            distance: distance as u16,
            distance_symbol: distance_symbol(distance),
        }
    }
}
// A part is no longer than a block, nor reaches farther back.
const _: () = assert!(BLOCK <= u16::MAX as usize && WORD * FARTHEST <= u16::MAX as usize);

/// The block's runs. The last part may have no run, or the first no literals.
fn runs(chunk: &[u8], block: &Range<usize>, parts: &mut Vec<Part>) {
    let word = |at: usize| u64::from_le_bytes(chunk[at..at + 8].try_into().expect("eight bytes"));
    let (mut told, mut at) = (block.start, block.start.max(WORD));
    while at + 8 <= block.end {
        if word(at) != word(at - WORD) {
            at += 8;
            continue;
        }
        let least = told.max(WORD);
        let start = (least..at).rev().find(|&i| chunk[i] != chunk[i - WORD]).map_or(least, |i| i + 1);
        while at + 8 <= block.end && word(at) == word(at - WORD) {
            at += 8;
        }
        while at < block.end && chunk[at] == chunk[at - WORD] {
            at += 1;
        }
        parts.push(Part::new(start - told, at - start, WORD));
        told = at;
    }
    parts.push(Part::new(block.end - told, 0, WORD));
}

/// A word's place in a table of `1 << BITS`.
#[inline(always)]
fn slot<const BITS: u32>(word: [u8; WORD]) -> usize {
    (u32::from_le_bytes(word).wrapping_mul(0x9E37_79B1) >> (32 - BITS)) as usize
}

/// Whether many words come again, by every 32nd word: of 1000 values as frequent, chance finds 1 in 8 of these again. A value that
/// comes often, such as the background's, counts once.
fn has_few_values(block: &[u8]) -> bool {
    const BITS: u32 = 10;
    let mut last = [([0; WORD], false); 1 << BITS];
    let (mut once, mut again) = (0, 0);
    for some in block.as_chunks().0.chunks_exact(32) {
        let [before, word] = [some[0], some[1]];
        if word == before {
            continue;
        }
        let (known, is_counted) = &mut last[slot::<BITS>(word)];
        if *known != word {
            (*known, *is_counted) = (word, false);
            once += 1;
        } else if !*is_counted {
            *is_counted = true;
            again += 1;
        }
    }
    16 * again >= once
}

/// Where words stood last in a chunk.
struct Places(Box<[u16; 1 << Places::BITS]>);

impl Places {
    /// As many words as there may be values: of 12 bits.
    const BITS: u32 = 12;

    fn new() -> Places {
        Places(Box::new([0; 1 << Places::BITS]))
    }

    /// The block's parts, each of which repeats whole words. The last may repeat none.
    fn repeats(&mut self, chunk: &[u8], block: &Range<usize>, parts: &mut Vec<Part>) {
        let (words, rest) = chunk[..block.end].as_chunks::<WORD>();
        let (mut told, mut at) = (block.start / WORD, block.start / WORD);
        while at < words.len() {
            let last = &mut self.0[slot::<{ Places::BITS }>(words[at])];
            // Of what stood there 65,536 words ago or more, too, no more than its number is left: the words are compared.
            let distance = usize::from((at as u16).wrapping_sub(*last));
            *last = at as u16;
            let is_near = (1..=FARTHEST).contains(&distance);
            if !is_near || words.get(at.wrapping_sub(distance)) != Some(&words[at]) {
                at += 1;
                continue;
            }
            let start = at;
            at += 1;
            while at < words.len() && words[at] == words[at - distance] {
                self.0[slot::<{ Places::BITS }>(words[at])] = at as u16;
                at += 1;
            }
            parts.push(Part::new(WORD * (start - told), WORD * (at - start), WORD * distance));
            told = at;
        }
        parts.push(Part::new(WORD * (at - told) + rest.len(), 0, WORD));
    }
}

/// Repeated bytes in lengths that have a symbol.
#[inline(always)]
fn lengths(repeated: u16) -> impl Iterator<Item = usize> {
    let mut left = usize::from(repeated);
    std::iter::from_fn(move || {
        // The shortest that has a symbol is 3.
        let length = if left > MOST_REPEATED { MOST_REPEATED.min(left - 3) } else { left };
        left -= length;
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

/// How many bits tell what a distance's symbol leaves open, and the first distance that it stands for.
const OPEN: [u8; DISTANCES] = of_distances().0;
const FIRST: [u16; DISTANCES] = of_distances().1;

const fn of_distances() -> ([u8; DISTANCES], [u16; DISTANCES]) {
    let (mut open, mut first) = ([0; DISTANCES], [1; DISTANCES]);
    let mut symbol = 1;
    while symbol < DISTANCES {
        first[symbol] = first[symbol - 1] + (1 << open[symbol - 1]);
        open[symbol] = if symbol < 4 { 0 } else { symbol as u8 / 2 - 1 };
        symbol += 1;
    }
    (open, first)
}

#[inline(always)]
fn distance_symbol(distance: usize) -> u8 {
    let above = distance as u32 - 1;
    if above < 4 {
        return above as u8;
    }
    let open = above.ilog2() - 1;
    (2 * open + (above >> open)) as u8
}

/// Four counts side by side, as a byte that comes often would wait for its own last count.
fn count_literals(chunk: &[u8], start: usize, parts: &[Part], frequencies: &mut [u32; SYMBOLS]) {
    let mut counts = [[0u32; 256]; 4];
    let mut at = start;
    for part in parts {
        let literals = &chunk[at..at + usize::from(part.literals)];
        at += usize::from(part.literals) + usize::from(part.repeated);
        let (words, rest) = literals.as_chunks::<4>();
        for word in words {
            for (count, &byte) in counts.iter_mut().zip(word) {
                count[byte as usize] += 1;
            }
        }
        rest.iter().for_each(|&byte| counts[0][byte as usize] += 1);
    }
    for byte in 0..256 {
        frequencies[byte] = counts.iter().map(|count| count[byte]).sum();
    }
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
    use crate::huffman::huffman_lengths;
    use zlib_rs::{Inflate, InflateFlush, Status};

    /// What zlib-rs makes of it.
    fn unpacked(packed: &[u8], length: usize) -> Vec<u8> {
        let (mut stream, mut content) = (Inflate::new(false, 15), vec![0; length + 1]);
        let status = stream.decompress(packed, &mut content, InflateFlush::NoFlush).unwrap();
        assert_eq!((status, stream.total_in() as usize), (Status::StreamEnd, packed.len()));
        content.truncate(stream.total_out() as usize);
        content
    }

    /// Lengths by runs alone and of words.
    fn expect_back(content: &[u8]) -> [usize; 2] {
        [false, true].map(|of_words| {
            let packed = packed(content, of_words, true);
            assert!(unpacked(&packed, content.len()) == content, "{} bytes", content.len());
            // No block of bytes as they are holds more than 6 bytes beyond them.
            assert!(packed.len() <= content.len() + 6 * content.len().div_ceil(BLOCK).max(1));
            packed.len()
        })
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
            let most = 2 * before.len() + 140 * (1 + content.len() / BLOCK) + length / 100;
            assert!(expect_back(&content).into_iter().all(|packed| packed <= most));
        }
    }

    #[test]
    fn noise_is_stored_and_what_is_empty_ends() {
        let mut state = 1;
        for length in [0, 1, 100, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            let content: Vec<u8> = (0..length).map(|_| noise(&mut state) as u8).collect();
            assert!(expect_back(&content).into_iter().all(|packed| packed >= length));
        }
    }

    #[test]
    fn chunks_follow_each_other() {
        let content: Vec<u8> = (0..5 * BLOCK).map(|i| (i / 77) as u8).collect();
        let (first, second) = content.split_at(BLOCK + 5);
        for of_words in [false, true] {
            let of = |chunk, is_last| packed(chunk, of_words, is_last);
            let joined = [of(first, false), of(&[], false), of(second, true)].concat();
            assert!(unpacked(&joined, content.len()) == content);
        }
    }

    /// All as frequent, in no order: their bytes say nothing of each other.
    #[test]
    fn words_of_few_values_take_much_less_than_their_bytes_do() {
        let mut state = 9;
        for (values, share) in [(5, 0.35), (200, 0.5), (1000, 0.65)] {
            let word = |_| (noise(&mut state) << 8 ^ noise(&mut state)).to_le_bytes();
            let all: Vec<[u8; WORD]> = (0..values).map(word).collect();
            let content: Vec<u8> =
                (0..300_000).flat_map(|_| all[noise(&mut state) as usize % values]).collect();
            let [by_runs, of_words] = expect_back(&content);
            assert!((of_words as f64) < share * by_runs as f64, "{values}: {of_words} of {by_runs} bytes");
        }
    }

    /// Every word comes again after so many others, none of which is like it.
    #[test]
    fn words_repeat_at_every_distance_up_to_the_farthest() {
        for distance in [1, 2, 3, 100, FARTHEST - 1, FARTHEST, FARTHEST + 1, 65_535, 65_536, 65_537] {
            let words =
                (0..distance + 3000).map(|index| ((index % distance) as u32).wrapping_mul(0x0101_4F51));
            let content: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
            let (mut places, mut found) = (Places::new(), 0);
            for start in (0..content.len()).step_by(BLOCK) {
                let block = start..content.len().min(start + BLOCK);
                let (mut parts, mut at) = (Vec::new(), start);
                places.repeats(&content, &block, &mut parts);
                for part in parts {
                    at += usize::from(part.literals);
                    let told = at..at + usize::from(part.repeated);
                    assert!(told.clone().all(|at| content[at] == content[at - usize::from(part.distance)]));
                    found += told.len();
                    at = told.end;
                }
                assert_eq!(at, block.end);
            }
            // As many places have the same slot, most words are forgotten before the farthest.
            assert_eq!(found > 0, distance <= FARTHEST, "{distance}: {found}");
            assert!(distance > 1000 || found > 4 * 2000, "{distance}: {found}");
        }
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

    /// The table of RFC 1951, section 3.2.5, for distances.
    #[test]
    fn distances_have_the_symbols_of_the_standard() {
        let first = [
            1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
            3073, 4097, 6145, 8193, 12289, 16385, 24577,
        ];
        assert_eq!(FIRST, first);
        for distance in 1..=32_768 {
            let symbol = first.iter().rposition(|&first| first <= distance).unwrap();
            let part = Part::new(0, 0, distance as usize);
            assert_eq!((part.distance, usize::from(part.distance_symbol)), (distance, symbol));
            assert!(distance - first[symbol] < 1 << OPEN[symbol]);
            assert!(OPEN[symbol] <= 13);
        }
    }
}
