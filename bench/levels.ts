/** Our instruction sets among themselves on one thread, timed by the npm package `benchmark`. */
import Benchmark from "benchmark";
import type { Ours } from "./ours.ts";
import type { LevelTimes } from "./record.ts";

export interface LevelEffort {
  /** Seconds for each level, and the least number of samples whatever they take. */
  readonly maxTime: number;
  readonly minSamples: number;
}

export async function levels(contenders: readonly Ours[], effort: LevelEffort): Promise<LevelTimes[]> {
  const times: LevelTimes[] = [];
  for (const contender of contenders) {
    if (contender.backend.threads !== 1) continue;
    const { name: backend, simd } = contender.backend;
    const { mean, rme, sample } = await measure(`${backend} ${simd}`, contender, effort);
    times.push({ backend, simd, meanMs: mean * 1000, marginPercent: rme, samples: sample.map((s) => s * 1000) });
  }
  return times;
}

/** `minTime` of a hair makes a sample one call: calls take long enough for the clock as they are. */
function measure(name: string, contender: Ours, effort: LevelEffort): Promise<Benchmark["stats"]> {
  return new Promise((resolve, reject) => {
    const benchmark = new Benchmark(name, {
      defer: true,
      initCount: 1,
      minTime: 0.0001,
      ...effort,
      fn: (deferred) => {
        contender.call().then(() => deferred.resolve(), reject);
      },
      onComplete: () => (benchmark.error ? reject(benchmark.error) : resolve(benchmark.stats)),
    });
    benchmark.run({ async: true });
  });
}
