/** What we use of the npm package `benchmark`, which brings no types. */
declare module "benchmark" {
  interface Deferred {
    resolve(): void;
  }

  interface Options {
    defer?: boolean;
    fn?: (deferred: Deferred) => void;
    initCount?: number;
    maxTime?: number;
    minSamples?: number;
    minTime?: number;
    onComplete?: () => void;
  }

  export default class Benchmark {
    constructor(name: string, options: Options);
    run(options: { async: boolean }): this;
    readonly error?: unknown;
    /** In seconds; `rme` in percent. */
    readonly stats: { readonly mean: number; readonly rme: number; readonly sample: readonly number[] };
  }
}
