/**
 * What `bindings/wasm` exports, as far as it is used. wasm-pack writes the module itself to
 * `dist/wasm/`, where the compiled code beside it finds it by the same relative path.
 */

export function initSync(options: { module: WebAssembly.Module }): unknown;

/** What this build can do, as JSON. */
export function catalog(): string;

/** Tells `listener` the message of a panic, just before the instance traps. */
export function onPanic(listener: (message: string) => void): void;

/**
 * Room for the buffers of the next `run`, so many elements of so many bytes (4: floats, 1: bytes): views of the module's
 * memory, to be filled at once. What the last `run` returned is gone.
 */
export function reserve(lengths: Uint32Array, sizes: Uint32Array): (Float32Array | Uint8Array)[];

/** Returns `[json, names, buffers]`, the last being views of the module's memory; throws JSON as a string. */
export function run(
  step: string,
  phase: string,
  request: string,
  names: string[],
  simd: string,
  threads: number,
  onProgress: (json: string) => void,
): [json: string, names: string[], buffers: (Float32Array | Uint8Array)[]];
