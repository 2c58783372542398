/** How much memory jobs take, estimated from what the headers of their inputs declare. */
import { existsSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { constants, gunzipSync } from "node:zlib";
import { isGzip } from "../io/gzip.ts";
import { formats } from "../io/index.ts";
import { pairOf, spellings } from "../io/nifti-pair.ts";
import type { Room } from "./jobs.ts";
import type { Job } from "./names.ts";

/** A volume is held as voxels and as the bytes of its file: 4 bytes a voxel each. */
const bytesAVoxel = 8;
/** Enough of a file to hold its header, compressed or not. */
const head = 64 * 1024;

/** Jobs may take `megabytes` together, or half of the memory that is free. */
export function room(megabytes: number | undefined): Room<Job> {
  const budget = megabytes === undefined ? process.availableMemory() / 2 : megabytes * 1e6;
  return { budget, cost: memoryOf };
}

/** Bytes for all files that a job reads and writes, each of the input's size. Infinite where no header tells. */
export async function memoryOf({ input, inputs, outputs }: Job): Promise<number> {
  const files = 2 + Object.keys(inputs).length + Object.keys(outputs).length;
  return files * bytesAVoxel * ((await declaredVoxels(input)) ?? Number.POSITIVE_INFINITY);
}

/** How many voxels a file's header declares; nothing where that cannot be told. What is wrong with it, reading it says. */
export async function declaredVoxels(path: string): Promise<number | undefined> {
  try {
    const pair = pairOf(path);
    const header = pair === undefined ? path : (spellings(pair.hdr).find((name) => existsSync(name)) ?? path);
    // Of a pipe, what is read would be gone.
    if (!(await stat(header)).isFile()) return undefined;
    const start = await beginning(header);
    return formats.find((format) => format.recognises(start))?.declaredVoxels(start, pair !== undefined);
  } catch {
    return undefined;
  }
}

async function beginning(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(head), 0, head, 0);
    const start = buffer.subarray(0, bytesRead);
    return isGzip(start, 0) ? gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH }) : start;
  } finally {
    await file.close();
  }
}
