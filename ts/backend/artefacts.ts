/**
 * Where the built files are, for Node.
 *
 * Compiled, this file is `dist/backend/artefacts.js` and they lie beside it. Run from its source, as `vitest` may,
 * it is `ts/backend/artefacts.ts`, and they lie in the same checkout's `dist`: a worker cannot be started from
 * TypeScript on every Node we support, so both cases start the compiled one.
 */
import { existsSync } from "node:fs";

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

/**
 * glibc or musl: as of the addon that was built here, or by Node's report, which takes 5 ms, and more where it looks up the
 * names of network peers.
 */
function linuxAbi(): string {
  const float = process.arch === "arm" ? "eabihf" : "";
  const built = ["gnu", "musl"].filter((libc) => existsSync(addon(`linux-${process.arch}-${libc}${float}`)));
  return `${built.length === 1 ? built[0] : reportedLibc()}${float}`;
}

function reportedLibc(): string {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const before = report.excludeNetwork ?? false;
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
  report.excludeNetwork = before;
  return header?.glibcVersionRuntime === undefined ? "musl" : "gnu";
}
