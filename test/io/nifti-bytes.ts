/** NIfTI files built by hand, sound unless a test says otherwise; shares nothing with the writer under test. */
import { gzipSync } from "node:zlib";

export interface Form {
  readonly code: number;
  /** qform: b, c, d, x, y, z. sform: three rows of four. */
  readonly numbers: readonly number[];
}

export interface Parts {
  readonly version?: 1 | 2;
  readonly little?: boolean;
  readonly datatype?: number;
  readonly bitpix?: number;
  readonly dim?: readonly number[];
  readonly pixdim?: readonly number[];
  readonly offset?: number;
  readonly slope?: number;
  readonly intercept?: number;
  readonly qform?: Form;
  readonly sform?: Form;
  readonly units?: number;
  readonly description?: string;
  readonly magic?: string;
  readonly sizeofHdr?: number;
  /** What lies between the header and the voxels. */
  readonly between?: Uint8Array;
  /** The voxels' bytes; zeros where not given. */
  readonly voxels?: Uint8Array;
}

export const identity: Form = { code: 1, numbers: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0] };
const noForm = (count: number): Form => ({ code: 0, numbers: new Array(count).fill(0) });

/** Bits of a number, by datatype. */
export const types = {
  uint8: [2, 8],
  int16: [4, 16],
  int32: [8, 32],
  float32: [16, 32],
  float64: [64, 64],
  int8: [256, 8],
  uint16: [512, 16],
  uint32: [768, 32],
  int64: [1024, 64],
  uint64: [1280, 64],
} as const satisfies Record<string, [code: number, bits: number]>;

/** A file of 3 × 2 × 2 bytes at the identity, changed by `parts`. */
export function niftiBytes(parts: Parts = {}): Uint8Array {
  const { version = 1, little = true, datatype = 2, dim = [3, 3, 2, 2, 1, 1, 1, 1] } = parts;
  const { pixdim = [1, 1, 1, 1, 1, 1, 1, 1], qform = noForm(6), sform = identity, between = new Uint8Array(4) } = parts;
  const bits = Object.values(types).find(([code]) => code === datatype)?.[1] ?? 8;
  const header = version === 1 ? 348 : 540;
  const count = dim.slice(1, 1 + dim[0]!).reduce((product, n) => product * n, 1);
  const zeros = count > 0 && count < 1e6 ? (count * bits) / 8 : 0;
  const voxels = parts.voxels ?? new Uint8Array(zeros);
  const bytes = new Uint8Array(header + between.length + voxels.length);
  const view = new DataView(bytes.buffer);
  const short = (at: number, ...values: number[]) =>
    values.forEach((v, i) => void view.setInt16(at + 2 * i, v, little));
  const int = (at: number, ...values: number[]) => values.forEach((v, i) => void view.setInt32(at + 4 * i, v, little));
  const long = (at: number, ...values: number[]) =>
    values.forEach((v, i) => void view.setBigInt64(at + 8 * i, BigInt(v), little));
  const float = (at: number, ...values: number[]) =>
    values.forEach((v, i) => void view.setFloat32(at + 4 * i, v, little));
  const double = (at: number, ...values: number[]) =>
    values.forEach((v, i) => void view.setFloat64(at + 8 * i, v, little));
  const text = (at: number, value: string) =>
    bytes.set(
      [...value].map((c) => c.charCodeAt(0)),
      at,
    );

  const { offset = header + between.length, slope = 1, intercept = 0, bitpix = bits, units = 10 } = parts;
  int(0, parts.sizeofHdr ?? header);
  if (version === 1) {
    short(40, ...dim);
    short(70, datatype, bitpix);
    float(76, ...pixdim);
    float(108, offset, slope, intercept);
    bytes[123] = units;
    text(148, parts.description ?? "");
    short(252, qform.code, sform.code);
    float(256, ...qform.numbers, ...sform.numbers);
    text(344, parts.magic ?? "n+1");
  } else {
    text(4, parts.magic ?? "n+2\0\r\n\x1a\n");
    short(12, datatype, bitpix);
    long(16, ...dim);
    double(104, ...pixdim);
    long(168, offset);
    double(176, slope, intercept);
    text(240, parts.description ?? "");
    int(344, qform.code, sform.code);
    double(352, ...qform.numbers, ...sform.numbers);
    int(500, units);
  }
  bytes.set(between, header);
  bytes.set(voxels, header + between.length);
  return bytes;
}

/** An extension's bytes: its size as stored, its code and content. */
export function extension(size: number, code: number, content = 8): Uint8Array {
  const bytes = new Uint8Array(4 + 8 + content);
  const view = new DataView(bytes.buffer);
  bytes[0] = 1;
  view.setInt32(4, size, true);
  view.setInt32(8, code, true);
  return bytes;
}

export const packed = (bytes: Uint8Array): Uint8Array => new Uint8Array(gzipSync(bytes));
