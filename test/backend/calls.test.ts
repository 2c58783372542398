/** What holds for calls on both backends: failures stay theirs, arrays stay the caller's, the event loop stays free. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { Call, Reply } from "../../dist/backend/backend.js";
import { bothBackends, digestCall, expectedDigest, oddVoxels, withBackend } from "./backends.ts";

const voxels = oddVoxels(5000);
const expected = expectedDigest(voxels);
const panics: Call = { step: "diagnostics.panic", phase: "run", request: {}, buffers: {} };

describe.each(bothBackends)("$backend $threads $memory", (options) => {
  it("turns a panic into an error that carries its message, and the next call works", async () => {
    await withBackend(options, async (backend) => {
      for (let round = 0; round < 3; round++) {
        await expect(backend.run(panics)).rejects.toMatchObject({
          name: "VoxnormError",
          code: "Internal",
          message: expect.stringContaining("asked for"),
        });
        expect((await backend.run(digestCall(voxels))).json.digest).toBe(expected);
      }
    });
  });

  it("passes on an error's code, sentence and facts", async () => {
    await withBackend(options, async (backend) => {
      await expect(backend.run({ ...panics, step: "no-such-step" })).rejects.toMatchObject({
        code: "UnknownStep",
        message: expect.stringContaining("no-such-step"),
      });
    });
  });

  it("does not start a call whose signal has fired, and keeps the reason", async () => {
    await withBackend(options, async (backend) => {
      const signal = AbortSignal.abort("changed my mind");
      // Were it started, it would be Internal.
      await expect(backend.run({ ...panics, signal })).rejects.toMatchObject({
        code: "Cancelled",
        cause: "changed my mind",
        detail: { step: "diagnostics.panic" },
      });
    });
  });

  it("runs several calls at once, each with its own result", async () => {
    await withBackend(options, async (backend) => {
      const inputs = Array.from({ length: 12 }, (_, i) => oddVoxels(1000 + i));
      const replies = await Promise.allSettled(
        inputs.flatMap((input) => [backend.run(digestCall(input)), backend.run(panics)]),
      );
      const digests = replies.map((reply) => (reply.status === "fulfilled" ? reply.value.json.digest : "failed"));
      expect(digests).toEqual(inputs.flatMap((input) => [expectedDigest(input), "failed"]));
    });
  });

  it("lets a call go that waits its turn, and the others go on", async () => {
    await withBackend(options, async (backend) => {
      const controller = new AbortController();
      const before = backend.run(digestCall(voxels));
      const stopped = backend.run(digestCall(voxels, { signal: controller.signal }));
      const after = backend.run(digestCall(voxels));
      controller.abort();
      await expect(stopped).rejects.toMatchObject({ code: "Cancelled" });
      expect((await before).json.digest).toBe(expected);
      expect((await after).json.digest).toBe(expected);
    });
  });

  it("leaves the caller's arrays as they were, views into larger buffers too", async () => {
    await withBackend(options, async (backend) => {
      const whole = oddVoxels(6000);
      const copy = whole.slice();
      const view = whole.subarray(500, 5500);
      const { json } = await backend.run(digestCall(view));
      expect(json.digest).toBe(expectedDigest(copy.slice(500, 5500)));
      expect(whole.length).toBe(6000);
      expect(Buffer.from(whole.buffer).equals(Buffer.from(copy.buffer))).toBe(true);
    });
  });

  it("gives arrays that are the caller's own, whatever calls of other sizes come after", async () => {
    await withBackend(options, async (backend) => {
      const lengths = [1_000_000, 0, 3, 2_000_000, 1_000_000];
      const replies: Reply[] = [];
      for (const [i, length] of lengths.entries()) {
        const bytes = new Uint8Array(length).fill(i + 1);
        const request = { stored: "uint8", bigEndian: false, scale: null };
        replies.push(await backend.run({ step: "voxels.decode", phase: "run", request, buffers: { bytes } }));
      }
      for (const [i, { buffers }] of replies.entries()) {
        const { voxels } = buffers;
        expect([voxels?.buffer.constructor, voxels?.length]).toEqual([ArrayBuffer, lengths[i]]);
        expect(voxels?.every((voxel) => voxel === i + 1)).toBe(true);
      }
    });
  });

  it("does not block the event loop", async () => {
    await withBackend(options, async (backend) => {
      // 200 MB: a few hundred milliseconds of hashing.
      const large = new Float32Array(50_000_000);
      const ticks: number[] = [];
      // The WebAssembly backend copies the array first, on this thread, which a tick cannot interrupt.
      const reply = backend.run(digestCall(large));
      await new Promise((resolve) => setTimeout(resolve));
      const start = performance.now();
      const interval = setInterval(() => ticks.push(performance.now()), 1);
      await reply;
      const elapsed = performance.now() - start;
      clearInterval(interval);
      const gaps = ticks.map((tick, i) => tick - (ticks[i - 1] ?? start));
      expect(ticks.length).toBeGreaterThan(elapsed / 20);
      expect(Math.max(...gaps)).toBeLessThan(elapsed / 2);
    });
  });

  it("rejects what runs, waits or comes when it is closed", async () => {
    await withBackend(options, async (backend) => {
      const large = new Float32Array(20_000_000);
      const calls = [backend.run(digestCall(large)), backend.run(digestCall(large))];
      const settled = Promise.allSettled(calls);
      await backend.close();
      for (const call of await settled)
        expect(call).toMatchObject({ status: "rejected", reason: { code: "Cancelled" } });
      await expect(backend.run(digestCall(voxels))).rejects.toThrow("voxels.digest: the backend was closed");
      await backend.close();
    });
  });

  it("lets a process exit that did not close it, and only after its calls", async () => {
    const module = new URL("../../dist/backend/load-node.js", import.meta.url);
    const program = `
      import { createBackend } from ${JSON.stringify(module.href)};
      const backend = await createBackend(${JSON.stringify(options)});
      const request = { shape: [5e6, 1, 1], channels: 1, affine: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]] };
      const buffers = { voxels: new Float32Array(5e6) };
      backend.run({ step: "voxels.digest", phase: "run", request, buffers }).then(({ json }) => console.log(json.digest));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
      timeout: 20_000,
    });
    expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
  });
});
