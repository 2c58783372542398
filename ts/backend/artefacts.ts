/**
 * Where the built files are, for Node.
 *
 * Compiled, this file is `dist/backend/artefacts.js` and they lie beside it. Run from its source, as `vitest` may,
 * it is `ts/backend/artefacts.ts`, and they lie in the same checkout's `dist`: a worker cannot be started from
 * TypeScript on every Node we support, so both cases start the compiled one.
 */
const dist = new URL(import.meta.url.endsWith(".ts") ? "../../dist/" : "../", import.meta.url);

export const wasmModule = new URL("wasm/voxnorm_bg.wasm", dist);
export const threadedWasmModule = new URL("wasm-threads/voxnorm_bg.wasm", dist);
export const workerScript = new URL("backend/worker-node.js", dist);

/** `linux-x64-gnu`, `darwin-arm64`, `win32-x64-msvc`, …, as napi-rs names its platforms. */
export function platformTriple(): string {
  const { platform, arch } = process;
  const abi = platform === "linux" ? linuxAbi() : platform === "win32" ? "msvc" : "";
  return [platform, arch, abi].filter((part) => part !== "").join("-");
}

export function addon(triple: string): URL {
  return new URL(`native/voxnorm.${triple}.node`, dist);
}

/** glibc or musl. The report is slow where it looks up the names of network peers, so it is told not to. */
function linuxAbi(): string {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const before = report.excludeNetwork ?? false;
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
  report.excludeNetwork = before;
  const libc = header?.glibcVersionRuntime === undefined ? "musl" : "gnu";
  return process.arch === "arm" ? `${libc}eabihf` : libc;
}
