/** The WebAssembly modules stay small enough to download. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { threadedWasmModule, wasmModule } from "../../dist/backend/artefacts.js";

/** Bytes before compression. Threads bring their own machinery. */
const most = [
  { module: wasmModule, bytes: 400_000 },
  { module: threadedWasmModule, bytes: 450_000 },
];

/** Paths in the messages of panics tell where Rust's standard library came from. */
const distributed = "/rustc/";

describe.each(most.filter(({ module }) => existsSync(module)))("$module", ({ module, bytes }) => {
  const content = readFileSync(module);

  it.skipIf(content.includes(distributed))(
    `takes at most ${bytes} bytes (skipped where Rust's standard library was not compiled for size, for lack of its source)`,
    () => {
      expect(content.length).toBeLessThanOrEqual(bytes);
    },
  );
});
