/** Node's platforms: the native backend's, or zlib, off the main thread. */
import { promisify } from "node:util";
import { constants, crc32, createInflateRaw, deflateRaw, type ZlibOptions } from "node:zlib";
import { VoxnormError } from "../errors.ts";
import { cut } from "./bytes.ts";
import { type ChoosePlatform, type Platform, packing } from "./platform.ts";
import { nativePlatform } from "./platform-native.ts";

export const chooseNodePlatform: ChoosePlatform = async (load, signal) => {
  const backend = await load();
  return backend.hasDeflate ? nativePlatform(backend, signal) : nodePlatform;
};

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
  async *deflate(parts, level) {
    const { runs, chunk } = packing(level);
    const strategy = runs ? constants.Z_RLE : constants.Z_DEFAULT_STRATEGY;
    const chunks = cut(parts, chunk);
    const pieces = chunks.map((each, index) => {
      const finishFlush = index === chunks.length - 1 ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
      return deflate(each, { level, strategy, finishFlush });
    });
    for (const piece of pieces) yield await piece;
    return parts.reduce((crc, part) => crc32(part, crc), 0);
  },
};

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
