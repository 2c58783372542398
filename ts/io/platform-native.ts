/** The native backend's platform: zlib-rs on all its threads, off the main thread. */
import type { Backend } from "../backend/backend.ts";
import { type Platform, packing } from "./platform.ts";

export function nativePlatform(backend: Backend, signal?: AbortSignal): Platform {
  const call = { phase: "run", signal } as const;
  return {
    async *inflate(bytes, start, most) {
      const request = { start, most: Math.min(most, Number.MAX_SAFE_INTEGER) };
      const { json, buffers } = await backend.run({ step: "deflate.unpack", request, buffers: { bytes }, ...call });
      yield buffers.content as Uint8Array;
      return json as { end: number; crc: number };
    },

    async deflate(parts, level) {
      const request = packing(level);
      const { json, buffers } = await backend.run({
        step: "deflate.pack",
        request,
        buffers: Object.fromEntries(parts.entries()),
        ...call,
      });
      return { pieces: Object.values(buffers) as Uint8Array[], crc: json.crc as number };
    },
  };
}
