/** The native backend's platform: zlib-rs on all its threads, off the main thread. */
import type { Backend } from "../backend/backend.ts";
import { cut } from "./bytes.ts";
import { inChunks, type Platform } from "./platform.ts";

/** Enough that a thread that is done early has another to take, and that few wait for the last of a turn. */
const chunksPerThread = 4;

export function nativePlatform(backend: Backend, signal?: AbortSignal): Platform {
  const call = { phase: "run", signal } as const;
  return {
    async *inflate(bytes, start, most) {
      const request = { start, most: Math.min(most, Number.MAX_SAFE_INTEGER) };
      const { json, buffers } = await backend.run({ step: "deflate.unpack", request, buffers: { bytes }, ...call });
      yield buffers.content as Uint8Array;
      return json as { end: number; crc: number };
    },

    /** The next pieces are packed while the caller has the last ones, which are all that is held. */
    async *deflate(parts, packing) {
      const own = inChunks(packing);
      const turns = cut(parts, chunksPerThread * backend.threads * own.chunk);
      const pack = (index: number, crc: number) => {
        const request = { ...own, last: index === turns.length - 1, crc };
        const reply = backend.run({ step: "deflate.pack", request, buffers: { bytes: turns[index]! }, ...call });
        // Nobody may wait for it any more: a full disk ends the writing.
        reply.catch(() => {});
        return reply;
      };
      let [crc, next] = [0, pack(0, 0)];
      try {
        for (const index of turns.keys()) {
          const { json, buffers } = await next;
          crc = json.crc as number;
          if (index + 1 < turns.length) next = pack(index + 1, crc);
          yield* Object.values(buffers) as Uint8Array[];
        }
        return crc;
      } finally {
        await next.catch(() => {});
      }
    },
  };
}
