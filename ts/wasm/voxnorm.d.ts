/**
 * What `bindings/wasm` exports, as far as it is used. wasm-pack writes the module itself to
 * `dist/wasm/`, where the compiled code beside it finds it by the same relative path.
 */

export function initSync(options: { module: WebAssembly.Module }): unknown;

/** What this build can do, as JSON. */
export function catalog(): string;

/** Tells `listener` the message of a panic, just before the instance traps. */
export function onPanic(listener: (message: string) => void): void;

/** Returns `[json, names, buffers]`; throws JSON as a string. */
export function run(
  step: string,
  phase: string,
  request: string,
  names: string[],
  buffers: (Float32Array | Uint8Array)[],
  simd: string,
  threads: number,
  onProgress: (json: string) => void,
): [json: string, names: string[], buffers: (Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>)[]];
