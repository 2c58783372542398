/** A running step tells how far it is and stops when told to, on both backends. */
import { describe, expect, it } from "vitest";
import type { Backend, Call, Progress } from "../../dist/backend/backend.js";
import { n4 } from "../../dist/index.js";
import { bothBackends, digestCall, oddVoxels, withBackend } from "./backends.ts";

/** Within this the caller has its answer, and a native call has let go of its arrays. */
const soon = 50;

const shape = [96, 96, 64];

/** Two tissues under a smooth bias. */
function image(): Float32Array {
  const [nx, ny, nz] = shape as [number, number, number];
  const voxels = new Float32Array(nx * ny * nz);
  for (let z = 0, i = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, i++) {
        const tissue = (Math.floor(x / 9) + Math.floor(y / 7) + Math.floor(z / 5)) % 2 === 0 ? 100 : 180;
        voxels[i] = tissue * (1 + 0.3 * Math.sin(x / 40) * Math.cos(y / 50)) + ((i * 7919) % 13);
      }
    }
  }
  return voxels;
}

/** A correction of so many iterations, none spared by the threshold. */
function n4Call(iterations: number[], more: Partial<Call> = {}): Call {
  const { options } = n4({ shrinkFactor: 2, iterations, convergenceThreshold: 0 });
  const affine = [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
  ];
  const request = { options, inputs: { image: { shape, affine, channels: 1 } }, outputs: ["image"] };
  return { step: "n4", phase: "run", request, buffers: { image: image() }, ...more };
}

/** Starts a long correction and resolves once it has told of progress. */
async function started(backend: Backend, signal: AbortSignal) {
  const events: Progress[] = [];
  let reply: Promise<unknown> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    const onProgress = (progress: Progress) => {
      events.push(progress);
      resolve();
    };
    reply = backend.run(n4Call([5000, 5000, 5000, 5000], { signal, onProgress }));
    reply.catch(reject);
  });
  return { reply, events };
}

describe.each(bothBackends)("$backend $threads $memory", (options) => {
  it("tells fraction, level, iteration and convergence, in order, and nothing after it settled", async () => {
    await withBackend(options, async (backend) => {
      const events: Progress[] = [];
      let isSettled = false;
      const onProgress = (progress: Progress) => {
        expect(isSettled).toBe(false);
        events.push(progress);
      };
      await backend.run(n4Call([6, 4], { onProgress })).finally(() => {
        isSettled = true;
      });
      const told = events.length;
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(events.length).toBe(told);
      expect(told).toBeGreaterThan(0);
      const fractions = events.map(({ fraction }) => fraction);
      expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
      for (const event of events) {
        expect(event.fraction).toBeGreaterThanOrEqual(0);
        expect(event.fraction).toBeLessThanOrEqual(1);
        expect(event).toMatchObject({ level: expect.any(Number), iteration: expect.any(Number) });
        expect(event.convergence).toBeGreaterThanOrEqual(0);
      }
    });
  });

  it("stops at once when the signal fires, and the next call works", async () => {
    await withBackend(options, async (backend) => {
      for (let round = 0; round < 3; round++) {
        const controller = new AbortController();
        const { reply, events } = await started(backend, controller.signal);
        const told = events.length;
        const start = performance.now();
        controller.abort();
        await expect(reply).rejects.toMatchObject({ code: "Cancelled", detail: { step: "n4" } });
        expect(performance.now() - start).toBeLessThan(soon);
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(events.length).toBe(told);
        expect((await backend.run(digestCall(oddVoxels(10)))).json.digest).toMatch(/^[0-9a-f]{64}$/);
      }
    });
  });

  it("stops what runs but not what waits behind it", async () => {
    await withBackend(options, async (backend) => {
      const controller = new AbortController();
      const { reply } = await started(backend, controller.signal);
      const behind = [backend.run(digestCall(oddVoxels(10))), backend.run(n4Call([2]))];
      controller.abort();
      await expect(reply).rejects.toMatchObject({ code: "Cancelled" });
      await Promise.all(behind);
    });
  });

  it("stops when the backend is closed", async () => {
    await withBackend(options, async (backend) => {
      const { reply } = await started(backend, new AbortController().signal);
      const settled = Promise.allSettled([reply]);
      const start = performance.now();
      await backend.close();
      expect(performance.now() - start).toBeLessThan(soon);
      expect(await settled).toMatchObject([{ reason: { code: "Cancelled", message: "n4: the backend was closed" } }]);
    });
  });
});

it("gives the same bits on both backends", async () => {
  const images = [];
  for (const options of bothBackends) {
    const { buffers, json } = await withBackend(options, (backend) => backend.run(n4Call([6, 4])));
    images.push({ json, bytes: Buffer.from(buffers.image!.buffer).toString("base64") });
  }
  for (const image of images) expect(image).toEqual(images[0]);
});
