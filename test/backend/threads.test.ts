/** Threads in WebAssembly: had where they can be, done without where not, and gone when they are not needed any more. */
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { threadedWasmModule, wasmModule, workerScript } from "../../dist/backend/artefacts.js";
import { type Host, loadWasm } from "../../dist/backend/wasm.js";
import { nodeHost } from "../../dist/backend/wasm-node.js";
import { n4, pipeline, volume } from "../../dist/index.js";
import { digestCall, expectedDigest, oddVoxels, threadsSkipReason } from "./backends.ts";

const nowhere = pathToFileURL("/nowhere/at-all");
const settings = { threads: 3, simd: undefined };

/** Node's host, with a list of the workers it started; the first of three takes the calls. */
function watched(changes: Partial<Host> = {}) {
  const host = { ...nodeHost(wasmModule, threadedWasmModule, workerScript), ...changes };
  const workers: { onMessage: Parameters<Host["spawn"]>[0]; ended: boolean; end(): Promise<void> }[] = [];
  const spawn: Host["spawn"] = (onMessage, onFailure) => {
    const port = host.spawn(onMessage, onFailure);
    const worker = { onMessage, ended: false, end: () => port.end() };
    workers.push(worker);
    const end = () => {
      worker.ended = true;
      return port.end();
    };
    return { ...port, end };
  };
  return { host: { ...host, spawn }, workers };
}

/** About a second of hashing. */
const long = digestCall(new Float32Array(5e7));

describe.skipIf(threadsSkipReason)(`on threads${threadsSkipReason ? ` (skipped: ${threadsSkipReason})` : ""}`, () => {
  it("starts a worker a thread, and ends them all", async () => {
    const { host, workers } = watched();
    const backend = await loadWasm(host, settings);
    expect([backend.threads, backend.singleThreadReason, workers.length]).toEqual([3, undefined, 3]);
    await backend.close();
    expect(workers.map(({ ended }) => ended)).toEqual([true, true, true]);
  });

  it("takes a thread a core by default, at most 8", async () => {
    for (const [cores, expected] of [
      [1, 1],
      [3, 3],
      [64, 8],
    ] as const) {
      const backend = await loadWasm(watched({ cores: () => cores }).host, { ...settings, threads: undefined });
      expect([backend.threads, backend.singleThreadReason]).toEqual([expected, undefined]);
      await backend.close();
    }
  });

  it("takes shared memory for one thread, too, and the other module without a word where that fails", async () => {
    const real = nodeHost(wasmModule, threadedWasmModule, workerScript);
    for (const [compileThreaded, expected] of [
      [real.compileThreaded, []],
      [nodeHost(wasmModule, nowhere, workerScript).compileThreaded, ["its own memory"]],
    ] as const) {
      const compiled: string[] = [];
      const compile = () => {
        compiled.push("its own memory");
        return real.compile();
      };
      const { host, workers } = watched({ compile, compileThreaded });
      const backend = await loadWasm(host, { ...settings, threads: 1 });
      expect([backend.threads, backend.singleThreadReason, workers.length]).toEqual([1, undefined, 1]);
      expect(compiled).toEqual(expected);
      const voxels = oddVoxels(10);
      expect((await backend.run(digestCall(voxels))).json.digest).toBe(expectedDigest(voxels));
      await backend.close();
    }
  });

  it("fails the call when a helper panics, with its message, and starts afresh", async () => {
    const { host, workers } = watched();
    const backend = await loadWasm(host, settings);
    const failed = backend.run(long);
    await new Promise((resolve) => setTimeout(resolve, 50));
    workers[1]!.onMessage({ kind: "trap", message: "panicked at a helper" });
    await expect(failed).rejects.toMatchObject({
      code: "Internal",
      message: "voxels.digest: the WebAssembly instance stopped: panicked at a helper",
    });
    const voxels = oddVoxels(10);
    expect((await backend.run(digestCall(voxels))).json.digest).toBe(expectedDigest(voxels));
    await backend.close();
    expect(workers.map(({ ended }) => ended)).toEqual(Array(6).fill(true));
  });

  it.each(["at work", "idle"])("goes on with other workers when a helper dies, %s", async (when) => {
    const { host, workers } = watched();
    const backend = await loadWasm(host, settings);
    if (when === "at work") {
      const failed = backend.run(long);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await Promise.all([workers[2]!.end(), expect(failed).rejects.toThrow(/the worker exited/)]);
    } else await workers[2]!.end();
    const voxels = oddVoxels(10);
    expect((await backend.run(digestCall(voxels))).json.digest).toBe(expectedDigest(voxels));
    await backend.close();
    expect(workers.map(({ ended }) => ended)).toEqual(Array(6).fill(true));
  });

  it("refuses an instruction set that it lacks, and does not try another module", async () => {
    const { host, workers } = watched();
    await expect(loadWasm(host, { ...settings, simd: "avx2" })).rejects.toMatchObject({ code: "UnsupportedSimd" });
    expect(workers.map(({ ended }) => ended)).toEqual([true, true, true]);
  });

  it("runs on one thread where a helper does not start, and says why", async () => {
    const real = nodeHost(wasmModule, threadedWasmModule, workerScript);
    const broken = nodeHost(wasmModule, threadedWasmModule, nowhere);
    let started = 0;
    const spawn: Host["spawn"] = (...listeners) => (++started === 2 ? broken : real).spawn(...listeners);
    const { host, workers } = watched({ spawn });
    const backend = await loadWasm(host, settings);
    expect(backend.threads).toBe(1);
    expect(backend.singleThreadReason).toMatch(/^the threaded module could not be started: Cannot find module/);
    await backend.close();
    expect(workers.map(({ ended }) => ended)).toEqual(Array(4).fill(true));
  });
});

describe("on one thread", () => {
  const reasons: [string, Partial<Host>, RegExp][] = [
    ["memory cannot be shared", { whyNotShared: () => "memory cannot be shared" }, /^memory cannot be shared$/],
    [
      "the threaded module is absent",
      { compileThreaded: nodeHost(wasmModule, nowhere, workerScript).compileThreaded },
      /^the threaded module could not be started: ENOENT.*nowhere/,
    ],
  ];

  it.each(reasons)("runs where %s, and says so in the report", async (_, changes, expected) => {
    const { host, workers } = watched(changes);
    const backend = await loadWasm(host, settings);
    expect([backend.threads, workers.length]).toEqual([1, 1]);
    const voxels = Float32Array.from({ length: 4096 }, (_, i) => 1 + (i % 7));
    const image = volume(voxels, [16, 16, 16]);
    const { report } = await pipeline([n4({ shrinkFactor: 1, iterations: [1] })]).run(image, { backend });
    expect(report.backend).toEqual({
      name: "wasm",
      simd: "simd128",
      threads: 1,
      singleThreadReason: expect.stringMatching(expected),
    });
    await backend.close();
  });

  it("runs without a word where one is asked for", async () => {
    const { host } = watched({ whyNotShared: () => "memory cannot be shared" });
    const backend = await loadWasm(host, { ...settings, threads: 1 });
    expect([backend.threads, backend.singleThreadReason]).toEqual([1, undefined]);
    await backend.close();
  });
});
