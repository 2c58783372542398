/** NIfTI's number types by their code: which we read, and the names of those we do not. */
import { VoxnormError } from "../errors.ts";

export interface StoredType {
  /** As the service `voxels.decode` calls it. */
  readonly name: string;
  readonly bytes: number;
}

const read = {
  2: { name: "uint8", bytes: 1 },
  4: { name: "int16", bytes: 2 },
  8: { name: "int32", bytes: 4 },
  16: { name: "float32", bytes: 4 },
  64: { name: "float64", bytes: 8 },
  256: { name: "int8", bytes: 1 },
  512: { name: "uint16", bytes: 2 },
  768: { name: "uint32", bytes: 4 },
  1024: { name: "int64", bytes: 8 },
  1280: { name: "uint64", bytes: 8 },
} as const satisfies Record<number, StoredType>;

export type DatatypeName = (typeof read)[keyof typeof read]["name"];

export const datatypeNames = Object.values(read).map(({ name }) => name);

export function typeNamed(name: DatatypeName): StoredType & { readonly code: number } {
  const [code, type] = Object.entries(read).find(([, type]) => type.name === name)!;
  return { ...type, code: Number(code) };
}

const notRead: Record<number, string> = {
  0: "unknown",
  1: "binary",
  32: "complex64",
  128: "RGB24",
  1536: "float128",
  1792: "complex128",
  2048: "complex256",
  2304: "RGBA32",
};

/** Throws `UnsupportedType`, naming the type and what is read. */
export function storedType(code: number): StoredType {
  const type = (read as Record<number, StoredType>)[code];
  if (type !== undefined) return type;
  const supported = datatypeNames;
  const message = `datatype: expected one of ${supported.join(", ")}, got ${code} (${notRead[code] ?? "not defined"})`;
  throw new VoxnormError("UnsupportedType", message, { datatype: code, name: notRead[code] ?? null, supported });
}
