/**
 * Every step, every case, on every backend, instruction set and number of threads: one SHA-256.
 *
 * Nothing here names a step. What a case's call gives is hashed by node:crypto, the JSON of fitted values and
 * measures included; then the values are compared with the independent program's.
 */
import { createHash } from "node:crypto";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Call, Reply } from "../../dist/backend/backend.js";
import { type Backend, createBackend, digest, type Mask, steps } from "../../dist/index.js";
import { open as openBackend, threadsSkipReason, wasmOn } from "../backend/backends.ts";
import { launch, skipReason } from "../browser/chromium.ts";
import { serve } from "../browser/serve.ts";
import { agreement, type Found, findCases, fittedTolerance, load, numberAt } from "./cases.ts";

const native = await createBackend({ backend: "native", threads: 2 });
const threads = [1, 2, 8];
const wasmThreads = threadsSkipReason ? [1] : threads;

/** The call that a case makes, caught on its way to a backend. */
async function callOf({ bound, golden }: Found): Promise<{ call: Call; inputs: Record<string, Mask | string> }> {
  const inputs = await load(golden, native);
  let caught: Call | undefined;
  const catching: Backend = {
    ...native,
    run: async (call) => {
      caught = call;
      return { json: {}, buffers: {} };
    },
  };
  await bound.run(inputs as never, golden.outputs, { backend: catching });
  return { call: caught as Call, inputs };
}

