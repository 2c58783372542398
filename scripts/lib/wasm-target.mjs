/**
 * Rust's standard library for wasm32, built from its source: compiled for size it makes the module 38 kB smaller, and
 * the one that Rust distributes knows nothing of shared memory. It has to do for one thread where there is no source.
 *
 * cargo builds a standard library only on a nightly compiler, or on one told to act as such, and the source must be of
 * exactly the compiler's version: the toolchain's own, else from rustup. Networks without access to Rust's distribution
 * server may have Debian's package, for some versions; where it lacks this compiler's, its own compiler and
 * source, which always match each other, build the WebAssembly module. Packages are unpacked, not installed.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache.mjs";
import { Failure, lastLines, must, onPath, run } from "./process.mjs";

const TARGET = "wasm32-unknown-unknown";
const HOW_TO_GET_IT =
  "Run `rustup component add rust-src` on a network that reaches Rust's distribution server, then `npm run setup` again.\n" +
  "The native addon works without: `npm run setup -- --only native`.";

/** Resolves to what `wasm-pack build` needs for one thread: its mode, arguments for cargo, and environment. */
export async function wasmTarget(announce) {
  try {
    return await wasmTargetFromSource(announce);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    announce(`${error.message}: taking the larger one that Rust distributes`);
    return distributedWasmTarget(announce);
  }
}

/** The same from source alone, as several threads need it. */
export async function wasmTargetFromSource(announce) {
  let rustupOutput = "";
  if (ownSource(await sysroot()) === undefined) {
    const { code, output } = await run("rustup", ["component", "add", "rust-src"], {
      env: { RUSTUP_MAX_RETRIES: "1" },
    });
    rustupOutput = output;
    if (code === 0) announce("added Rust's component rust-src with rustup");
  }
  const { source, env: compiler } = await matchingSource(announce, rustupOutput);
  const env = { RUSTC_BOOTSTRAP: "1", ...compiler, CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: await linker() };
  // Asked for apart, so that a network that refuses them is told from a build that fails.
  await must(
    "what Rust's standard library depends on cannot be had",
    "Check the network and cargo's registry, then run `npm run setup` again.",
    "cargo",
    ["fetch", "--locked", "--target", TARGET, "--manifest-path", join(source, "Cargo.toml")],
    { env },
  );
  return {
    // wasm-pack would stop for the target that it misses.
    mode: "force",
    cargoArguments: ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"],
    env,
  };
}

async function distributedWasmTarget(announce) {
  const target = { mode: "normal", cargoArguments: [], env: {} };
  if (await isInstalled()) return target;
  await must(`Rust's target ${TARGET} cannot be had`, HOW_TO_GET_IT, "rustup", ["target", "add", TARGET], {
    env: { RUSTUP_MAX_RETRIES: "1" },
  });
  announce(`added Rust's target ${TARGET} with rustup`);
  return target;
}

export async function sysroot() {
  return (await rustc("--print", "sysroot")).trim();
}

/** The folder of the toolchain's own source, or undefined. */
function ownSource(toolchain) {
  const folder = join(toolchain, "lib", "rustlib", "src", "rust", "library");
  return existsSync(join(folder, "Cargo.lock")) ? folder : undefined;
}

async function isInstalled() {
  const folder = join(await sysroot(), "lib", "rustlib", TARGET, "lib");
  return existsSync(folder) && readdirSync(folder).some((file) => file.startsWith("libstd-"));
}

/** The source's folder, and the environment that leads cargo to it and, if need be, to the compiler that goes with it. */
async function matchingSource(announce, rustupOutput) {
  // With rustup's component rust-src, cargo finds it by itself.
  const own = ownSource(await sysroot());
  if (own) return { source: own, env: {} };
  const version = /^release: (\S+)/m.exec(await rustc("-vV"))?.[1];
  const offers = await debianSources();
  const same = offers.find(
    (offer) => offer.version.startsWith(`${version}+`) || offer.version.startsWith(`${version}-`),
  );
  if (same) {
    announce(`taking the source from the Debian package ${same.name} ${same.version}`);
    const source = librarySource(await unpack(`${same.name}-${same.version}`, [`${same.name}=${same.version}`]));
    return { source, env: { __CARGO_TESTS_ONLY_SRC_ROOT: source } };
  }
  const pair = await debianPair();
  if (pair) {
    announce(`no source for rustc ${version} here: using Debian's rustc-web ${pair.version} for this module only`);
    const folder = await unpack(`rustc-web-${pair.version}`, pair.packages);
    const source = librarySource(folder);
    return { source, env: { __CARGO_TESTS_ONLY_SRC_ROOT: source, ...debianCompiler(folder) } };
  }
  throw new Failure(
    `Rust's standard library for ${TARGET} cannot be had`,
    `rustup: ${lastLines(rustupOutput, 5)}\nThe toolchain has no rust-src, and no Debian package has the source.`,
    HOW_TO_GET_IT,
  );
}

