/**
 * The WebAssembly backend: one call at a time, never on the caller's thread.
 *
 * One worker takes the calls; with threads, others stand by on the same memory and help it. Ending them all is how a
 * call is cancelled and how a trapped instance is got rid of; the next call starts others, quickly, since the module
 * is compiled once here and handed over. What the workers need of the platform is a `Host`: `wasm-node.ts` or
 * `wasm-browser.ts`.
 */
import { VoxnormError } from "../errors.ts";
import type { Backend, Buffers, Call, Catalog, Progress, Reply } from "./backend.ts";
import { cancelled, chooseSimd, closed, parseCatalog } from "./common.ts";
import type { Settings } from "./load.ts";
import type { Answer, Request } from "./worker.ts";

export interface Host {
  /** The module for one thread. */
  compile(): Promise<WebAssembly.Module>;
  /** The module for several. */
  compileThreaded(): Promise<WebAssembly.Module>;
  /** How many threads can run at once. */
  cores(): number;
  /** Why workers cannot share memory here; undefined where they can. */
  whyNotShared(): string | undefined;
  /** Memory to be written over; what it holds is left to chance. */
  allocate(bytes: number): ArrayBuffer;
  /** Starts a worker; `onFailure` may be called more than once, and also after `end`. */
  spawn(onMessage: (answer: Answer) => void, onFailure: (reason: string) => void): Port;
}

export interface Port {
  post(request: Request, transfer: ArrayBuffer[]): void;
  /** Whether the worker has work that the process should wait for. */
  hold(isBusy: boolean): void;
  /** Ends the worker, whatever it does. */
  end(): Promise<void>;
}

/** A thread is a worker with an engine of its own, which takes megabytes: nobody gets more than this without asking. */
const mostByDefault = 8;

/**
 * On one thread where several cannot be had: the backend says why. Throws any error where not even one worker starts.
 *
 * One thread, too, takes the module for several where it can: arrays are then copied once, into the memory that it
 * shares with us, instead of twice.
 */
export async function loadWasm(host: Host, { threads, simd }: Settings): Promise<Backend> {
  const wanted = threads ?? Math.min(host.cores(), mostByDefault);
  let reason = host.whyNotShared();
  if (reason === undefined) {
    try {
      return await open(host, await host.compileThreaded(), wanted, simd);
    } catch (error) {
      if (error instanceof VoxnormError && error.kind === "call") throw error;
      reason = `the threaded module could not be started: ${(error as Error).message}`;
    }
  }
  return open(host, await host.compile(), undefined, simd, wanted > 1 ? reason : undefined);
}

/** `threads` is undefined for the module whose memory is not shared. */
async function open(
  host: Host,
  module: WebAssembly.Module,
  threads: number | undefined,
  simd: string | undefined,
  reason?: string,
): Promise<Backend> {
  const start = () => Instance.start(host, module, threads);
  // Started now rather than by the first call: whether workers run here is part of whether this backend loads.
  const instance = await start();
  try {
    const catalog = parseCatalog(instance.catalog);
    return new WasmBackend(start, instance, catalog, chooseSimd("wasm", catalog, simd), threads ?? 1, reason);
  } catch (error) {
    await instance.end();
    throw error;
  }
}

