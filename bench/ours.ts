/** Our own contenders: every instruction set of the native backend with each number of threads, and WebAssembly. */
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Backend, createBackend, digest, type PipelineResult } from "../dist/index.js";
import type { Amount, Volumes } from "./cases/case.ts";
import type { Run } from "./record.ts";

export interface Ours {
  readonly backend: Backend;
  readonly iterations: number;
  /** What is timed, a user's call: voxels in memory in, the full-size image in memory out. */
  call(): Promise<void>;
  /** One timed call, after the memory of the one before is given back. */
  run(): Promise<Run>;
  /** Of the last run's image. */
  digest(): Promise<string>;
}

/** The native backend at each of its instruction sets, widest first, for each number of threads; then WebAssembly with each. */
export async function openBackends(threads: readonly number[]): Promise<Backend[]> {
  const probe = await createBackend({ backend: "native" });
  const levels = [...probe.catalog.simd].reverse();
  await probe.close();
  const backends: Backend[] = [];
  for (const n of threads) {
    for (const simd of levels) backends.push(await createBackend({ backend: "native", threads: n, simd }));
  }
  for (const n of threads) {
    const wasm = await createBackend({ backend: "wasm", threads: n });
    // Where the threaded module was not built, it would be the row of one thread again.
    if (wasm.threads === n) backends.push(wasm);
    else await wasm.close();
  }
  return backends;
}

export function ours(backend: Backend, { iterations, pipeline }: Amount, { image, ...inputs }: Volumes): Ours {
  let last: PipelineResult | undefined;
  const call = async () => {
    last = await pipeline.run(image, { backend, inputs });
  };
  return {
    backend,
    iterations,
    call,
    async run() {
      last = undefined;
      await collectGarbage();
      const [start, cpu] = [performance.now(), process.cpuUsage()];
      await call();
      const [ms, spent] = [performance.now() - start, process.cpuUsage(cpu)];
      return { ms, cpuMs: (spent.user + spent.system) / 1000 };
    },
    async digest() {
      if (last === undefined) throw new Error("digest: expected a run before it");
      return digest(last.image, backend);
    },
  };
}

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/**
 * Otherwise what earlier runs left is freed within some later one, tens of megabytes at a time. Peers drop their
 * last result before the clock starts as well.
 */
async function collectGarbage(): Promise<void> {
  gc();
  // Native memory is freed by callbacks that come after.
  await setImmediate();
}
