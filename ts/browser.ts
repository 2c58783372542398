/** voxnorm for browsers: WebAssembly in a worker; nothing leaves the page. */
import { createBackend } from "./backend/load-browser.ts";
import { shareBackend } from "./backend/shared.ts";

shareBackend(createBackend);

export * from "./api.ts";
export { createBackend } from "./backend/load-browser.ts";
export { decode, decodeAll, decodeMask, encode, encodeAll, encodePair } from "./io/index.ts";
export type { EncodeReport } from "./io/nifti-stored.ts";
