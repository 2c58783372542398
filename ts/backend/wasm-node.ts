/** The WebAssembly backend's host in Node: worker threads, and the modules from files. */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Host } from "./wasm.ts";

export function nodeHost(module: URL, threadedModule: URL, script: URL): Host {
  return {
    compile: async () => WebAssembly.compile(await readFile(module)),
    compileThreaded: async () => WebAssembly.compile(await readFile(threadedModule)),
    cores: availableParallelism,
    whyNotShared: () => undefined,
    allocate: (bytes) => Buffer.allocUnsafeSlow(bytes).buffer,
    spawn(onMessage, onFailure) {
      // Without the parent's flags: a loader given to it need not exist for, or suit, the worker.
      const worker = new Worker(script, { execArgv: [] });
      worker.on("message", onMessage);
      worker.on("messageerror", (error) => onFailure(error.message));
      worker.on("error", (error) => onFailure(error instanceof Error ? error.message : String(error)));
      worker.on("exit", (code) => onFailure(`the worker exited with code ${code}`));
      return {
        post: (request, transfer) => worker.postMessage(request, transfer),
        // An idle worker must not keep the process alive; one that computes must.
        hold: (isBusy) => (isBusy ? worker.ref() : worker.unref()),
        end: async () => void (await worker.terminate()),
      };
    },
  };
}
