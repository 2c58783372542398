/** Reading in tests: on either platform, and what went wrong as its code. */
import { decode as decodePortably } from "../../dist/io/index.js";
import { decode } from "../../dist/io/index-node.js";
import type { Volume } from "../../dist/volume.js";
import { oracleBackend } from "./oracle-backend.ts";

export const platforms = { node: decode, portable: decodePortably };

export function read(bytes: Uint8Array, options: Partial<Parameters<typeof decode>[1]> = {}): Promise<Volume> {
  return decode(bytes, { backend: oracleBackend, ...options });
}

/** The code and message that reading on both platforms ends with. */
export async function failure(bytes: Uint8Array, options = {}): Promise<{ code: string; message: string }> {
  const [first, second] = await Promise.all(
    Object.values(platforms).map((decode) =>
      decode(bytes, { backend: oracleBackend, ...options }).then(
        () => ({ code: "none", message: "" }),
        ({ code, message }) => ({ code, message }),
      ),
    ),
  );
  if (first!.code !== second!.code) throw new Error(`node: ${first!.code}, portable: ${second!.code}`);
  return first!;
}

/** The codes of the warnings that reading on both platforms leaves. */
export async function warnings(bytes: Uint8Array): Promise<string[]> {
  const [first, second] = await Promise.all(
    Object.values(platforms).map(async (decode) =>
      (await decode(bytes, { backend: oracleBackend })).meta.warnings.map(({ code }) => code),
    ),
  );
  if (`${first}` !== `${second}`) throw new Error(`node: ${first}, portable: ${second}`);
  return first!;
}
