/**
 * The kernels one by one at each instruction set, on one thread, timed by the npm package `benchmark`.
 *
 *     node --import tsx bench/kernels.ts [--quick]
 *
 * They are called through a module of their own, bench/kernels, of which nothing ships.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Benchmark from "benchmark";
import { root, scratch } from "./files.ts";
import type { LevelEffort } from "./levels.ts";
import { median } from "./statistics.ts";

/** One kernel at one instruction set. */
export interface KernelTimes {
  readonly kernel: string;
  readonly backend: string;
  readonly simd: string;
  readonly voxels: number;
  /** Bytes that go to or come from memory for a voxel; 0 where memory is not what counts. */
  readonly bytes: number;
  readonly samplesMs: readonly number[];
}

/** A kernel and a level, by their places in the lists; returns what tells one output from another. */
type RunKernel = (kernel: number, level: number) => number;

interface NativeModule {
  names(): string[];
  bytes(): number[];
  levels(): string[];
  voxels(): number;
  run: RunKernel;
}

/** All kernels natively, widest instruction set first, and as WebAssembly where that is wanted. */
export async function kernels(effort: LevelEffort, withWasm: boolean): Promise<KernelTimes[]> {
  const native: NativeModule = createRequire(import.meta.url)(built("kernels.node"));
  const contenders = native.levels().map((simd, level) => ({ backend: "native", simd, run: native.run, level }));
  contenders.reverse();
  if (withWasm) contenders.push({ backend: "wasm", simd: "simd128", run: await wasm(), level: 0 });
  const [voxels, bytes] = [native.voxels(), native.bytes()];
  return native.names().flatMap((kernel, index) => {
    const results = contenders.map(({ run, level }) => run(index, level));
    if (new Set(results).size > 1 || Number.isNaN(results[0])) {
      throw new Error(`${kernel}: expected one number at every level, got ${results.join(", ")}`);
    }
    return contenders.map(({ backend, simd, run, level }) => {
      const samplesMs = measure(() => run(index, level), effort);
      return { kernel, backend, simd, voxels, bytes: bytes[index]!, samplesMs };
    });
  });
}

function measure(fn: () => void, effort: LevelEffort): number[] {
  const benchmark = new Benchmark("kernel", { fn, initCount: 1, minTime: 0.0001, ...effort });
  benchmark.run({ async: false });
  if (benchmark.error) throw benchmark.error;
  return benchmark.stats.sample.map((seconds) => seconds * 1000);
}

/** The path of a file that scripts/bench-kernels.mjs builds. */
function built(file: "kernels.node" | "kernels.wasm"): string {
  const flags = file === "kernels.wasm" ? ["--wasm"] : [];
  const args = [join(root, "scripts", "bench-kernels.mjs"), scratch, ...flags];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return join(scratch, file);
}

async function wasm(): Promise<RunKernel> {
  const { instance } = await WebAssembly.instantiate(readFileSync(built("kernels.wasm")), {});
  return instance.exports.run as RunKernel;
}

/** A row for each kernel: its time at each level, and what the widest makes of the memory. */
export function kernelSection(times: readonly KernelTimes[]): string {
  const names = [...new Set(times.map(({ kernel }) => kernel))];
  const of = (name: string) => times.filter(({ kernel }) => kernel === name);
  const copy = speed(of(names[0]!)[0]!);
  const rows = names.map((name) => {
    const widest = of(name)[0]!;
    const memory =
      widest.bytes > 0 ? [nanoseconds(widest), gigabytes(widest), share(speed(widest) / copy)] : ["", "", ""];
    return [name, ...of(name).map(milliseconds), ...memory];
  });
  const levels = of(names[0]!).map(({ backend, simd }) => `${backend} ${simd}`);
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    "## Kernels",
    "",
    `${times[0]!.voxels.toLocaleString("en")} voxels in memory, one thread, by the npm package benchmark: ms, median (least). The last three columns`,
    "are the widest instruction set's, from its least; a plain copy and a plain read show the memory's limits. All levels give the same result.",
    "",
    line(["kernel", ...levels, "ns a voxel", "GB/s", "of a copy's"]),
    line(["---", ...levels.map(() => "---:"), "---:", "---:", "---:"]),
    ...rows.map(line),
  ].join("\n");
}

function milliseconds({ samplesMs }: KernelTimes): string {
  const [middle, least] = [median(samplesMs), Math.min(...samplesMs)];
  const digits = middle < 1 ? 3 : 1;
  return `${middle.toFixed(digits)} (${least.toFixed(digits)})`;
}

/** In bytes a millisecond. From the least time, as below: what others do on the machine only adds to it. */
function speed({ bytes, voxels, samplesMs }: KernelTimes): number {
  return (bytes * voxels) / Math.min(...samplesMs);
}

function gigabytes(times: KernelTimes): string {
  return (speed(times) / 1e6).toFixed(1);
}

function nanoseconds({ voxels, samplesMs }: KernelTimes): string {
  return ((Math.min(...samplesMs) * 1e6) / voxels).toFixed(2);
}

function share(part: number): string {
  return `${(part * 100).toFixed(0)} %`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const isQuick = process.argv.includes("--quick");
  const effort = isQuick ? { maxTime: 0.01, minSamples: 2 } : { maxTime: 1, minSamples: 20 };
  console.log(kernelSection(await kernels(effort, !isQuick)));
}
