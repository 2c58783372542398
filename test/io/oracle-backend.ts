/** `voxels.decode` in slow, obvious TypeScript: an oracle for the Rust one, and a backend for tests that need none. */
import type { Backend } from "../../dist/backend/backend.js";

const readers: Record<string, [size: number, read: (view: DataView, at: number, little: boolean) => number | bigint]> =
  {
    uint8: [1, (view, at) => view.getUint8(at)],
    int8: [1, (view, at) => view.getInt8(at)],
    uint16: [2, (view, at, little) => view.getUint16(at, little)],
    int16: [2, (view, at, little) => view.getInt16(at, little)],
    uint32: [4, (view, at, little) => view.getUint32(at, little)],
    int32: [4, (view, at, little) => view.getInt32(at, little)],
    uint64: [8, (view, at, little) => view.getBigUint64(at, little)],
    int64: [8, (view, at, little) => view.getBigInt64(at, little)],
    float32: [4, (view, at, little) => view.getFloat32(at, little)],
    float64: [8, (view, at, little) => view.getFloat64(at, little)],
  };

interface Request {
  readonly stored: string;
  readonly bigEndian: boolean;
  readonly scale: [number, number] | null;
}

export const oracleBackend: Backend = {
  name: "native",
  simd: "none",
  threads: 1,
  catalog: { version: "0", steps: [], simd: [] },
  close: async () => {},
  run: async ({ request, buffers }) => {
    const { stored, bigEndian, scale } = request as Request;
    const bytes = buffers.bytes!;
    const [size, read] = readers[stored]!;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const voxels = new Float32Array(bytes.length / size);
    let rounded = 0;
    let overflowed = 0;
    for (let index = 0; index < voxels.length; index++) {
      const value = read(view, index * size, !bigEndian);
      // Numbers that double precision holds are rounded once. Larger integers would be rounded twice: avoid them.
      const scaled = scale === null ? Number(value) : Number(value) * scale[0] + scale[1];
      voxels[index] = scaled;
      if (scale === null && !stored.startsWith("f") && BigInt(voxels[index]!) !== BigInt(value)) rounded++;
      if (!Number.isFinite(voxels[index]!) && Number.isFinite(Number(value))) overflowed++;
    }
    return { json: { rounded, overflowed }, buffers: { voxels } };
  },
};
