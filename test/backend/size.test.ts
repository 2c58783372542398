/** The WebAssembly modules stay small enough to download. */
import { existsSync, statSync } from "node:fs";
import { expect, it } from "vitest";
import { threadedWasmModule, wasmModule } from "../../dist/backend/artefacts.js";

/** Bytes before compression. Threads bring their own machinery. */
const most = [
  { module: wasmModule, bytes: 460_000 },
  { module: threadedWasmModule, bytes: 505_000 },
];

it.each(most.filter(({ module }) => existsSync(module)))("takes at most $bytes bytes: $module", ({ module, bytes }) => {
  expect(statSync(module).size).toBeLessThanOrEqual(bytes);
});
