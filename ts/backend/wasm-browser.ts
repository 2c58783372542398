/**
 * The WebAssembly backend's host in a browser: module workers, and the modules from where this code was served.
 *
 * All addresses are written out in full as `new URL(…, import.meta.url)`, the form by which bundlers find the
 * files to ship. They name what stands beside the compiled file, hence `.js`.
 */
import { absence } from "../wasm-threads/absence.js";
import type { Host } from "./wasm.ts";

export const browserHost: Host = {
  compile: () => compile(new URL("../wasm/voxnorm_bg.wasm", import.meta.url)),
  compileThreaded: () => compile(new URL("../wasm-threads/voxnorm_bg.wasm", import.meta.url)),
  cores: () => navigator.hardwareConcurrency,
  whyNotShared() {
    if (absence !== undefined) return `the threaded module was not built: ${absence}`;
    return crossOriginIsolated
      ? undefined
      : "the page is not cross-origin isolated (serve it with Cross-Origin-Opener-Policy: same-origin and " +
          "Cross-Origin-Embedder-Policy: require-corp)";
  },
  allocate: (bytes) => new ArrayBuffer(bytes),
  spawn(onMessage, onFailure) {
    const worker = new Worker(new URL("./worker-browser.js", import.meta.url), { type: "module" });
    worker.onmessage = (event) => onMessage(event.data);
    worker.onmessageerror = () => onFailure("a message could not be read");
    worker.onerror = (event) => {
      event.preventDefault();
      // A script that could not be fetched or was forbidden fails without a message.
      onFailure(event.message || "the worker's script could not be loaded");
    };
    return {
      post: (request, transfer) => worker.postMessage(request, transfer),
      hold: () => {},
      end: async () => worker.terminate(),
    };
  },
};

async function compile(url: URL): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${response.statusText}`);
  // Not `compileStreaming`: it insists on a media type that plain file servers may not send.
  return WebAssembly.compile(await response.arrayBuffer());
}
