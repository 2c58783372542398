import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { platformTriple, threadedWasmModule, wasmModule, workerScript } from "../../dist/backend/artefacts.js";
import { type Attempt, loadBackend } from "../../dist/backend/load.js";
import { createBackend } from "../../dist/backend/load-node.js";
import { loadNative } from "../../dist/backend/native.js";
import { loadWasm } from "../../dist/backend/wasm.js";
import { nodeHost } from "../../dist/backend/wasm-node.js";
import { withBackend } from "./backends.ts";

const nowhere = pathToFileURL("/nowhere/at-all");

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("createBackend", () => {
  it("takes native first, on all cores and at the widest instruction set", async () => {
    await withBackend({}, async (backend) => {
      expect(backend.name).toBe("native");
      expect(backend.threads).toBeGreaterThanOrEqual(1);
      expect(backend.simd).toBe(backend.catalog.simd.at(-1));
    });
  });

  it("loads what the option names, whatever the environment says", async () => {
    vi.stubEnv("VOXNORM_BACKEND", "native");
    await withBackend({ backend: "wasm", threads: 1 }, async (backend) => {
      expect([backend.name, backend.simd, backend.threads]).toEqual(["wasm", "simd128", 1]);
      expect(backend.singleThreadReason).toBeUndefined();
    });
  });

  it("loads what the environment names where no option does", async () => {
    vi.stubEnv("VOXNORM_BACKEND", "wasm");
    await withBackend({}, async (backend) => expect(backend.name).toBe("wasm"));
  });

  it("takes a variable that is set to nothing as not set", async () => {
    vi.stubEnv("VOXNORM_BACKEND", "");
    vi.stubEnv("VOXNORM_SIMD", "");
    await withBackend({}, async (backend) => expect(backend.name).toBe("native"));
  });

  it("forces the instruction set by option or environment, the option first", async () => {
    vi.stubEnv("VOXNORM_SIMD", "fallback");
    await withBackend({ backend: "native" }, async (backend) => expect(backend.simd).toBe("fallback"));
    const widest = await withBackend(
      { backend: "native", simd: "fallback" },
      async ({ catalog }) => catalog.simd.at(-1)!,
    );
    await withBackend({ backend: "native", simd: widest }, async (backend) => expect(backend.simd).toBe(widest));
  });

  it("has the threads asked for", async () => {
    await withBackend({ backend: "native", threads: 3 }, async (backend) => expect(backend.threads).toBe(3));
  });

  it("refuses an unknown name, and says where it stood", async () => {
    vi.stubEnv("VOXNORM_BACKEND", "nonsense");
    await expect(createBackend()).rejects.toMatchObject({
      code: "BadOption",
      message: 'VOXNORM_BACKEND: expected one of auto, native, wasm, got "nonsense"',
    });
    await expect(createBackend({ backend: "gpu" as "wasm" })).rejects.toMatchObject({
      code: "BadOption",
      message: 'backend: expected one of auto, native, wasm, got "gpu"',
    });
  });

  it.each([0, -1, 1.5, Number.NaN, 100_000])("refuses %s threads", async (threads) => {
    await expect(createBackend({ threads })).rejects.toMatchObject({ code: "BadOption", detail: { got: threads } });
  });

  it.each(["native", "wasm"] as const)("refuses an instruction set that %s lacks", async (backend) => {
    await expect(createBackend({ backend, simd: "avx1024" })).rejects.toMatchObject({
      code: "UnsupportedSimd",
      detail: { backend, got: "avx1024", expected: expect.arrayContaining([expect.any(String)]) },
    });
  });

  it("does not fall back to wasm where native lacks the instruction set", async () => {
    vi.stubEnv("VOXNORM_SIMD", "simd128");
    await expect(createBackend()).rejects.toMatchObject({ code: "UnsupportedSimd" });
  });
});

describe("when nothing loads", () => {
  const missingNative: Attempt = {
    name: "native",
    remedy: "build the addon",
    load: (settings) => loadNative(nowhere, settings),
  };
  const missingWasm: Attempt = {
    name: "wasm",
    remedy: "build the module",
    load: (settings) => loadWasm(nodeHost(nowhere, nowhere, workerScript), settings),
  };

  it("lists every attempt with its reason and remedy", async () => {
    const error = await loadBackend([missingNative, missingWasm]).catch((thrown) => thrown);
    expect(error).toMatchObject({ name: "VoxnormError", code: "BackendUnavailable" });
    expect(error.message).toMatch(
      /^no backend could be loaded\n {2}native: \/nowhere\/at-all does not exist\n {4}→ build the addon\n {2}wasm: ENOENT.*\/nowhere\/at-all'\n {4}→ build the module$/,
    );
    expect(error.detail.attempts).toHaveLength(2);
  });

  it("goes on to the next attempt by itself, but not where one was asked for", async () => {
    const wasm: Attempt = {
      name: "wasm",
      remedy: "",
      load: (settings) => loadWasm(nodeHost(wasmModule, threadedWasmModule, workerScript), settings),
    };
    const backend = await loadBackend([missingNative, wasm]);
    expect(backend.name).toBe("wasm");
    await backend.close();
    await expect(loadBackend([missingNative, wasm], { backend: "native" })).rejects.toThrow(/^no backend[^→]*→[^→]*$/);
  });

  it("says so where a build has no such backend", async () => {
    await expect(loadBackend([missingWasm], { backend: "native" })).rejects.toThrow(
      /native: is not part of this build\n {4}→ choose wasm/,
    );
  });

  it("survives files that are not what they should be", async () => {
    const folder = await mkdtemp(join(tmpdir(), "voxnorm-"));
    const junk = pathToFileURL(join(folder, "junk.node"));
    await writeFile(junk, "junk");
    const settings = { threads: undefined, simd: undefined };
    await expect(loadNative(junk, settings)).rejects.toThrow(/junk\.node/);
    await expect(loadWasm(nodeHost(junk, junk, workerScript), settings)).rejects.toThrow(/WebAssembly/);
    await expect(loadWasm(nodeHost(wasmModule, threadedWasmModule, nowhere), settings)).rejects.toThrow(
      /Cannot find module/,
    );
    await rm(folder, { recursive: true });
  });
});

it("names a platform as napi-rs does", () => {
  expect(platformTriple()).toMatch(/^(linux-\w+-(gnu|musl)(eabihf)?|darwin-(x64|arm64)|win32-\w+-msvc|\w+-\w+)$/);
});

it.each(["native", "wasm"] as const)("finds what was built when run from its sources: %s", async (backend) => {
  const { createBackend } = await import("../../ts/backend/load-node.ts");
  const loaded = await createBackend({ backend });
  expect(loaded.name).toBe(backend);
  await loaded.close();
});
