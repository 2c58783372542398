/** The backend that a browser can load: WebAssembly in workers. */
import type { Backend, BackendOptions } from "./backend.ts";
import { type Attempt, loadBackend } from "./load.ts";
import { loadWasm } from "./wasm.ts";
import { browserHost } from "./wasm-browser.ts";

export type { Backend, BackendOptions } from "./backend.ts";

const attempts: Attempt[] = [
  {
    name: "wasm",
    remedy:
      "use a browser with WebAssembly SIMD (any since 2023), serve voxnorm_bg.wasm and the worker beside the " +
      "code, and allow them where the page has a Content-Security-Policy: script-src 'wasm-unsafe-eval', worker-src",
    load: (settings) => loadWasm(browserHost, settings),
  },
];

/** The WebAssembly backend; on one thread unless the page is cross-origin isolated, see `docs/design/threads.md`. */
export function createBackend(options?: BackendOptions): Promise<Backend> {
  return loadBackend(attempts, options);
}
