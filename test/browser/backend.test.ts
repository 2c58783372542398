/** The backend in a browser from plain files, without a bundler: the same results and the same failures as in Node. */
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { affine, expectedDigest, oddVoxels, threadsSkipReason } from "../backend/backends.ts";
import { launch, skipReason } from "./chromium.ts";
import { type Server, serve } from "./serve.ts";

const ways = [
  { what: "a plain page", isolated: false, threads: 1, skip: skipReason },
  { what: "a cross-origin isolated page", isolated: true, threads: 3, skip: skipReason ?? threadsSkipReason },
];

describe.each(ways)("the backend in $what", ({ isolated, threads, skip }) => {
  describe.skipIf(skip)(skip ? `(skipped: ${skip})` : `on ${threads} threads`, () => tests(isolated, threads));
});

function tests(isolated: boolean, threads: number) {
  let folder: string;
  let server: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "voxnorm-"));
    await symlink(fileURLToPath(new URL("../../dist", import.meta.url)), join(folder, "dist"));
    await writeFile(join(folder, "index.html"), "<!doctype html><title>test</title>");
    server = await serve(folder, { isolated });
    browser = await launch();
    page = await browser.newPage();
    await page.goto(server.origin);
    await page.evaluate(`(async () => {
      globalThis.voxnorm = await import("/dist/backend/load-browser.js");
      globalThis.failure = (promise) => promise.then(() => "no failure", (error) => ({ name: error.name, ...error.toJSON() }));
      globalThis.digestCall = (voxels, more) => ({
        step: "voxels.digest", phase: "run", buffers: { voxels },
        request: { shape: [voxels.length, 1, 1], channels: 1, affine: ${JSON.stringify(affine)} }, ...more,
      });
    })()`);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  it("loads WebAssembly, and says why on one thread only", async () => {
    const told = await page.evaluate(`(async () => {
      const backend = await voxnorm.createBackend({ threads: 3 });
      await backend.close();
      const { name, simd, threads, singleThreadReason } = backend;
      return { isolated: crossOriginIsolated, name, simd, threads, reason: singleThreadReason ?? "none" };
    })()`);
    const reason = isolated
      ? "none"
      : threadsSkipReason
        ? expect.stringMatching(/^the threaded module was not built: /)
        : "the page is not cross-origin isolated (serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp)";
    expect(told).toEqual({ isolated, name: "wasm", simd: "simd128", threads, reason });
  });

  it("takes a thread a core where nobody asks for another number, at most 8", async () => {
    const told = await page.evaluate(`(async () => {
      const backend = await voxnorm.createBackend();
      await backend.close();
      return [backend.threads, Math.min(8, navigator.hardwareConcurrency)];
    })()`);
    const [got, cores] = told as [number, number];
    expect(got).toBe(isolated ? cores : 1);
  });

  it("gives the digest that node:crypto gives, again after a panic, and tells of the panic", async () => {
    const voxels = oddVoxels(3000);
    const result = await page.evaluate(`(async () => {
      const voxels = new Float32Array(new Uint32Array(${JSON.stringify([...new Uint32Array(voxels.buffer)])}).buffer);
      const backend = await voxnorm.createBackend({ threads: 3 });
      const first = await backend.run(digestCall(voxels));
      const panic = await failure(backend.run({ step: "diagnostics.panic", phase: "run", request: {}, buffers: {} }));
      const second = await backend.run(digestCall(voxels));
      await backend.close();
      return { digests: [first.json.digest, second.json.digest], panic, length: voxels.length };
    })()`);
    const digest = expectedDigest(voxels);
    expect(result).toMatchObject({
      digests: [digest, digest],
      panic: { name: "VoxnormError", code: "Internal", message: expect.stringContaining("asked for") },
      length: 3000,
    });
  });

  it("cancels what runs, at once, and goes on with what waits", async () => {
    const result = (await page.evaluate(`(async () => {
      const backend = await voxnorm.createBackend({ threads: 3 });
      const controller = new AbortController();
      // A second or more of hashing.
      const running = failure(backend.run(digestCall(new Float32Array(5e7), { signal: controller.signal })));
      const waiting = backend.run(digestCall(new Float32Array(3)));
      await new Promise((resolve) => setTimeout(resolve, 20));
      const start = performance.now();
      controller.abort();
      const stopped = await running;
      const elapsed = performance.now() - start;
      const reply = await waiting;
      await backend.close();
      return { stopped, elapsed, digest: reply.json.digest };
    })()`)) as { stopped: object; elapsed: number; digest: string };
    expect(result.stopped).toMatchObject({ code: "Cancelled" });
    expect(result.elapsed).toBeLessThan(50);
    expect(result.digest).toBe(expectedDigest(new Float32Array(3)));
  });

  it("says that the native backend is not part of it", async () => {
    const error = await page.evaluate(`failure(voxnorm.createBackend({ backend: "native" }))`);
    expect(error).toMatchObject({ code: "BackendUnavailable", message: expect.stringContaining("choose wasm") });
  });

  it("lists the attempt and its remedy where the module is not served", async () => {
    const other = await browser.newPage();
    await other.route("**/*.wasm", (route) => route.fulfill({ status: 404 }));
    await other.goto(server.origin);
    const message = await other.evaluate(
      `import("/dist/backend/load-browser.js").then(({ createBackend }) => createBackend()).catch((error) => error.message)`,
    );
    expect(message).toMatch(
      /^no backend could be loaded\n {2}wasm: http.*voxnorm_bg\.wasm: 404.*\n {4}→ use a browser/,
    );
    await other.close();
  });

  it("lists the attempt where the worker is not served", async () => {
    const other = await browser.newPage();
    await other.route("**/worker-browser.js", (route) => route.fulfill({ status: 404 }));
    await other.goto(server.origin);
    const message = await other.evaluate(
      `import("/dist/backend/load-browser.js").then(({ createBackend }) => createBackend()).catch((error) => error.message)`,
    );
    expect(message).toMatch(/wasm: the worker's script could not be loaded/);
    await other.close();
  });
}
