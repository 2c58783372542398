/** voxnorm for Node: the native backend first, WebAssembly where it cannot be loaded. */
import { createBackend } from "./backend/load-node.ts";
import { shareBackend } from "./backend/shared.ts";

shareBackend(createBackend);

export * from "./api.ts";
export { createBackend } from "./backend/load-node.ts";
export {
  decode,
  decodeAll,
  decodeMask,
  encode,
  encodeAll,
  encodePair,
  readMask,
  readVolume,
  readVolumes,
  writeVolume,
  writeVolumes,
} from "./io/index-node.ts";
export type { EncodeReport } from "./io/nifti-stored.ts";
