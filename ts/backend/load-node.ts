/** The backends that Node can load: the addon, then WebAssembly in worker threads. */
import { addon, platformTriple, threadedWasmModule, wasmModule, workerScript } from "./artefacts.ts";
import type { Backend, BackendOptions } from "./backend.ts";
import { type Attempt, loadBackend } from "./load.ts";
import { loadNative } from "./native.ts";
import { loadWasm } from "./wasm.ts";
import { nodeHost } from "./wasm-node.ts";

export type { Backend, BackendOptions } from "./backend.ts";

/** The fastest backend there is, or the one asked for by `options.backend` or `VOXNORM_BACKEND`. */
export function createBackend(options?: BackendOptions): Promise<Backend> {
  return loadBackend(attempts(), options, process.env);
}

function attempts(): Attempt[] {
  const triple = platformTriple();
  return [
    {
      name: "native",
      remedy: `run \`npm run setup\`, which builds the addon for this platform, ${triple}`,
      load: (settings) => loadNative(addon(triple), settings),
    },
    {
      name: "wasm",
      remedy: "run `npm run setup`, which builds the WebAssembly module",
      load: (settings) => loadWasm(nodeHost(wasmModule, threadedWasmModule, workerScript), settings),
    },
  ];
}
