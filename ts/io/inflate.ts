/**
 * Inflate (RFC 1951) where the platform's own will not do, which is the browser.
 *
 * `DecompressionStream` treats a second gzip member and junk after the trailer as the same failure as a
 * damaged stream, and `fflate` checks no CRC; neither says where the stream ended, without which trailer,
 * members and junk cannot be told apart. This one decodes piece by piece, so that whoever asks can stop,
 * and says where it ended. Node uses zlib.
 */
import { VoxnormError } from "../errors.ts";

/** Distances reach back this far, so this much of the output stays at hand. */
const WINDOW = 1 << 15;
/** A match writes at most this many bytes. */
const LONGEST_MATCH = 258;
const PIECE = 1 << 20;

/** Pieces of what the deflate stream at `start` decodes to; returns the position behind the stream. */
export function* inflate(bytes: Uint8Array, start: number): Generator<Uint8Array, number> {
  const state = new Inflate(bytes, start);
  let last = false;
  while (!last) {
    last = state.take(1) === 1;
    const kind = state.take(2);
    if (kind === 3) throw damaged("a block of unknown kind", state.position);
    if (kind === 0) state.beginStored();
    else if (kind === 1) state.beginCodes(fixedLengths, fixedDistances);
    else state.beginCodes(...state.readCodes());
    while (!(kind === 0 ? state.stored() : state.codes())) yield state.drain();
  }
  if (state.hasOutput) yield state.drain();
  return state.position;
}

/** The codes of one alphabet: a table for those of up to `FAST` bits, and counts and symbols for the rest. */
interface Codes {
  /** By the next `FAST` bits of input: symbol × 16 + length, or 0 for a longer code. */
  readonly fast: Uint16Array;
  /** How many codes have each length. */
  readonly count: Uint16Array;
  /** Symbols in the order of their codes. */
  readonly symbols: Uint16Array;
}

const FAST = 10;
const LONGEST = 15;

class Inflate {
  readonly #bytes: Uint8Array;
  #at: number;
  /** Bits taken from the input and not used yet; the next one is the lowest. */
  #hold = 0;
  #held = 0;
  /** The last `WINDOW` bytes given out, then those not given out yet. */
  readonly #out = new Uint8Array(WINDOW + PIECE + LONGEST_MATCH);
  #given = 0;
  #length = 0;
  #storedLeft = 0;
  #lengths = fixedLengths;
  #distances = fixedDistances;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  /** The first byte that was not used. */
  get position(): number {
    return this.#at - (this.#held >> 3);
  }

  get hasOutput(): boolean {
    return this.#length > this.#given;
  }

