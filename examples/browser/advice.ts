/** What a person in front of this page can do about an error. */
import type { VoxnormError } from "voxnorm";

const byCode: Partial<Record<VoxnormError["code"], string>> = {
  MissingInput: "Choose a file, or try the example.",
  UnknownFormat: "Choose a NIfTI file (.nii or .nii.gz). DICOM series can be converted with dcm2niix.",
  Truncated: "The file is incomplete: copy or download it again.",
  BadGzip: "The file is damaged: copy or download it again.",
  GridMismatch: "The mask must be drawn on this very image: choose the mask that belongs to it, or resample it.",
  EmptyMask: "Choose another mask, or none.",
  NotFinite: "Choose a mask that leaves out the voxels that are not numbers.",
  ConstantImage: "Is this the right file? All its voxels are equal.",
  TooLarge: "Use voxnorm's command line, whose limit can be raised.",
  Cancelled: "Change the choices or start again.",
  BackendUnavailable: "Use a current browser; the message above tells what is missing.",
  BadOption: "Correct the number and try again.",
};

export function adviceFor(error: VoxnormError): string {
  if (byCode[error.code] !== undefined) return byCode[error.code]!;
  if (error.kind === "input") return "Choose another file.";
  return "This is a defect of voxnorm. Reload the page, and please report the message above.";
}
