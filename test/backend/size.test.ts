/** The WebAssembly modules stay small enough to download. */
import { existsSync, statSync } from "node:fs";
import { expect, it } from "vitest";
import { threadedWasmModule, wasmModule } from "../../dist/backend/artefacts.js";

/** Bytes before compression. */
const most = 700_000;

it.each([wasmModule, threadedWasmModule].filter(existsSync))(`takes at most ${most} bytes: %s`, (module) => {
  expect(statSync(module).size).toBeLessThanOrEqual(most);
});
