/** What a reader warns of: the one list of codes. Stable, as the codes of errors are. */
import type { Warning } from "../volume.ts";

export const warningCodes = {
  JunkAfterGzip: "Bytes behind the gzip stream were ignored",
  TrailingBytes: "Bytes behind the voxels were ignored",
  BitpixMismatch: "bitpix contradicts datatype, which was believed",
  IgnoredIntercept: "scl_inter was ignored, since scl_slope says that there is no scaling",
  VoxOffsetRepaired: "vox_offset was no whole number of bytes, or missing",
  ExtensionsIgnored: "The list of extensions ends early",
  UnknownTransformCode: "A transform's code is none that NIfTI defines; the transform was ignored",
  NoOrientation: "Neither transform is given; the image was centred at the origin",
  SpacingRepaired: "A voxel size that is no length was replaced by 1 mm",
  QfacRepaired: "pixdim[0] was neither 1 nor -1 and was taken as 1",
  Sheared: "The voxels' axes are not at right angles",
  ItkDiffers: "ITK would place the image elsewhere, or refuse it",
  UnitsIgnored: "The header's spatial unit is not millimetres; its numbers were taken as millimetres",
  VectorsSplit: "The values of each voxel became a volume each",
  IntegersRounded: "Integers beyond 2^24 were rounded to single precision",
} as const satisfies Record<string, string>;

export type WarningCode = keyof typeof warningCodes;
export type Warn = (code: WarningCode, message: string) => void;

/** Gathers what a reader has to say. */
export class Notes {
  readonly decisions: string[] = [];
  readonly warnings: Warning[] = [];

  readonly decide = (sentence: string): void => {
    this.decisions.push(sentence);
  };

  readonly warn: Warn = (code, message) => {
    this.warnings.push({ code, message });
  };
}
