/**
 * Gzip (RFC 1952): headers, members and checksums; the deflate streams within are the platform's.
 *
 * Every CRC and length is checked. Several members are read as one; what is no member after the last trailer is
 * junk, which is ignored with a warning.
 *
 * What we write has no name and no time, so that the same voxels always give the same bytes.
 */
import { VoxnormError } from "../errors.ts";
import { crc32 } from "./crc32.ts";
import type { Packing, Pieces, Platform } from "./platform.ts";
import type { Warn } from "./warnings.ts";

export function isGzip(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x1f && bytes[at + 1] === 0x8b;
}

/**
 * What all members of `bytes` decode to, in pieces, until there are `most` bytes or all. Throws `Truncated` or `BadGzip`,
 * for checksums and lengths only where the end of a member is reached.
 */
export async function* members(
  bytes: Uint8Array,
  most: number,
  platform: Platform,
  warn: Warn,
): AsyncGenerator<Uint8Array, void> {
  let at = 0;
  let left = most;
  do {
    const pieces = platform.inflate(bytes, endOfHeader(bytes, at), left);
    let size = 0;
    try {
      for (;;) {
        const { done, value } = await pieces.next();
        if (done) {
          checkTrailer(bytes, value.end, value.crc, size);
          at = value.end + 8;
          break;
        }
        yield value;
        size += value.length;
        left -= value.length;
        if (left <= 0) return;
      }
    } finally {
      await pieces.return({ end: 0, crc: 0 });
    }
  } while (isGzip(bytes, at) && bytes[at + 2] === 8);
  const junk = bytes.length - at;
  if (junk > 0) warn("JunkAfterGzip", `${junk} bytes behind the gzip stream were ignored`);
}

/** One member, whose bytes depend on nothing but `parts`, `packing` and the platform's deflate. */
export async function* gzip(parts: Pieces, platform: Platform, packing: Packing): AsyncGenerator<Uint8Array, void> {
  const unknownSystem = 255;
  yield Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, unknownSystem);
  const crc = yield* platform.deflate(parts, packing);
  const trailer = new DataView(new ArrayBuffer(8));
  trailer.setUint32(0, crc, true);
  trailer.setUint32(4, parts.reduce((sum, part) => sum + part.length, 0) % 2 ** 32, true);
  yield new Uint8Array(trailer.buffer);
}

const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 };

/** Where the member's header ends and its deflate stream begins. */
function endOfHeader(bytes: Uint8Array, start: number): number {
  const need = (end: number) => {
    if (end > bytes.length) throw cut("header", bytes.length);
    return end;
  };
  let at = need(start + 10);
  const flags = bytes[start + 3]!;
  if (bytes[start + 2] !== 8) {
    throw new VoxnormError("BadGzip", `gzip: expected method 8 (deflate), got ${bytes[start + 2]}`);
  }
  if (flags & FLAG.reserved) throw new VoxnormError("BadGzip", `gzip: flags that do not exist: ${flags}`, { flags });
  if (flags & FLAG.extra) {
    need(at + 2);
    at = need(at + 2 + (bytes[at]! | (bytes[at + 1]! << 8)));
  }
  for (const text of [FLAG.name, FLAG.comment]) {
    if (!(flags & text)) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) throw cut("header", bytes.length);
    at = end + 1;
  }
  if (flags & FLAG.headerCrc) {
    const expected = crc32(bytes.subarray(start, at)) & 0xffff;
    need(at + 2);
    const found = bytes[at]! | (bytes[at + 1]! << 8);
    if (found !== expected) throw new VoxnormError("BadGzip", "gzip: the checksum of the header is wrong");
    at += 2;
  }
  return at;
}

function checkTrailer(bytes: Uint8Array, at: number, crc: number, size: number): void {
  if (at + 8 > bytes.length) throw cut("trailer", bytes.length);
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + at, 8);
  const storedCrc = trailer.getUint32(0, true);
  const storedSize = trailer.getUint32(4, true);
  if (storedCrc !== crc) {
    const message = `gzip: expected the checksum ${hex(storedCrc)}, got ${hex(crc)}: the content is damaged`;
    throw new VoxnormError("BadGzip", message, { expected: storedCrc, found: crc });
  }
  if (storedSize !== size % 2 ** 32) {
    const message = `gzip: expected ${storedSize} bytes of content, got ${size}`;
    throw new VoxnormError("BadGzip", message, { expected: storedSize, found: size });
  }
}

function cut(where: string, size: number): VoxnormError {
  return new VoxnormError("Truncated", `gzip: the file ends after ${size} bytes, within the ${where}`, { size });
}

const hex = (value: number) => value.toString(16).padStart(8, "0");
