/**
 * The WebAssembly backend's host in a browser: a module worker, and the module from where this code was served.
 *
 * Both addresses are written out in full as `new URL(…, import.meta.url)`, the form by which bundlers find the
 * files to ship. They name what stands beside the compiled file, hence `.js`.
 */
import type { Host } from "./wasm.ts";

export const browserHost: Host = {
  async compile() {
    const response = await fetch(new URL("../wasm/voxnorm_bg.wasm", import.meta.url));
    if (!response.ok) throw new Error(`${response.url}: ${response.status} ${response.statusText}`);
    // Not `compileStreaming`: it insists on a media type that plain file servers may not send.
    return WebAssembly.compile(await response.arrayBuffer());
  },
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
      post: (request) => worker.postMessage(request),
      hold: () => {},
      end: async () => worker.terminate(),
    };
  },
};
