/** Services give the same answers on every backend, and the answers are right. */
import { beforeAll, describe, expect, it } from "vitest";
import type { BackendOptions } from "../../dist/backend/backend.js";
import { digestCall, everyBackend, expectedDigest, oddVoxels, withBackend } from "./backends.ts";

let backends: BackendOptions[];
beforeAll(async () => {
  backends = await everyBackend();
});

/** What `call` gives on each backend, one label a backend. */
async function onEach<T>(use: Parameters<typeof withBackend<T>>[1]): Promise<[string, T][]> {
  const results: [string, T][] = [];
  for (const options of backends) {
    results.push([`${options.backend} ${options.simd ?? options.threads}`, await withBackend(options, use)]);
  }
  return results;
}

describe("voxels.digest", () => {
  it.each([1, 1023, 1024, 1025, 40_000])("of %i voxels is SHA-256 of the stated layout", async (length) => {
    const voxels = oddVoxels(length);
    const expected = expectedDigest(voxels);
    for (const [label, { json }] of await onEach((backend) => backend.run(digestCall(voxels)))) {
      expect(json, label).toEqual({ digest: expected });
    }
  });
});

describe("voxels.decode", () => {
  it("reads both byte orders and scales in double precision", async () => {
    const stored = [-32768, -1, 0, 1, 255, 256, 32767];
    const expected = stored.map((value) => Math.fround(value * 0.1 + 7));
    for (const bigEndian of [false, true]) {
      const bytes = new DataView(new ArrayBuffer(stored.length * 2));
      stored.forEach((value, i) => {
        bytes.setInt16(i * 2, value, !bigEndian);
      });
      const request = { stored: "int16", bigEndian, scale: [0.1, 7] };
      const call = { step: "voxels.decode", phase: "run", request, buffers: { bytes: new Uint8Array(bytes.buffer) } };
      for (const [label, { buffers }] of await onEach((backend) => backend.run(call as never))) {
        expect([...buffers.voxels!], label).toEqual(expected);
      }
    }
  });

  it("takes an empty array", async () => {
    const request = { stored: "float32", bigEndian: false, scale: null };
    const call = { step: "voxels.decode", phase: "run", request, buffers: { bytes: new Uint8Array(0) } } as const;
    for (const [label, { buffers }] of await onEach((backend) => backend.run(call))) {
      expect(buffers.voxels, label).toEqual(new Float32Array(0));
    }
  });
});
