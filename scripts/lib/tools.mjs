/** The tools that must be there before anything else: Node, Rust, a C compiler. */
import { Failure, isAtLeast, onPath, run, versionIn } from "./process.mjs";

const NODE = [20, 19];
const RUST = [1, 89];

/** Fails unless this Node is one that voxnorm is tested on. */
export function requireNode() {
  if (isAtLeast(versionIn(process.version), NODE)) return;
  throw new Failure(
    "Node.js is too old",
    `expected Node.js ${NODE.join(".")} or later, got ${process.version}`,
    "Install a current Node.js, then run `npm run setup` again.",
  );
}

/** Fails unless Rust is recent enough and something can link; resolves to what was found. */
export async function requireCompilers() {
  const remedy = `Install Rust ${RUST.join(".")} or later with rustup (https://rustup.rs; \`rustup update\` if you have it), then run \`npm run setup\` again.`;
  for (const tool of ["cargo", "rustc"]) {
    const { code, output } = await run(process.env[tool.toUpperCase()] ?? tool, ["--version"]);
    if (code !== 0) throw new Failure(`${tool} does not run`, output.trim(), remedy);
    if (!isAtLeast(versionIn(output), RUST)) {
      throw new Failure("Rust is too old", `expected ${tool} ${RUST.join(".")} or later, got ${output.trim()}`, remedy);
    }
  }
  // On Windows the linker comes with the Visual Studio build tools, and rustc finds it without PATH.
  if (process.platform !== "win32" && !process.env.CC && !onPath("cc")) {
    throw new Failure(
      "there is no C compiler",
      "Rust links with `cc`, which is not on PATH",
      process.platform === "darwin"
        ? "Run `xcode-select --install`, then `npm run setup` again."
        : "Install gcc or clang (Debian: `apt-get install gcc libc6-dev`), then run `npm run setup` again.",
    );
  }
}
