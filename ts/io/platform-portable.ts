/**
 * The platform without a platform: everything in JavaScript, the same bytes in every browser.
 *
 * `CompressionStream` is not used: its level cannot be chosen (its default takes seconds on a volume) and its
 * bytes change with the browser. Work is cut into pieces, between which the page gets its turn.
 */
import { Deflate } from "fflate";
import { cut } from "./bytes.ts";
import { crc32 } from "./crc32.ts";
import { inflate } from "./inflate.ts";
import type { Platform } from "./platform.ts";

const PIECE = 1 << 20;

export const portablePlatform: Platform = {
  async *inflate(bytes, start) {
    const pieces = inflate(bytes, start);
    let crc = 0;
    for (;;) {
      const { done, value } = pieces.next();
      if (done) return { end: value, crc };
      crc = crc32(value, crc);
      yield value;
      await turn();
    }
  },

  async *deflate(parts, { level }) {
    let made: Uint8Array[] = [];
    const deflate = new Deflate({ level: level as 1 }, (piece) => made.push(piece));
    let crc = 0;
    const all = cut(parts, PIECE);
    for (const [index, piece] of all.entries()) {
      deflate.push(piece, index === all.length - 1);
      yield* made;
      made = [];
      crc = crc32(piece, crc);
      await turn();
    }
    return crc;
  },
};

/** Lets events be handled; a resolved promise would not. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
