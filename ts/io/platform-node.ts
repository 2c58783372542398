/** Node's platforms: the native backend's, or zlib, off the main thread. */
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { constants, crc32, createInflateRaw, deflateRaw, inflateRawSync, type ZlibOptions } from "node:zlib";
import { VoxnormError } from "../errors.ts";
import { cut } from "./bytes.ts";
import { type ChoosePlatform, inChunks, type Platform } from "./platform.ts";
import { nativePlatform } from "./platform-native.ts";

export const chooseNodePlatform: ChoosePlatform = async (load, signal) => {
  const backend = await load();
  return sparing(backend.hasDeflate ? nativePlatform(backend, signal) : nodePlatform);
};

/** What a member holds that is unpacked on the spot, and how many are before others get their turn. */
const small = { bytes: 1 << 16, turns: 64 };

/**
 * A platform for files of many members: behind a small one they are unpacked on the spot where they are small, too.
 * Starting a thread or a stream for each takes several times as long, with ten thousand in a few kilobytes.
 */
export function sparing(platform: Platform): Platform {
  let turns = 0;
  let wasSmall = false;
  async function* inflate(bytes: Uint8Array, start: number, most: number) {
    const found = wasSmall ? unpacked(bytes.subarray(start), Math.min(most, small.bytes)) : undefined;
    if (found !== undefined) {
      if (++turns % small.turns === 0) await setImmediate();
      yield found.content;
      return { end: start + found.used, crc: crc32(found.content) };
    }
    let size = 0;
    const pieces = platform.inflate(bytes, start, most);
    try {
      for (;;) {
        const { done, value } = await pieces.next();
        if (done) {
          wasSmall = size <= small.bytes;
          return value;
        }
        size += value.length;
        yield value;
      }
    } finally {
      await pieces.return({ end: 0, crc: 0 });
    }
  }
  return { ...platform, inflate };
}

/** What the raw deflate stream decodes to; nothing where that is more than `most` bytes or the stream is no sound one. */
function unpacked(packed: Uint8Array, most: number): { content: Uint8Array; used: number } | undefined {
  try {
    // Types know nothing of `info`.
    const found: unknown = inflateRawSync(packed, { info: true, maxOutputLength: Math.max(most, 1) });
    const { buffer, engine } = found as { buffer: Uint8Array; engine: { bytesWritten: number } };
    return { content: buffer, used: engine.bytesWritten };
  } catch {
    return undefined;
  }
}

const deflate = promisify<Uint8Array, ZlibOptions, Uint8Array>(deflateRaw);

export const nodePlatform: Platform = {
  async *inflate(bytes, start) {
    const stream = createInflateRaw({ chunkSize: 1 << 20 });
    stream.end(bytes.subarray(start));
    let crc = 0;
    try {
      // The stream pauses while nobody asks for its next piece.
      for await (const piece of stream) {
        crc = crc32(piece, crc);
        yield piece as Uint8Array;
      }
    } catch (cause) {
      throw coded(cause, bytes.length);
    } finally {
      stream.destroy();
    }
    return { end: start + stream.bytesWritten, crc };
  },

  /** All chunks at once, on the threads that Node has for it. */
  async *deflate(parts, packing) {
    const { level, words, fast, chunk } = inChunks(packing);
    const chunks = cut(parts, chunk);
    const pieces = chunks.map((each, index) => {
      const byRuns = fast && !(words && hasFewValues(each));
      const strategy = byRuns ? constants.Z_RLE : constants.Z_DEFAULT_STRATEGY;
      const finishFlush = index === chunks.length - 1 ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
      return deflate(each, { level, strategy, finishFlush });
    });
    for (const piece of pieces) yield await piece;
    return parts.reduce((crc, part) => crc32(part, crc), 0);
  },
};

/** How far deflate looks back. */
const WINDOW = 1 << 15;

/**
 * Whether many words of four bytes come again within what deflate looks back: in each of three places of a chunk, by every 32nd
 * word. A value that comes often, such as the background's, counts once.
 */
function hasFewValues(chunk: Uint8Array): boolean {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
  return [1, 2, 3].every((quarter) => {
    const start = Math.floor((quarter * chunk.length) / 4) & ~3;
    const end = Math.min(start + WINDOW, chunk.length - 3);
    const counts = new Map<number, number>();
    for (let at = start; at < end; at += 128) {
      const word = view.getInt32(at);
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const again = [...counts.values()].filter((count) => count > 1).length;
    return 16 * again >= counts.size;
  });
}

function coded(cause: unknown, size: number): unknown {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "Z_BUF_ERROR") {
    const message = `the compressed data end after ${size} bytes, before their own end`;
    return new VoxnormError("Truncated", message, { size }, cause);
  }
  if (code?.startsWith("Z_")) {
    const message = `the compressed data are damaged: ${(cause as Error).message}`;
    return new VoxnormError("BadGzip", message, {}, cause);
  }
  return cause;
}
