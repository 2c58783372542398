/** `-` in place of a file: stdin and stdout, so that the command has its place between pipes. */
import { addAbortSignal } from "node:stream";
import { VoxnormError } from "../errors.ts";
import { GrowingBytes } from "../io/bytes.ts";
import {
  type DecodeOptions,
  decodeAll,
  decodeMasks,
  expectBytes,
  limitsOf,
  readMasks,
  readVolumes,
} from "../io/index-node.ts";
import type { Mask, Volume } from "../volume.ts";

export const dash = "-";

/** The volumes in a file, or in stdin where `path` is `-`. */
export async function readFrom(path: string, options: DecodeOptions): Promise<Volume[]> {
  if (path !== dash) return readVolumes(path, options);
  return decodeAll(await stdin(options), { source: "stdin", ...options });
}

/** As `readFrom`, of masks. */
export async function readMasksFrom(path: string, options: DecodeOptions): Promise<Mask[]> {
  if (path !== dash) return readMasks(path, options);
  return decodeMasks(await stdin(options), { source: "stdin", ...options });
}

/** All of stdin. Throws `TooLarge` as soon as there is more than the limit. */
async function stdin({ signal, limits }: DecodeOptions): Promise<Uint8Array> {
  if (process.stdin.isTTY) throw new VoxnormError("BadOption", `${dash}: expected a pipe or a file, got a terminal`);
  const most = limitsOf({ limits });
  const held = new GrowingBytes();
  try {
    for await (const piece of signal ? addAbortSignal(signal, process.stdin) : process.stdin) {
      expectBytes(held.length + piece.length, most, "stdin");
      held.append(piece, Infinity);
    }
    return held.bytes;
  } catch (cause) {
    if (cause instanceof VoxnormError) throw cause;
    if (signal?.aborted) throw new VoxnormError("Cancelled", "interrupted while stdin was read", {}, cause);
    throw new VoxnormError("ReadFailed", `stdin: could not be read: ${(cause as Error).message}`, {}, cause);
  }
}

/** Throws `BadOption` where a stream would be used twice. */
export function expectOneStream(inputs: readonly string[], outputs: readonly string[] = []): void {
  for (const [what, paths] of Object.entries({ "stdin for one input": inputs, "stdout for one output": outputs })) {
    const count = paths.filter((path) => path === dash).length;
    if (count > 1) throw new VoxnormError("BadOption", `${dash}: expected ${what} at most, got it for ${count}`);
  }
}

/** Throws what can be foreseen: nobody wants to see voxels. */
export function expectPipe(): void {
  if (process.stdout.isTTY) throw new VoxnormError("BadOption", `${dash}: expected a pipe or a file, got a terminal`);
}

/** Settles once all is taken. Throws `WriteFailed` where the reader has gone. */
export async function writeStdout(bytes: Uint8Array): Promise<void> {
  const failed = (cause: Error) =>
    new VoxnormError("WriteFailed", `stdout: could not be written: ${cause.message}`, {}, cause);
  await new Promise<void>((resolve, reject) => {
    // Emitted besides the callback's error, and deadly where nobody listens.
    process.stdout.once("error", (cause) => reject(failed(cause)));
    process.stdout.write(bytes, (cause) => (cause ? reject(failed(cause)) : resolve()));
  });
}
