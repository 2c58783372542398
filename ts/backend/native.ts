/**
 * The native backend: the addon, called with the caller's own arrays.
 *
 * Each call runs on threads of its own, so calls overlap and the event loop stays free. Nothing is copied in; a
 * cancelled call settles once Rust has let go of its arrays, which takes milliseconds, and not before.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { VoxnormError } from "../errors.ts";
import type { Backend, Buffers, Call, Catalog, Progress, Reply } from "./backend.ts";
import { cancelled, chooseSimd, closed, parseCatalog } from "./common.ts";
import type { Settings } from "./load.ts";

/** Throws any error where the file at `url` is not there or not ours. */
export async function loadNative(url: URL, { threads, simd }: Settings): Promise<Backend> {
  const path = fileURLToPath(url);
  if (!existsSync(path)) throw new Error(`${path} does not exist`);
  const addon = createRequire(import.meta.url)(path) as Partial<Addon>;
  if (!isAddon(addon)) throw new Error(`${path} is not voxnorm's addon or is of another version`);
  const catalog = parseCatalog(addon.catalog());
  return new NativeBackend(addon, catalog, chooseSimd("native", catalog, simd), threads ?? availableParallelism());
}

/** What `bindings/node` exports. */
interface Addon {
  catalog(): string;
  CancelToken: new () => { cancel(): void };
  release(buffer: ArrayBufferLike): void;
  run(
    step: string,
    phase: string,
    request: string,
    names: string[],
    buffers: Buffers[string][],
    intoNames: string[],
    into: Float32Array[],
    threads: number,
    simd: string,
    token: { cancel(): void },
    onProgress?: (json: string) => void,
  ): Promise<{ json: string; names: string[]; buffers: Buffers[string][] }>;
}

function isAddon(addon: Partial<Addon>): addon is Addon {
  return [addon.catalog, addon.run, addon.release, addon.CancelToken].every((part) => typeof part === "function");
}

class NativeBackend implements Backend {
  readonly name = "native";
  readonly hasDeflate = true;
  readonly simd: string;
  readonly threads: number;
  readonly catalog: Catalog;
  readonly #addon: Addon;
  readonly #running = new Map<Promise<Reply>, { cancel(): void }>();
  #isClosed = false;

  constructor(addon: Addon, catalog: Catalog, simd: string, threads: number) {
    this.#addon = addon;
    this.catalog = catalog;
    this.simd = simd;
    this.threads = threads;
  }

  async run(call: Call): Promise<Reply> {
    this.#throwIfStopped(call);
    const token = new this.#addon.CancelToken();
    const reply = this.#start(call, token);
    this.#running.set(reply, token);
    try {
      return await reply;
    } finally {
      this.#running.delete(reply);
    }
  }

  release(array: Uint8Array): void {
    this.#addon.release(array.buffer);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const token of this.#running.values()) token.cancel();
    await Promise.allSettled(this.#running.keys());
  }

  async #start(call: Call, token: { cancel(): void }): Promise<Reply> {
    const stop = () => token.cancel();
    call.signal?.addEventListener("abort", stop, { once: true });
    // An event may still be on its way when the promise settles; and nobody waits for those of a stopped call.
    let isSettled = false;
    const isOver = () => isSettled || this.#isClosed || call.signal?.aborted === true;
    const { onProgress } = call;
    const tell = onProgress && ((json: string) => isOver() || onProgress(JSON.parse(json) as Progress));
    try {
      const { step, phase, request, into = {} } = call;
      const given = [Object.keys(call.buffers), Object.values(call.buffers)] as const;
      const lent = [Object.keys(into), Object.values(into)] as const;
      const json = JSON.stringify(request);
      const reply = await this.#addon.run(step, phase, json, ...given, ...lent, this.threads, this.simd, token, tell);
      // A service that is done before it looks at the token has been cancelled all the same.
      this.#throwIfStopped(call);
      return {
        json: JSON.parse(reply.json),
        // What came in an array of its own is in none of `into`.
        buffers: { ...into, ...Object.fromEntries(reply.names.map((name, i) => [name, reply.buffers[i]!])) },
      };
    } catch (error) {
      this.#throwIfStopped(call);
      throw error instanceof VoxnormError ? error : VoxnormError.parse(String((error as Error).message));
    } finally {
      isSettled = true;
      call.signal?.removeEventListener("abort", stop);
    }
  }

  #throwIfStopped(call: Call): void {
    if (call.signal?.aborted) throw cancelled(call);
    if (this.#isClosed) throw closed(call);
  }
}
