/**
 * The stages of set-up, in order. Each has its inputs, its outputs and the work between them.
 *
 * Builds go to a scratch folder and are renamed into `dist/`, so a process that has the old file mapped
 * keeps it, and nobody loads half a file.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Failure, must, npmProgram, root, run } from "./process.mjs";
import { filesUnder, fingerprint, scratch } from "./stamp.mjs";
import { requireCompilers } from "./tools.mjs";
import { wasmPack } from "./wasm-pack.mjs";
import { sysroot, wasmTarget, wasmTargetFromSource } from "./wasm-target.mjs";

const RUST = ["Cargo.toml", "Cargo.lock", "crates"];
const WASM = ["voxnorm.js", "voxnorm.d.ts", "voxnorm_bg.wasm"];
// Says in a constant why the threaded module is not there, so that browsers need not ask for what does not exist.
const ABSENCE = "absence.js";

// What the compiler may already use, and so may appear in the module; wasm-opt refuses what is not named.
export const FEATURES = [
  "simd",
  "bulk-memory",
  "mutable-globals",
  "nontrapping-float-to-int",
  "sign-ext",
  "reference-types",
  "multivalue",
];

// What the compiler left: its loops are done, so all is for size. Functions with one caller stay functions, as engines
// cannot keep the values of huge ones in registers; and the first kilobyte is the far end of the stack, so that small
// constants may be added to addresses.
const OPTIMISATIONS = [
  ...["-Os", "--one-caller-inline-max-function-size=200", "--low-memory-unused"],
  ...["--merge-similar-functions", "--const-hoisting", "-Os", "--converge"],
];

// What linking for shared memory takes; the exports are for wasm-bindgen, which gives each worker its own stack.
const SHARED_MEMORY = [
  "--shared-memory",
  "--import-memory",
  // 4 GiB, as without threads.
  "--max-memory=4294967296",
  ...["__wasm_init_tls", "__tls_size", "__tls_align", "__tls_base"].map((name) => `--export=${name}`),
];

/** Why a stage is passed over: what it needs is not to be had here, and nothing depends on it. */
export class Skip extends Failure {}

/** `inputs` is called again after the work for a stage that may change them. */
export const stages = [
  {
    name: "npm",
    title: "npm dependencies",
    inputs: () => fingerprint(["package-lock.json"], dependencies()),
    outputs: () => ["node_modules/.package-lock.json"],
    settles: true,
    work: installDependencies,
  },
  {
    name: "native",
    title: "native addon",
    inputs: () =>
      fingerprint([...RUST, "bindings/node", "scripts/lib/stages.mjs"], `${process.platform} ${process.arch}`),
    outputs: () => [`dist/native/${nativeFile() ?? "voxnorm.node"}`],
    work: buildNative,
  },
  {
    name: "wasm",
    title: "WebAssembly module",
    inputs: () => fingerprint([...RUST, "bindings/wasm", "scripts/lib/stages.mjs", "scripts/lib/wasm-target.mjs"]),
    outputs: () => WASM.map((file) => `dist/wasm/${file}`),
    work: buildWasm,
  },
  {
    name: "wasm-threads",
    title: "threaded WebAssembly module",
    inputs: () => fingerprint([...RUST, "bindings/wasm", "scripts/lib/stages.mjs", "scripts/lib/wasm-target.mjs"]),
    outputs: () => [WASM[0], ABSENCE].map((file) => `dist/wasm-threads/${file}`),
    work: buildThreadedWasm,
  },
  {
    name: "ts",
    title: "TypeScript",
    inputs: () =>
      fingerprint([
        ...[
          "ts",
          "tsconfig.json",
          "tsconfig.build.json",
          "scripts/lib/bundle.config.mjs",
          "scripts/lib/bundled-load.cjs",
        ],
        ...["node_modules/typescript/package.json", "node_modules/vite/package.json"],
      ]),
    outputs: () => [...sources().map((file) => compiled(file)), "dist/cli/command.cjs"],
    work: buildTypeScript,
  },
];

async function installDependencies() {
  const running = process.env.npm_execpath ?? "";
  const npm = running.endsWith("npm-cli.js") ? [process.execPath, [running]] : ["npm", []];
  // Not `npm ci`: it insists on a lock with every platform's optional packages, which npm itself does not
  // always write for packages that exist for one platform only.
  await must(
    "npm install failed",
    "Check the network and npm's registry setting (`npm config get registry`), then run `npm run setup` again.",
    npm[0],
    [...npm[1], "install", "--no-audit", "--no-fund"],
  );
}

