/** What a file format is to the rest: a way to recognise it, to read it and to write it. */
import type { Backend } from "../backend/backend.ts";
import type { Mask, Volume } from "../volume.ts";
import type { Content } from "./content.ts";
import type { EncodeReport } from "./nifti-stored.ts";
import type { Limits } from "./options.ts";
import type { Pieces } from "./platform.ts";
import type { Notes } from "./warnings.ts";

export type FormatId = "nifti" | "png";

export interface Format {
  readonly id: FormatId;
  /** Usual endings of a name, for the writer and for messages; reading goes by content. */
  readonly extensions: readonly string[];
  /** Whether a file that begins so is meant to be of this format, be it sound or not. */
  recognises(start: Uint8Array): boolean;
  /** How many voxels a file's first bytes declare, those of a pair's header where `isPair`. Throws where they are unsound. */
  declaredVoxels(start: Uint8Array, isPair: boolean): number;
  /** The volumes in the file's order, at least one. Throws `SeveralVolumes` where `single` is set and there are more. */
  decode(content: Content, context: DecodeContext): Promise<Mask[]>;
  /** The file's bytes, not compressed; of a pair, both files'. The volumes, at least one, share one grid. */
  encode(volumes: readonly Volume[], context: EncodeContext): Promise<Pieces[]>;
}

export interface EncodeContext {
  /** Header and voxels apart. */
  readonly isPair: boolean;
  readonly datatype: string;
  /** Asked for only where voxels must be converted. */
  readonly backend: () => Promise<Backend>;
  readonly onReport?: ((report: EncodeReport) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DecodeContext {
  /** The voxels, where the content is the header of a pair. */
  readonly img?: Content | undefined;
  readonly backend: Backend;
  readonly limits: Limits;
  /** Whether the caller has room for one volume only. */
  readonly single: boolean;
  /** Whether voxels may stay the unsigned bytes that the file holds; otherwise they become `float32`. */
  readonly keepBytes: boolean;
  /** Collects decisions and warnings for the volume's `meta`. */
  readonly notes: Notes;
  readonly source?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}
