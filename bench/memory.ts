/** What memory allows: copying an image, on some threads. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** Another thread's part: it sleeps until it is told a turn, copies and says so. */
const helper = `
const { workerData: { from, to, state } } = require("node:worker_threads");
require("node:worker_threads").parentPort.postMessage("ready");
for (let turn = 0; ; turn++) {
  Atomics.wait(state, 0, turn);
  if (Atomics.load(state, 0) < 0) break;
  to.set(from);
  Atomics.add(state, 1, 1);
  Atomics.notify(state, 1);
}
`;

interface Part {
  readonly from: Float32Array;
  readonly to: Float32Array;
}

export class Copier {
  readonly threads: number;
  readonly #own: Part;
  readonly #helpers: readonly Worker[];
  /** The turn, and how many helpers' copies are done. */
  readonly #state: Int32Array;

  static async start(voxels: number, threads: number): Promise<Copier> {
    const [from, to] = [shared(voxels), shared(voxels).fill(1)];
    const state = new Int32Array(new SharedArrayBuffer(8));
    const size = Math.ceil(voxels / threads);
    const parts = Array.from({ length: threads }, (_, i) => ({
      from: from.subarray(i * size, (i + 1) * size),
      to: to.subarray(i * size, (i + 1) * size),
    }));
    const helpers = parts.slice(1).map((part) => new Worker(helper, { eval: true, workerData: { ...part, state } }));
    for (const each of helpers) await once(each, "message");
    return new Copier(threads, parts[0]!, helpers, state);
  }

  private constructor(threads: number, own: Part, helpers: readonly Worker[], state: Int32Array) {
    this.threads = threads;
    this.#own = own;
    this.#helpers = helpers;
    this.#state = state;
  }

  /** Milliseconds of one copy. */
  ms(): number {
    const [start, state] = [performance.now(), this.#state];
    Atomics.add(state, 0, 1);
    Atomics.notify(state, 0);
    this.#own.to.set(this.#own.from);
    const all = this.#helpers.length * state[0]!;
    for (let done = Atomics.load(state, 1); done < all; done = Atomics.load(state, 1)) Atomics.wait(state, 1, done);
    return performance.now() - start;
  }

  async close(): Promise<void> {
    Atomics.store(this.#state, 0, -1);
    Atomics.notify(this.#state, 0);
    await Promise.all(this.#helpers.map((each) => each.terminate()));
  }
}

function shared(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * length));
}
