/** Memory that nobody uses any more is let go of at once, and only that. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { type Backend, decode, readMask, readVolume, volume, writeVolume } from "../../dist/index.js";
import { random, useBackend } from "../api/images.ts";
import { niftiBytes, types } from "./nifti-bytes.ts";

const folder = mkdtempSync(join(tmpdir(), "voxnorm-"));
afterAll(() => rmSync(folder, { recursive: true }));

const shape = [40, 30, 20] as const;
const count = shape[0] * shape[1] * shape[2];
const next = random(3);
const values = Array.from({ length: count }, () => Math.floor(200 * next()));

describe("native", () => {
  const held = useBackend("native");

  /** The backend, and the lengths of what it lets go of. */
  function watched() {
    const { backend } = held;
    const released: number[] = [];
    const { name, simd, threads, catalog, hasDeflate } = backend;
    const watching: Backend = {
      ...{ name, simd, threads, catalog, hasDeflate: hasDeflate ?? false },
      run: (call) => backend.run(call),
      close: () => backend.close(),
      release(array) {
        released.push(array.length);
        backend.release!(array);
        expect(array.length).toBe(0);
      },
    };
    return { backend: watching, released };
  }

  function file(name: string, type: "uint8" | "float32"): { path: string; bytes: Uint8Array } {
    const [datatype, bitpix] = types[type];
    const voxels = new Uint8Array((type === "uint8" ? Uint8Array : Float32Array).from(values).buffer);
    const plain = niftiBytes({ dim: [3, ...shape, 1, 1, 1, 1], datatype, bitpix, voxels });
    const bytes = name.endsWith(".gz") ? gzipSync(plain) : plain;
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return { path, bytes };
  }

  it("the packed and the unpacked bytes of a volume that was converted", async () => {
    const { backend, released } = watched();
    const { path, bytes } = file("image.nii.gz", "uint8");
    const { data } = await readVolume(path, { backend });
    expect(released).toEqual([352 + count, bytes.length]);
    expect([...data]).toEqual(values);
  });

  it.each(["float32", "uint8"] as const)("the packed bytes alone of a view: %s", async (type) => {
    const { backend, released } = watched();
    const { path, bytes } = file(`${type}.nii.gz`, type);
    const { data } = type === "uint8" ? await readMask(path, { backend }) : await readVolume(path, { backend });
    expect(released).toEqual([bytes.length]);
    expect([...data]).toEqual(values);
  });

  it.each(["float32", "uint8"] as const)("nothing of a file that is not packed: %s", async (type) => {
    const { backend, released } = watched();
    const { path } = file(`${type}.nii`, type);
    const { data } = await readVolume(path, { backend });
    expect(released).toEqual([]);
    expect([...data]).toEqual(values);
  });

  it("nothing of the caller's bytes", async () => {
    const { backend, released } = watched();
    const { bytes } = file("again.nii.gz", "uint8");
    const { length } = bytes;
    await decode(bytes, { backend });
    expect(released).toEqual([352 + count]);
    expect(bytes.length).toBe(length);
  });

  it.each([".nii.gz", ".nii", ".hdr"])("pieces that are in a file, and no voxels: %s", async (ending) => {
    const { backend, released } = watched();
    const image = volume(Float32Array.from(values), [...shape]);
    const path = join(folder, `written${ending}`);
    await writeVolume(path, image, { backend });
    const sum = released.reduce((sum, length) => sum + length, 0);
    expect(sum).toBe(ending.endsWith(".gz") ? statSync(path).size : 0);
    expect([...image.data]).toEqual(values);
    expect([...(await readVolume(path, { backend })).data]).toEqual(values);
  });
});
