/** Our own contenders: every instruction set of the native backend with each number of threads, and WebAssembly. */
import { type Backend, createBackend, digest, type PipelineResult } from "../dist/index.js";
import type { Amount, Volumes } from "./cases/case.ts";
import type { Run } from "./record.ts";

export interface Ours {
  readonly backend: Backend;
  readonly iterations: number;
  /** What is timed, a user's call: voxels in memory in, the full-size image in memory out. */
  call(): Promise<void>;
  /** One timed call. */
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
  // As a server does that corrects image after image: it has one array for each that is under way.
  const into = { image: new Float32Array(image.data.length) };
  const call = async () => {
    last = await pipeline.run(image, { backend, inputs, into });
  };
  return {
    backend,
    iterations,
    call,
    async run() {
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
