/** The public API that Node and browsers share. */
export type { Backend, BackendOptions, Progress } from "./backend/backend.ts";
export { digest } from "./digest.ts";
export { type ErrorCode, type ErrorKind, errorCodes, VoxnormError } from "./errors.ts";
export { gridDifference } from "./grid.ts";
export { type NnunetOptions, type NnunetPlace, nnunetOptions } from "./nnunet-options.ts";
export { type Pipeline, type PipelineContext, type PipelineResult, pipeline } from "./pipeline.ts";
export type { Report, StepReport, VolumeReport } from "./report.ts";
export { runSeries, type SeriesContext, type SeriesReport, type SeriesResult } from "./series.ts";
export type { Applied, BoundStep, RunContext, Step } from "./step.ts";
export * from "./steps/index.ts";
export * as steps from "./steps/index.ts";
export { version } from "./version.ts";
export {
  type Affine,
  type Grid,
  gridOf,
  type ItkFrame,
  type Mask,
  type Meta,
  type Triple,
  type Volume,
  volume,
  type Warning,
} from "./volume.ts";