/** Only the parts of package.json that npm installs by: editing a script is no reason to install again. */
function dependencies() {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const fields = ["dependencies", "devDependencies", "optionalDependencies", "overrides"];
  return JSON.stringify([process.platform, process.arch, ...fields.map((field) => manifest[field])]);
}

async function buildNative() {
  await requireCompilers();
  const built = scratch("native");
  const [node, args] = npmProgram("@napi-rs/cli", "napi", [
    ...["build", "--release", "--platform", "--no-js"],
    ...["--manifest-path", "bindings/node/Cargo.toml", "--package-json-path", "package.json"],
    ...["--output-dir", built],
  ]);
  await must("the native addon does not build", "Read the compiler's message above.", node, args);
  const file = readdirSync(built).find((name) => name.endsWith(".node"));
  await mustLoad(
    "native addon",
    `require("node:module").createRequire(process.argv[1])(process.argv[1]).catalog()`,
    join(built, file),
  );
  publish(built, "native", [file]);
}

/** The addon that is there: its name carries the platform, which only the builder spells exactly. */
function nativeFile() {
  const folder = join(root, "dist", "native");
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder).find((name) => name.startsWith(`voxnorm.${process.platform}-${process.arch}`));
}

async function buildWasm(announce) {
  await requireCompilers();
  publish(await buildModule("wasm", await wasmTarget(announce), [], announce), "wasm", WASM);
  // The worker imports both modules.
  if (!existsSync(join(root, "dist", "wasm-threads"))) standIn("set-up has not built it");
}

async function buildThreadedWasm(announce) {
  await requireCompilers();
  standIn("set-up did not finish it");
  let target;
  try {
    target = await wasmTargetFromSource(announce);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    standIn(error.message);
    const remedy = `${error.remedy}\nWebAssembly runs on one thread meanwhile; \`npm run setup -- --only wasm-threads --force\` tries again.`;
    throw new Skip(error.message, error.why, remedy);
  }
  const built = await buildModule("wasm-threads", target, ["atomics"], announce);
  writeFileSync(join(built, ABSENCE), "export const absence = undefined;\n");
  publish(built, "wasm-threads", [...WASM, ABSENCE]);
}

/** Functions in place of those that were not built, so that what imports them loads and bundles. */
function standIn(reason) {
  const built = scratch("wasm-threads");
  writeFileSync(join(built, ABSENCE), `export const absence = ${JSON.stringify(reason)};\n`);
  const text = `export function NAME() {\n  throw new Error(${JSON.stringify(reason)});\n}\n`;
  const names = ["catalog", "initSync", "onPanic", "reserve", "run", "serve", "share"];
  writeFileSync(join(built, WASM[0]), names.map((name) => text.replace("NAME", name)).join("\n"));
  publish(built, "wasm-threads", [WASM[0], ABSENCE]);
}

