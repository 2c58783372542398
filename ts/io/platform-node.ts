/** Node's platform: zlib, off the main thread. */
import { promisify } from "node:util";
import { crc32, createInflateRaw, deflateRaw } from "node:zlib";
import { VoxnormError } from "../errors.ts";
import type { Platform } from "./platform.ts";

const deflate = promisify<Uint8Array, { level: number }, Uint8Array>(deflateRaw);

export const nodePlatform: Platform = {
  async *inflate(bytes, start) {
    const stream = createInflateRaw({ chunkSize: 1 << 20 });
    stream.end(bytes.subarray(start));
    try {
      // The stream pauses while nobody asks for its next piece.
      for await (const piece of stream) yield piece as Uint8Array;
    } catch (cause) {
      throw coded(cause, bytes.length);
    } finally {
      stream.destroy();
    }
    return start + stream.bytesWritten;
  },

  deflate: (bytes, level) => deflate(bytes, { level }),

  crc32: (bytes, previous) => crc32(bytes, previous),
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