/** The Debian packages of Rust's source on offer, as `{ name, version }`. */
async function debianSources() {
  const ask = async () => (await run("apt-cache", ["madison", "rust-src", "rust-web-src"])).output;
  let list = await ask();
  // A fresh container has no package lists. Only root may fetch them.
  if (!list.includes("rust-web-src") && process.getuid?.() === 0) {
    await run("apt-get", ["update"]);
    list = await ask();
  }
  return [...list.matchAll(/^\s*(rust(?:-web)?-src) \| (\S+)/gm)].map(([, name, version]) => ({ name, version }));
}

/** Debian's compiler with its source and the libraries this machine lacks, or undefined. */
async function debianPair() {
  const { output } = await run("apt-get", ["-s", "install", "--no-install-recommends", "rustc-web", "rust-web-src"]);
  const packages = [...output.matchAll(/^Inst (\S+) \((\S+)/gm)].map(([, name, version]) => ({ name, version }));
  const compiler = packages.find(({ name }) => name === "rustc-web");
  if (!compiler || !packages.some(({ name, version }) => name === "rust-web-src" && version === compiler.version)) {
    return undefined;
  }
  return { version: compiler.version, packages: packages.map(({ name, version }) => `${name}=${version}`) };
}

/** Downloads and unpacks packages into the cache; resolves to the folder, which exists only when complete. */
async function unpack(name, packages) {
  const folder = join(cacheFolder(), name.replaceAll(/[^\w.+-]/g, "_"));
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const remedy = "Check the network and apt's sources, then run `npm run setup` again.";
  await must("a Debian package could not be downloaded", remedy, "apt-get", ["download", ...packages], {
    cwd: partial,
  });
  for (const file of readdirSync(partial).filter((entry) => entry.endsWith(".deb"))) {
    await must("a Debian package could not be unpacked", remedy, "dpkg-deb", ["-x", file, "."], { cwd: partial });
    rmSync(join(partial, file));
  }
  renameSync(partial, folder);
  return folder;
}

function librarySource(folder) {
  const sources = join(folder, "usr", "src");
  const release = readdirSync(sources).find((name) => existsSync(join(sources, name, "library", "Cargo.lock")));
  return join(sources, release, "library");
}

/** An unpacked compiler must be told where its libraries are. */
function debianCompiler(folder) {
  const libraries = readdirSync(join(folder, "usr", "lib")).filter((name) => name.endsWith("-linux-gnu"));
  const search = libraries.map((name) => join(folder, "usr", "lib", name)).join(":");
  const wrapper = join(folder, "rustc");
  const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  writeFileSync(
    wrapper,
    `#!/bin/sh\nLD_LIBRARY_PATH=${quote(search)} exec ${quote(join(folder, "usr", "bin", "rustc"))} "$@"\n`,
    { mode: 0o755 },
  );
  return { RUSTC: wrapper };
}

/** A linker for WebAssembly: the installed toolchain's, since Debian's compilers come without. */
async function linker() {
  const host = /^host: (\S+)/m.exec(await rustc("-vV"))?.[1];
  const own = join(await sysroot(), "lib", "rustlib", host, "bin", "rust-lld");
  const found = existsSync(own) ? own : (onPath("rust-lld") ?? onPath("wasm-ld"));
  if (found) return found;
  throw new Failure(
    "there is no linker for WebAssembly",
    "the Rust toolchain has no rust-lld, and neither rust-lld nor wasm-ld is on PATH",
    "Install LLVM's linker (Debian: `apt-get install lld`), then run `npm run setup` again.",
  );
}

async function rustc(...args) {
  return (await run(process.env.RUSTC ?? "rustc", args)).output;
}
