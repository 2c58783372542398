/**
 * Builds what `bench/kernels.ts` times, compiled and optimised as what ships is.
 *
 *     node scripts/bench-kernels.mjs <folder> [--wasm]
 *
 * Writes `kernels.node` or `kernels.wasm` to the folder.
 */
import { copyFileSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { main } from "./lib/main.mjs";
import { must, npmProgram, root } from "./lib/process.mjs";
import { FEATURES } from "./lib/stages.mjs";
import { wasmTarget } from "./lib/wasm-target.mjs";

const [folder, kind] = process.argv.slice(2);
const TRIPLE = "wasm32-unknown-unknown";
const LIBRARIES = { win32: "voxnorm_bench.dll", darwin: "libvoxnorm_bench.dylib" };
const build = ["build", "--release", "--package", "voxnorm-bench"];
const remedy = "Read the message above.";

await main("bench", async () => {
  mkdirSync(folder, { recursive: true });
  await (kind === "--wasm" ? buildWasm() : buildNative());
});

async function buildNative() {
  await must("the kernels' bench does not build", remedy, "cargo", build);
  const addon = join(folder, "kernels.node");
  // Renamed: a process that has the old one loaded keeps it.
  copyFileSync(join(root, "target", "release", LIBRARIES[process.platform] ?? "libvoxnorm_bench.so"), `${addon}.new`);
  renameSync(`${addon}.new`, addon);
}

async function buildWasm() {
  const { cargoArguments, env } = await wasmTarget(() => {});
  await must(
    "the kernels' bench does not build for WebAssembly",
    remedy,
    "cargo",
    [...build, "--target", TRIPLE, ...cargoArguments],
    { env: { ...env, CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: "-C target-feature=+simd128" } },
  );
  const built = join(root, "target", TRIPLE, "release", "voxnorm_bench.wasm");
  const [node, args] = npmProgram("binaryen", "wasm-opt", [
    ...["-O3", ...FEATURES.map((feature) => `--enable-${feature}`), built, "-o", join(folder, "kernels.wasm")],
  ]);
  await must("wasm-opt failed", remedy, node, args);
}
