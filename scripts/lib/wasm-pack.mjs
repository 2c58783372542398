/** Finds wasm-pack and the wasm-bindgen program that it runs, or builds them once into the user's cache. */
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cacheFolder } from "./cache.mjs";
import { isAtLeast, must, onPath, root, run, versionIn } from "./process.mjs";

// The first that builds a profile of the manifest's own.
const OLDEST = [0, 14];
const SUFFIX = process.platform === "win32" ? ".exe" : "";

// Built to be built soon: these programs work on one small file, so an optimiser would never earn its time back.
const QUICKLY = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
  CARGO_PROFILE_RELEASE_DEBUG: "false",
  CARGO_PROFILE_RELEASE_STRIP: "true",
  CARGO_TARGET_DIR: join(root, "target", "tools"),
};

/** Resolves to a wasm-pack that runs, and the environment it needs. */
export async function wasmPack(announce) {
  const fromNpm = await npmBinary();
  const cached = join(cacheFolder(), "wasm-pack", "bin", `wasm-pack${SUFFIX}`);
  let program;
  for (const candidate of [onPath("wasm-pack"), fromNpm, cached]) {
    if (candidate && isAtLeast(await versionOf(candidate), OLDEST)) program ??= candidate;
  }
  if (program === undefined) {
    announce("wasm-pack could not be downloaded: building it from source, once for this user (1 to 3 minutes)");
    await install("wasm-pack", [], join(cacheFolder(), "wasm-pack"));
    program = cached;
  }
  // Where npm's package got its download, wasm-pack will get wasm-bindgen's from the same place.
  return { program, env: fromNpm ? {} : await wasmBindgen(announce) };
}

/** wasm-pack takes a wasm-bindgen on PATH, if it has the version of the crate to the letter. */
async function wasmBindgen(announce) {
  const version = /name = "wasm-bindgen"\nversion = "(.+)"/.exec(readFileSync(join(root, "Cargo.lock"), "utf8"))[1];
  const present = onPath("wasm-bindgen");
  if (present && (await versionOf(present))?.join(".") === version) return {};
  const folder = join(cacheFolder(), `wasm-bindgen-${version}`);
  if (!existsSync(join(folder, "bin", `wasm-bindgen${SUFFIX}`))) {
    announce(`building wasm-bindgen ${version} from source, once for this user (1 to 2 minutes)`);
    await install("wasm-bindgen-cli", ["--version", `=${version}`, "--bin", "wasm-bindgen"], folder);
  }
  return { PATH: `${join(folder, "bin")}${delimiter}${process.env.PATH}` };
}

/** The program of npm's package, which holds only a downloader that npm runs, or does not, or that fails. */
async function npmBinary() {
  const folder = join(root, "node_modules", "wasm-pack");
  const binary = join(folder, "binary", `wasm-pack${SUFFIX}`);
  if (existsSync(folder) && !existsSync(binary)) await run(process.execPath, [join(folder, "install.js")]);
  return (await versionOf(binary)) && binary;
}

async function install(crate, args, folder) {
  // Not `--locked`: the locks these crates were published with no longer build everywhere.
  await must(
    `${crate} does not build`,
    `Check the network and cargo's registry, or put wasm-pack ${OLDEST.join(".")} or later on PATH; then run \`npm run setup\` again.`,
    "cargo",
    ["install", crate, ...args, "--root", folder],
    { env: { ...QUICKLY, RUSTFLAGS: undefined } },
  );
}

async function versionOf(program) {
  if (!existsSync(program)) return undefined;
  const { code, output } = await run(program, ["--version"]);
  return code === 0 ? versionIn(output) : undefined;
}