/** Panics name their source file: shipped, where this machine keeps it would be kilobytes that differ elsewhere. */
async function shortPaths() {
  const std = join(await sysroot(), "lib", "rustlib", "src", "rust", "library");
  const kept = { cargo: join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry", "src"), std };
  const flags = Object.entries(kept).map(([name, path]) => `--remap-path-prefix=${path}=${name}`);
  // The flags are told apart by spaces.
  return flags.filter((flag) => !flag.includes(" "));
}

/** Builds the module for one thread or, with the feature `atomics`, for several; resolves to the folder. */
async function buildModule(folder, target, features, announce) {
  const { program, env } = await wasmPack(announce);
  const built = scratch(folder);
  const isShared = features.includes("atomics");
  const flags = [
    `-C target-feature=${["simd128", ...features].map((feature) => `+${feature}`).join(",")}`,
    ...(isShared ? SHARED_MEMORY.map((argument) => `-C link-arg=${argument}`) : []),
    ...(await shortPaths()),
  ];
  await must(
    "the WebAssembly module does not build",
    "Read the message above. If a download failed, check the network; the native addon works without this module.",
    program,
    [
      ...["build", "bindings/wasm", "--profile", "wasm", "--target", "web", "--no-opt", "--no-pack"],
      ...["--mode", target.mode, "--out-name", "voxnorm", "--out-dir", built, ...target.cargoArguments],
    ],
    {
      env: {
        ...env,
        ...target.env,
        // RUSTFLAGS would replace the target's own flags, and also reach the tools that wasm-pack builds.
        RUSTFLAGS: undefined,
        CARGO_ENCODED_RUSTFLAGS: undefined,
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: flags.join(" "),
        // Builds with other flags would take turns in throwing out each other's.
        ...(isShared ? { CARGO_TARGET_DIR: join(root, "target", folder) } : {}),
      },
    },
  );
  const module = join(built, "voxnorm_bg.wasm");
  // npm's wasm-opt: the one that wasm-pack would run is a download of its own.
  const [node, args] = npmProgram("binaryen", "wasm-opt", [
    ...[...FEATURES, ...(isShared ? ["threads"] : [])].map((feature) => `--enable-${feature}`),
    ...OPTIMISATIONS,
    ...[module, "-o", module],
  ]);
  await must("wasm-opt failed", "Report this: it works on the module as built.", node, args);
  await mustLoad(
    "WebAssembly module",
    `import(require("node:url").pathToFileURL(process.argv[1] + "/voxnorm.js")).then((glue) => {
       glue.initSync({ module: require("node:fs").readFileSync(process.argv[1] + "/voxnorm_bg.wasm") });
       glue.catalog();
     })`,
    built,
  );
  return built;
}

async function buildTypeScript() {
  const [node, args] = npmProgram("typescript", "tsc", ["-p", "tsconfig.build.json"]);
  await must("the TypeScript sources do not compile", "Correct what tsc names above.", node, args);
  // A source that is gone must not live on as its old output.
  const wanted = new Set(sources().map((file) => compiled(file)));
  for (const file of filesUnder("dist").filter((path) => !/^dist\/(native|wasm|wasm-threads)\//.test(path))) {
    if (!wanted.has(file.replace(/\.(?:d\.(c?)ts|(c?)js)(\.map)?$/, ".$1$2js"))) rmSync(join(root, file));
  }
  await bundleCommand();
}

/** Has the command loaded from one file; the compiled modules would do as well and start more slowly. */
async function bundleCommand() {
  const built = scratch("bundle");
  const [node, args] = npmProgram("vite", "vite", [
    ...["build", "--config", "scripts/lib/bundle.config.mjs", "--outDir", built],
  ]);
  await must("the command does not bundle", "Correct what vite names above.", node, args);
  const cli = join(root, "dist", "cli");
  renameSync(join(built, "command.cjs"), join(cli, "command.cjs"));
  copyFileSync(join(root, "scripts", "lib", "bundled-load.cjs"), join(built, "load.cjs"));
  renameSync(join(built, "load.cjs"), join(cli, "load.cjs"));
  // Of a run from file to file, for whose functions the code is kept.
  const warmUp = `(async ([_, loader, code, ...words]) => {
    const { load, compiledCode } = require(loader);
    await load().main(words);
    require("node:fs").writeFileSync(code, compiledCode());
  })(process.argv)`;
  const [image, mask] = ["n3_brain", "n3_brain_mask"].map((name) => `examples/data/${name}.nii.gz`);
  const code = join(built, "command.cache");
  const { output } = await run(process.execPath, [
    ...["-e", warmUp, join(cli, "load.cjs"), code],
    ...["n4", image, "-o", join(built, "out.nii.gz"), "--mask", mask, "--shrink-factor", "8", "--json"],
  ]);
  // Without a backend the run ends with an error, and some functions are not among the compiled ones.
  if (!existsSync(code)) throw new Failure("the command was bundled but does not load", output, "Report this.");
  renameSync(code, join(cli, "command.cache"));
}

function sources() {
  return filesUnder("ts").filter((file) => /\.c?ts$/.test(file) && !file.endsWith(".d.ts"));
}

function compiled(source) {
  return source.replace(/^ts\//, "dist/").replace(/\.(c?)ts$/, ".$1js");
}

/** Loads what was built in a process of its own: a file that builds but does not load is a failure here. */
async function mustLoad(what, script, path) {
  const { code, output } = await run(process.execPath, ["-e", script, path]);
  if (code === 0) return;
  throw new Failure(
    `the ${what} was built but does not load`,
    output,
    "Run `npm run setup -- --force`; if it stays, report this.",
  );
}

/** Moves the finished files to `dist/<name>/`, and leaves nothing else there. */
function publish(from, name, files) {
  const folder = join(root, "dist", name);
  mkdirSync(folder, { recursive: true });
  for (const file of files) renameSync(join(from, file), join(folder, file));
  for (const file of readdirSync(folder).filter((entry) => !files.includes(entry))) rmSync(join(folder, file));
}
