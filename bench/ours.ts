/** Our own contenders: every instruction set of the native backend with each number of threads, and WebAssembly. */
import { type Backend, createBackend, digest, type PipelineResult } from "../dist/index.js";
import type { Case, Volumes } from "./cases/case.ts";
import type { Run } from "./record.ts";

export interface Ours {
  readonly backend: Backend;
  run(): Promise<Run>;
  /** Of the last run's image. */
  digest(): Promise<string>;
}

/** The native backend at each of its instruction sets, widest first, for each number of threads; then WebAssembly. */
export async function openBackends(threads: readonly number[]): Promise<Backend[]> {
  const probe = await createBackend({ backend: "native" });
  const levels = [...probe.catalog.simd].reverse();
  await probe.close();
  const backends: Backend[] = [];
  for (const n of threads) {
    for (const simd of levels) backends.push(await createBackend({ backend: "native", threads: n, simd }));
  }
  // Its one thread makes it a rival of the others' single-thread rows.
  backends.push(await createBackend({ backend: "wasm" }));
  return backends;
}

/** One contender. What is timed is a user's call: voxels in memory in, the full-size image in memory out. */
export function ours(backend: Backend, pipeline: Case["pipeline"], { image, ...inputs }: Volumes): Ours {
  let last: PipelineResult | undefined;
  return {
    backend,
    async run() {
      const [start, cpu] = [performance.now(), process.cpuUsage()];
      last = await pipeline.run(image, { backend, inputs });
      const [ms, spent] = [performance.now() - start, process.cpuUsage(cpu)];
      return { ms, cpuMs: (spent.user + spent.system) / 1000 };
    },
    async digest() {
      if (last === undefined) throw new Error("digest: expected a run before it");
      return digest(last.image, backend);
    },
  };
}
