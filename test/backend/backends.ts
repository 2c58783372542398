/** What the backends' tests share: each backend there is, and calls whose answers are known. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { threadedWasmModule, wasmModule, workerScript } from "../../dist/backend/artefacts.js";
import type { Backend, BackendOptions, Call } from "../../dist/backend/backend.js";
import { createBackend } from "../../dist/backend/load-node.js";
import { loadWasm } from "../../dist/backend/wasm.js";
import { nodeHost } from "../../dist/backend/wasm-node.js";

/** Why the tests of the threaded module do not run; set-up builds it where it can, and says why where it cannot. */
export const threadsSkipReason = existsSync(threadedWasmModule)
  ? undefined
  : "no threaded WebAssembly module: `npm run setup -- --only wasm-threads --force` says why";

/** A backend to test; `memory: "own"` is WebAssembly that cannot share its memory, as on pages that are not isolated. */
export interface Way extends BackendOptions {
  readonly memory?: "own";
}

/** WebAssembly in its own memory, and in memory that is shared on so many threads, where that was built. */
export function wasmOn(threads: readonly number[]): Way[] {
  const shared = threads.map((count) => ({ backend: "wasm" as const, threads: count }));
  return [{ backend: "wasm", threads: 1, memory: "own" }, ...(threadsSkipReason ? [] : shared)];
}

const everyWasm = wasmOn([1, 2]);

/** Native at each instruction set of this processor, and WebAssembly. */
export async function everyBackend(): Promise<Way[]> {
  const native = await createBackend({ backend: "native" });
  return [...native.catalog.simd.map((simd) => ({ backend: "native" as const, simd })), ...everyWasm];
}

export const bothBackends: Way[] = [{ backend: "native" }, ...everyWasm];

export function open(way: Way): Promise<Backend> {
  if (way.memory === undefined) return createBackend(way);
  const host = nodeHost(wasmModule, threadedWasmModule, workerScript);
  return loadWasm({ ...host, whyNotShared: () => "a test has it so" }, { threads: 1, simd: undefined });
}

export async function withBackend<T>(way: Way, use: (backend: Backend) => Promise<T>): Promise<T> {
  const backend = await open(way);
  try {
    return await use(backend);
  } finally {
    await backend.close();
  }
}

export const affine = [
  [2, 0, 0.25, -90],
  [0, -2, 0, 126],
  [-0, 0, 3, -72.5],
];

/** A call of `voxels.digest` over a line of voxels. */
export function digestCall(voxels: Float32Array, more: Partial<Call> = {}): Call {
  const request = { shape: [voxels.length, 1, 1], channels: 1, affine };
  return { step: "voxels.digest", phase: "run", request, buffers: { voxels }, ...more };
}

/** The same digest by Node's own hash, from the layout that `crates/kernels/src/digest.rs` states. */
export function expectedDigest(voxels: Float32Array): string {
  const head = new DataView(new ArrayBuffer(4 * 8 + 12 * 8));
  [voxels.length, 1, 1, 1].forEach((n, i) => {
    head.setBigUint64(i * 8, BigInt(n), true);
  });
  affine.flat().forEach((value, i) => {
    head.setFloat64(32 + i * 8, value === 0 ? 0 : value, true);
  });
  const words = new DataView(new ArrayBuffer(voxels.length * 4));
  for (let i = 0; i < voxels.length; i++) {
    if (Number.isNaN(voxels[i])) words.setUint32(i * 4, 0x7fc00000, true);
    else words.setFloat32(i * 4, voxels[i]!, true);
  }
  return createHash("sha256").update(head).update(words).digest("hex");
}

/** Voxels with something of everything: signs, zeros of both signs, NaN, infinities, subnormals. */
export function oddVoxels(length: number): Float32Array {
  const odd = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-42, -1.5, 3.4e38];
  return Float32Array.from({ length }, (_, i) => (i % 5 === 0 ? odd[(i / 5) % odd.length]! : Math.sin(i) * 1000));
}