  /** What was decoded since the last time, as a copy. */
  drain(): Uint8Array {
    const piece = this.#out.slice(this.#given, this.#length);
    const kept = Math.min(WINDOW, this.#length);
    this.#out.copyWithin(0, this.#length - kept, this.#length);
    this.#given = this.#length = kept;
    return piece;
  }

  take(count: number): number {
    while (this.#held < count) {
      if (this.#at >= this.#bytes.length) throw truncated(this.#bytes.length);
      this.#hold |= this.#bytes[this.#at++]! << this.#held;
      this.#held += 8;
    }
    const value = this.#hold & ((1 << count) - 1);
    this.#hold >>>= count;
    this.#held -= count;
    return value;
  }

  beginStored(): void {
    this.take(this.#held & 7);
    const length = this.take(16);
    if ((this.take(16) ^ length) !== 0xffff) throw damaged("the length of a stored block", this.position);
    this.#storedLeft = length;
  }

  /** Copies stored bytes; false when the output is full and the block is not done. */
  stored(): boolean {
    // Whole bytes may be left over from reading bits; they come first.
    this.#at -= this.#held >> 3;
    this.#hold = this.#held = 0;
    const count = Math.max(0, Math.min(this.#storedLeft, WINDOW + PIECE - this.#length));
    if (this.#at + count > this.#bytes.length) throw truncated(this.#bytes.length);
    this.#out.set(this.#bytes.subarray(this.#at, this.#at + count), this.#length);
    this.#at += count;
    this.#length += count;
    this.#storedLeft -= count;
    return this.#storedLeft === 0;
  }

  beginCodes(lengths: Codes, distances: Codes): void {
    this.#lengths = lengths;
    this.#distances = distances;
  }

  /** The two alphabets that a dynamic block begins with. */
  readCodes(): [Codes, Codes] {
    const lengths = this.take(5) + 257;
    const distances = this.take(5) + 1;
    const count = this.take(4) + 4;
    if (lengths > 286 || distances > 30) throw damaged("too many codes", this.position);
    const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    const bits = new Uint8Array(19);
    for (const symbol of order.slice(0, count)) bits[symbol] = this.take(3);
    const meta = makeCodes(bits, this.position, "complete");

    const all = new Uint8Array(lengths + distances);
    for (let at = 0; at < all.length; ) {
      const symbol = this.#symbol(meta);
      if (symbol < 16) {
        all[at++] = symbol;
        continue;
      }
      if (symbol === 16 && at === 0) throw damaged("a repeat of nothing", this.position);
      const repeated = symbol === 16 ? all[at - 1]! : 0;
      const times = symbol === 16 ? this.take(2) + 3 : symbol === 17 ? this.take(3) + 3 : this.take(7) + 11;
      if (at + times > all.length) throw damaged("more code lengths than codes", this.position);
      all.fill(repeated, at, (at += times));
    }
    if (all[256] === 0) throw damaged("a block without an end", this.position);
    return [
      makeCodes(all.subarray(0, lengths), this.position, "single"),
      makeCodes(all.subarray(lengths), this.position, "single"),
    ];
  }

  /** Decodes to the block's end; false when the output is full before. The hot loop: fields live in locals. */
  codes(): boolean {
    const { fast: lengthFast } = this.#lengths;
    const { fast: distanceFast } = this.#distances;
    const bytes = this.#bytes;
    const out = this.#out;
    const full = WINDOW + PIECE;
    let at = this.#at;
    let hold = this.#hold;
    let held = this.#held;
    let length = this.#length;
    let done = false;

    while (length < full) {
      while (held < 20) {
        hold |= bytes[at++]! << held;
        held += 8;
      }
      let entry = lengthFast[hold & ((1 << FAST) - 1)]!;
      if (entry === 0) entry = longCode(this.#lengths, hold, at);
      hold >>>= entry & 15;
      held -= entry & 15;
      const symbol = entry >> 4;
      if (symbol < 256) {
        out[length++] = symbol;
        continue;
      }
      if (symbol === 256) {
        done = true;
        break;
      }
      if (symbol > 285) throw damaged("a length that does not exist", at);
      const extra = lengthExtra[symbol - 257]!;
      const count = lengthBase[symbol - 257]! + (hold & ((1 << extra) - 1));
      hold >>>= extra;
      held -= extra;

      while (held < 15) {
        hold |= bytes[at++]! << held;
        held += 8;
      }
      entry = distanceFast[hold & ((1 << FAST) - 1)]!;
      if (entry === 0) entry = longCode(this.#distances, hold, at);
      hold >>>= entry & 15;
      held -= entry & 15;
      if (entry >> 4 > 29) throw damaged("a distance that does not exist", at);
      const distanceBits = distanceExtra[entry >> 4]!;
      while (held < distanceBits) {
        hold |= bytes[at++]! << held;
        held += 8;
      }
      const distance = distanceBase[entry >> 4]! + (hold & ((1 << distanceBits) - 1));
      hold >>>= distanceBits;
      held -= distanceBits;
      if (distance > length) throw damaged("a distance to before the start", at);
      for (const end = length + count; length < end; length++) out[length] = out[length - distance]!;
    }

    this.#at = at;
    this.#hold = hold;
    this.#held = held;
    this.#length = length;
    // Bytes past the end read as 0: where such a bit was used, the stream was cut.
    if (this.position > bytes.length) throw truncated(bytes.length);
    return done;
  }

  #symbol(codes: Codes): number {
    // Near the end of the input fewer bits than the longest code may be left, and be enough.
    while (this.#held < LONGEST && this.#at < this.#bytes.length) {
      this.#hold |= this.#bytes[this.#at++]! << this.#held;
      this.#held += 8;
    }
    const entry = codes.fast[this.#hold & ((1 << FAST) - 1)]! || longCode(codes, this.#hold, this.position);
    if ((entry & 15) > this.#held) throw truncated(this.#bytes.length);
    this.take(entry & 15);
    return entry >> 4;
  }
}

/** A code of more than `FAST` bits, bit by bit: they are rare. */
function longCode(codes: Codes, hold: number, at: number): number {
  let code = 0;
  let first = 0;
  let index = 0;
  for (let length = 1; length <= LONGEST; length++) {
    code |= (hold >>> (length - 1)) & 1;
    const count = codes.count[length]!;
    if (code - first < count) return (codes.symbols[index + code - first]! << 4) | length;
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  throw damaged("a code that does not exist", at);
}

/** Codes from the lengths of each symbol's code. Zlib's rule: only an alphabet of one code may leave codes unused. */
function makeCodes(lengths: Uint8Array, at: number, unused: "complete" | "single"): Codes {
  const count = new Uint16Array(LONGEST + 1);
  for (const length of lengths) count[length]!++;
  count[0] = 0;
  let left = 1;
  let used = 0;
  const offsets = new Uint16Array(LONGEST + 2);
  for (let length = 1; length <= LONGEST; length++) {
    left = left * 2 - count[length]!;
    if (left < 0) throw damaged("more codes than fit", at);
    used += count[length]!;
    offsets[length + 1] = used;
  }
  const single = used === 0 || (used === 1 && count[1] === 1);
  if (left > 0 && !(unused === "single" && single)) throw damaged("codes that are missing", at);

  const symbols = new Uint16Array(used);
  const fast = new Uint16Array(1 << FAST);
  const next = nextCodes(count);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    symbols[offsets[length]!++] = symbol;
    const code = next[length]!++;
    if (length > FAST) continue;
    for (let bits = reverse(code, length); bits < fast.length; bits += 1 << length) fast[bits] = (symbol << 4) | length;
  }
  return { fast, count, symbols };
}

function nextCodes(count: Uint16Array): Uint16Array {
  const next = new Uint16Array(LONGEST + 2);
  for (let length = 1; length <= LONGEST; length++) next[length + 1] = (next[length]! + count[length]!) << 1;
  return next;
}

/** Codes are packed from their highest bit, everything else from its lowest. */
function reverse(code: number, length: number): number {
  let reversed = 0;
  for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
  return reversed;
}

function damaged(what: string, at: number): VoxnormError {
  return new VoxnormError("BadGzip", `the compressed data are damaged: ${what}, near byte ${at}`, { at });
}

function truncated(size: number): VoxnormError {
  return new VoxnormError("Truncated", `the compressed data end after ${size} bytes, before their own end`, { size });
}

const lengthBase = Uint16Array.of(
  ...[3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227],
  258,
);
const lengthExtra = Uint8Array.of(
  ...[0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0],
);
const distanceBase = Uint16Array.of(
  ...[1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097],
  ...[6145, 8193, 12289, 16385, 24577],
);
const distanceExtra = Uint8Array.of(
  ...[0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13],
);
const fixedLengths = makeCodes(
  Uint8Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
  0,
  "complete",
);
const fixedDistances = makeCodes(new Uint8Array(32).fill(5), 0, "complete");
