/**
 * The WebAssembly backend: one worker, one call at a time, never on the caller's thread.
 *
 * Ending the worker is how a call is cancelled and how a trapped instance is got rid of; the next call starts
 * another one, quickly, since the module is compiled once here and handed over. What the worker needs of the
 * platform is a `Host`: `wasm-node.ts` or `wasm-browser.ts`.
 */
import { VoxnormError } from "../errors.ts";
import type { Backend, Call, Catalog, Progress, Reply } from "./backend.ts";
import { cancelled, chooseSimd, closed, parseCatalog } from "./common.ts";
import type { Settings } from "./load.ts";
import type { Answer, Request } from "./worker.ts";

export interface Host {
  compile(): Promise<WebAssembly.Module>;
  /** Starts a worker; `onFailure` may be called more than once, and also after `end`. */
  spawn(onMessage: (answer: Answer) => void, onFailure: (reason: string) => void): Port;
}

export interface Port {
  post(request: Request): void;
  /** Whether the worker has work that the process should wait for. */
  hold(isBusy: boolean): void;
  /** Ends the worker, whatever it does. */
  end(): Promise<void>;
}

/** Throws any error where the module or the worker cannot be started. */
export async function loadWasm(host: Host, { simd }: Settings): Promise<Backend> {
  const module = await host.compile();
  const start = () => Instance.start(host, module);
  // Started now rather than by the first call: whether a worker runs here is part of whether this backend loads.
  const instance = await start();
  try {
    const catalog = parseCatalog(instance.catalog);
    return new WasmBackend(start, instance, catalog, chooseSimd("wasm", catalog, simd));
  } catch (error) {
    await instance.end();
    throw error;
  }
}

class WasmBackend implements Backend {
  readonly name = "wasm";
  readonly simd: string;
  readonly threads = 1;
  readonly catalog: Catalog;
  readonly #start: () => Promise<Instance>;
  #instance: Instance;
  /** Settles when the calls so far have. */
  #queue: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(start: () => Promise<Instance>, instance: Instance, catalog: Catalog, simd: string) {
    this.#start = start;
    this.#instance = instance;
    this.catalog = catalog;
    this.simd = simd;
  }

  async run(call: Call): Promise<Reply> {
    this.#throwIfStopped(call);
    const reply = this.#queue.then(() => this.#perform(call));
    this.#queue = reply.catch(() => {});
    return await unlessCancelled(reply, call);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#instance.end();
    await this.#queue;
    // A call may have been waiting for a new worker meanwhile.
    await this.#instance.end();
  }

  async #perform(call: Call): Promise<Reply> {
    this.#throwIfStopped(call);
    const instance = await this.#usable(call);
    const end = () => void instance.end();
    call.signal?.addEventListener("abort", end, { once: true });
    try {
      this.#throwIfStopped(call);
      return await instance.run(call, this.simd);
    } catch (error) {
      // That its worker was ended is how a call is stopped.
      this.#throwIfStopped(call);
      throw error;
    } finally {
      call.signal?.removeEventListener("abort", end);
    }
  }

  async #usable({ step }: Call): Promise<Instance> {
    if (!this.#instance.isEnded) return this.#instance;
    try {
      return (this.#instance = await this.#start());
    } catch (error) {
      throw broken(step, (error as Error).message, error);
    }
  }

  #throwIfStopped(call: Call): void {
    if (call.signal?.aborted) throw cancelled(call);
    if (this.#isClosed) throw closed(call);
  }
}

/** A worker with a running module. */
class Instance {
  readonly catalog: string;
  readonly #port: Port;
  readonly #channel: Channel;

  private constructor(port: Port, channel: Channel, catalog: string) {
    this.#port = port;
    this.#channel = channel;
    this.catalog = catalog;
    port.hold(false);
  }

  static async start(host: Host, module: WebAssembly.Module): Promise<Instance> {
    const channel = new Channel();
    const port = host.spawn(channel.onMessage, channel.onFailure);
    try {
      const answer = await channel.next(() => port.post({ kind: "start", module }));
      if (answer.kind === "ready") return new Instance(port, channel, answer.catalog);
      throw new Error(answer.kind === "trap" ? answer.message : `the worker answered ${answer.kind}`);
    } catch (error) {
      await port.end();
      throw error;
    }
  }

  get isEnded(): boolean {
    return this.#channel.isBroken;
  }

  async run(call: Call, simd: string): Promise<Reply> {
    this.#port.hold(true);
    try {
      const answer = await this.#ask(call, simd);
      if (answer.kind === "error") throw VoxnormError.parse(answer.json);
      if (answer.kind !== "reply") throw broken(call.step, answer.kind === "trap" ? answer.message : answer.kind);
      return {
        json: JSON.parse(answer.json),
        buffers: Object.fromEntries(answer.names.map((name, i) => [name, answer.buffers[i]!])),
      };
    } finally {
      this.#port.hold(false);
    }
  }

  async end(): Promise<void> {
    this.#channel.onFailure("the worker was ended");
    await this.#port.end();
  }

  /** The worker's answer; ends the worker where it can give no other. */
  async #ask({ step, phase, request, buffers, onProgress }: Call, simd: string): Promise<Answer> {
    const message: Request = {
      kind: "call",
      step,
      phase,
      request: JSON.stringify(request),
      names: Object.keys(buffers),
      buffers: Object.values(buffers),
      simd,
      wantsProgress: onProgress !== undefined,
    };
    try {
      const answer = await this.#channel.next(() => this.#port.post(message), onProgress);
      if (answer.kind === "trap") await this.end();
      return answer;
    } catch (error) {
      await this.end();
      throw broken(step, (error as Error).message, error);
    }
  }
}

/** The messages of one worker as a promise at a time: the call's answer, or why there will be none. */
class Channel {
  #failure: string | undefined;
  #settle: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  #onProgress: ((progress: Progress) => void) | undefined;

  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  next(post: () => void, onProgress?: (progress: Progress) => void): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      if (this.#failure !== undefined) throw new Error(this.#failure);
      post();
      this.#settle = { resolve, reject };
      this.#onProgress = onProgress;
    });
  }

  readonly onMessage = (answer: Answer): void => {
    if (answer.kind === "progress") this.#onProgress?.(JSON.parse(answer.json));
    else this.#done()?.resolve(answer);
  };

  readonly onFailure = (reason: string): void => {
    this.#failure ??= reason;
    this.#done()?.reject(new Error(reason));
  };

  #done() {
    const settle = this.#settle;
    this.#settle = this.#onProgress = undefined;
    return settle;
  }
}

function broken(step: string, reason: string, cause?: unknown): VoxnormError {
  // The engine calls every trap the same; without a panic's message the likeliest is an allocation that failed.
  const hint = /unreachable/.test(reason) ? " (a WebAssembly instance has 4 GiB at most: is the image too large?)" : "";
  return new VoxnormError("Internal", `${step}: the WebAssembly instance stopped: ${reason}${hint}`, { step }, cause);
}

/** The promise, or `Cancelled` as soon as the signal fires: a call that waits its turn is let go at once. */
function unlessCancelled<T>(promise: Promise<T>, call: Call): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(cancelled(call));
    call.signal?.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => call.signal?.removeEventListener("abort", stop));
  });
}