function hash({ json, buffers }: Reply): string {
  const sha = createHash("sha256").update(JSON.stringify(json));
  for (const name of Object.keys(buffers).sort()) {
    const { buffer, byteOffset, byteLength } = buffers[name]!;
    sha.update(name).update(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
  }
  return sha.digest("hex");
}

/** The call, its image given up, so that a step that can writes the image in its place; none where no image is wanted. */
function inPlace(call: Call): Call | undefined {
  if (!(call.request as { outputs: string[] }).outputs.includes("image")) return undefined;
  const image = (call.buffers.image as Float32Array).slice();
  return { ...call, buffers: { ...call.buffers, image }, into: { image } };
}

afterAll(() => native.close());

it.skipIf(threadsSkipReason)(
  `WebAssembly is shown on threads${threadsSkipReason ? ` (skipped: ${threadsSkipReason})` : ""}`,
  () => {
    expect(wasmThreads).toEqual(threads);
  },
);

it("the two halves of the program know the same steps", async () => {
  expect([...native.catalog.steps].sort()).toEqual(
    Object.values(steps)
      .map(({ id }) => id)
      .sort(),
  );
  for (const count of wasmThreads) {
    const wasm = await createBackend({ backend: "wasm", threads: count });
    expect(wasm.catalog.steps).toEqual(native.catalog.steps);
    await wasm.close();
  }
  for (const [key, step] of Object.entries(steps))
    expect(step.id.replace(/-(\w)/g, (_, c) => c.toUpperCase())).toBe(key);
});

for (const found of findCases()) {
  const { id, name, golden, absent } = found;
  const reason = absent.length > 0 ? ` (skipped: ${absent.join(", ")} absent)` : "";
  describe.skipIf(absent.length > 0)(`${id}: ${name}${reason}`, () => {
    let call: Call;
    let inputs: Record<string, Mask | string>;
    let reply: Reply;
    let expected: string;

    beforeAll(async () => {
      ({ call, inputs } = await callOf(found));
      reply = await native.run(call);
      expected = hash(reply);
    });

    const slow = golden.agreementOnly;
    const told = slow === undefined ? "" : ` (skipped: ${slow})`;
    for (const simd of native.catalog.simd) {
      it.skipIf(slow)(`gives one digest natively at ${simd} on ${threads.join(", ")} threads${told}`, async () => {
        for (const count of threads) {
          const backend = await createBackend({ backend: "native", simd, threads: count });
          expect(hash(await backend.run(call)), `${count} threads`).toBe(expected);
          const again = count === 2 ? inPlace(call) : undefined;
          if (again) expect(hash(await backend.run(again)), "in place").toBe(expected);
          await backend.close();
        }
      });
    }

    it.skipIf(slow)(`gives the same digest in WebAssembly on ${wasmThreads.join(", ")} threads${told}`, async () => {
      for (const way of wasmOn(threads)) {
        const backend = await openBackend(way);
        expect(backend.threads).toBe(way.threads);
        expect(hash(await backend.run(call)), JSON.stringify(way)).toBe(expected);
        await backend.close();
      }
    });

    it.skipIf(slow ?? skipReason)(
      `gives the same digest in Chromium on ${wasmThreads.join(", ")} threads${told || (skipReason ? ` (skipped: ${skipReason})` : "")}`,
      async () => {
        const page = await chromium();
        const image = (inputs.image as Mask).grid;
        const digests: Record<string, string> = {};
        for (const [output, data] of Object.entries(reply.buffers)) {
          const volume = { data: data as Float32Array, grid: image, meta: { decisions: [], warnings: [] } };
          digests[output] = await digest(volume, native);
        }
        for (const count of wasmThreads) {
          expect(await page.run(call, count)).toEqual({ threads: count, json: reply.json, digests });
        }
      },
    );

    it.each(Object.entries(golden.fitted ?? {}))(
      `finds %s = %d within ${fittedTolerance} of it, as ${golden.source}`,
      (place, expected) => {
        const off = Math.abs(numberAt(reply.json.fitted, place) - expected);
        expect(off).toBeLessThanOrEqual(fittedTolerance * Math.abs(expected));
      },
    );

    for (const expectation of golden.expect) {
      const { rms: allowed, most } = expectation;
      const limit = allowed === undefined ? `${most} at most` : `${allowed} RMS`;
      it(`agrees on ${expectation.output} within ${limit} with ${golden.source}`, async () => {
        const output = reply.buffers[expectation.output] as Float32Array;
        const found = await agreement(expectation, output, inputs, native);
        expect(found.voxels).toBeGreaterThan(100);
        expect(allowed ?? most).toBeDefined();
        if (allowed !== undefined) expect(found.rms).toBeLessThan(allowed);
        if (most !== undefined) expect(found.most).toBeLessThan(most);
      });
    }
  });
}

interface InPage {
  run(call: Call, threads: number): Promise<unknown>;
}

let opened: Promise<InPage & { close(): Promise<void> }> | undefined;
const chromium = () => (opened ??= open());
afterAll(async () => (await opened)?.close());

/** A page that runs calls; their voxels reach it as requests that are answered from memory. */
async function open() {
  const folder = await mkdtemp(join(tmpdir(), "voxnorm-"));
  await symlink(fileURLToPath(new URL("../../dist", import.meta.url)), join(folder, "dist"));
  await writeFile(join(folder, "index.html"), "<!doctype html><title>conformance</title>");
  const server = await serve(folder, { isolated: true });
  const browser = await launch();
  const page = await browser.newPage();
  let buffers: Call["buffers"] = {};
  await page.route("**/voxels/*", (route) => {
    const data = buffers[new URL(route.request().url()).pathname.split("/").at(-1)!]!;
    return route.fulfill({ body: Buffer.from(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength) });
  });
  await page.goto(server.origin);
  await page.evaluate(`(async () => {
    const { createBackend } = await import("/dist/backend/load-browser.js");
    globalThis.runCall = async ({ step, phase, request, kinds, threads }) => {
      const backend = await createBackend({ threads });
      const fetched = Object.entries(kinds).map(async ([name, kind]) => [name, new globalThis[kind](await (await fetch("/voxels/" + name)).arrayBuffer())]);
      const { json, buffers } = await backend.run({ step, phase, request, buffers: Object.fromEntries(await Promise.all(fetched)) });
      const { shape, affine, channels } = request.inputs.image;
      const digests = {};
      for (const [name, voxels] of Object.entries(buffers)) {
        const call = { step: "voxels.digest", phase: "run", request: { shape, affine, channels }, buffers: { voxels } };
        digests[name] = (await backend.run(call)).json.digest;
      }
      await backend.close();
      return { threads: backend.threads, json, digests };
    };
  })()`);
  return {
    async run({ step, phase, request, buffers: given }: Call, threads: number) {
      buffers = given;
      const kinds = Object.fromEntries(Object.entries(given).map(([name, data]) => [name, data.constructor.name]));
      const told = JSON.stringify({ step, phase, request, kinds, threads });
      return await page.evaluate(`runCall(${told})`);
    },
    async close() {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}