class WasmBackend implements Backend {
  readonly name = "wasm";
  readonly simd: string;
  readonly threads: number;
  readonly singleThreadReason: string | undefined;
  readonly catalog: Catalog;
  readonly #start: () => Promise<Instance>;
  #instance: Instance;
  /** Settles when the calls so far have. */
  #queue: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(
    start: () => Promise<Instance>,
    instance: Instance,
    catalog: Catalog,
    simd: string,
    threads: number,
    singleThreadReason: string | undefined,
  ) {
    this.#start = start;
    this.#instance = instance;
    this.catalog = catalog;
    this.simd = simd;
    this.threads = threads;
    this.singleThreadReason = singleThreadReason;
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
    // One worker may have failed alone.
    await this.#instance.end();
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

/** A running module: the worker that takes its calls, and those that help. */
class Instance {
  readonly catalog: string;
  readonly #host: Host;
  readonly #port: Port;
  readonly #channel: Channel;
  readonly #isShared: boolean;
  readonly #helpers: readonly Port[];

  private constructor(
    host: Host,
    port: Port,
    channel: Channel,
    catalog: string,
    isShared: boolean,
    helpers: readonly Port[],
  ) {
    this.#host = host;
    this.#port = port;
    this.#channel = channel;
    this.catalog = catalog;
    this.#isShared = isShared;
    this.#helpers = helpers;
    port.hold(false);
  }

  static async start(host: Host, module: WebAssembly.Module, threads: number | undefined): Promise<Instance> {
    const channel = new Channel();
    const port = host.spawn(channel.onMessage, channel.onFailure);
    const helpers: Port[] = [];
    try {
      const answer = await channel.next(() => port.post({ kind: "start", module, threads }, []));
      if (answer.kind !== "ready") throw unexpected(answer);
      const { catalog, memory } = answer;
      const isShared = threads !== undefined;
      if (isShared) {
        // A helper that fails later on fails the call: its part of the work will never be done.
        const help = () => startHelper(host, module, memory!, helpers, channel.onFailure);
        await Promise.all(Array.from({ length: threads - 1 }, help));
      }
      return new Instance(host, port, channel, catalog, isShared, helpers);
    } catch (error) {
      await Promise.all([port, ...helpers].map((each) => each.end()));
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
        buffers: Object.fromEntries(
          answer.names.map((name, i) => [name, this.#own(answer.buffers[i]!, call.into?.[name])]),
        ),
      };
    } finally {
      this.#port.hold(false);
    }
  }

  async end(): Promise<void> {
    this.#channel.onFailure("the worker was ended");
    await Promise.all([this.#port, ...this.#helpers].map((port) => port.end()));
  }

  /** The worker's answer; ends the worker where it can give no other. */
  async #ask({ step, phase, request, buffers, onProgress }: Call, simd: string): Promise<Answer> {
    const call: Request = {
      kind: "call",
      step,
      phase,
      request: JSON.stringify(request),
      names: Object.keys(buffers),
      simd,
      wantsProgress: onProgress !== undefined,
    };
    try {
      await this.#fill(Object.values(buffers));
      const answer = await this.#channel.next(() => this.#port.post(call, []), onProgress);
      if (answer.kind === "trap") await this.end();
      return answer;
    } catch (error) {
      await this.end();
      throw broken(step, (error as Error).message, error);
    }
  }

  /** Puts the buffers of the next call into the module's memory. */
  async #fill(buffers: Buffers[string][]): Promise<void> {
    // Handed over where memory is not shared: a clone would be copied three times on its way.
    const copies = this.#isShared ? undefined : buffers.map((buffer) => buffer.slice());
    const request: Request = {
      kind: "reserve",
      lengths: Uint32Array.from(buffers, ({ length }) => length),
      sizes: Uint32Array.from(buffers, ({ BYTES_PER_ELEMENT }) => BYTES_PER_ELEMENT),
      buffers: copies,
    };
    const transfer = copies?.map(({ buffer }) => buffer as ArrayBuffer) ?? [];
    const answer = await this.#channel.next(() => this.#port.post(request, transfer));
    if (answer.kind !== "reserved") throw unexpected(answer);
    answer.places?.forEach((place, i) => {
      place.set(buffers[i]!);
    });
  }

  /** An output as the caller's own, in `into` where that is given. */
  #own(buffer: Buffers[string], into: Float32Array | undefined): Buffers[string] {
    if (into !== undefined) {
      into.set(buffer);
      return into;
    }
    if (!this.#isShared) return buffer;
    const memory = this.#host.allocate(buffer.byteLength);
    const own = buffer instanceof Float32Array ? new Float32Array(memory) : new Uint8Array(memory);
    own.set(buffer);
    return own;
  }
}

/** Starts a worker that helps, adds it to `helpers`, and resolves once it does. */
async function startHelper(
  host: Host,
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  helpers: Port[],
  onFailure: (reason: string) => void,
): Promise<void> {
  const channel = new Channel();
  const port = host.spawn(
    (answer) => {
      channel.onMessage(answer);
      if (answer.kind === "trap") onFailure(answer.message);
    },
    (reason) => {
      channel.onFailure(reason);
      onFailure(reason);
    },
  );
  helpers.push(port);
  const answer = await channel.next(() => port.post({ kind: "help", module, memory }, []));
  if (answer.kind !== "helps") throw unexpected(answer);
  port.hold(false);
}

function unexpected(answer: Answer): Error {
  return new Error(answer.kind === "trap" ? answer.message : `the worker answered ${answer.kind}`);
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
