/**
 * What `bindings/wasm` exports where it is built for threads, in `dist/wasm-threads/`. Where it could not be built,
 * functions that throw stand there instead.
 */

export { catalog, onPanic, reserve, run } from "../wasm/voxnorm.js";

/** Without a memory it makes one. */
export function initSync(options: { module: WebAssembly.Module; memory?: WebAssembly.Memory }): unknown;

/** Makes the caller the first of `threads`; returns the memory that the others need. */
export function share(threads: number): WebAssembly.Memory;

/** Makes the caller one of the others, and does not return. */
export function serve(): void;
