/** What ran: enough to explain an output and to make it again. Plain JSON. */
import type { Backend } from "./backend/backend.ts";
import type { Grid, Volume, Warning } from "./volume.ts";

export interface Report {
  readonly voxnorm: string;
  readonly backend: BackendReport;
  readonly input: VolumeReport;
  readonly steps: readonly StepReport[];
  readonly output: VolumeReport;
  /** What a user should know of the steps' results. What the reader warned of stands with the input. */
  readonly warnings: readonly Warning[];
}

export interface BackendReport {
  readonly name: string;
  readonly simd: string;
  readonly threads: number;
  /** Why one thread ran where more were wanted. */
  readonly singleThreadReason?: string;
}

export interface StepReport {
  readonly step: string;
  readonly profile: string;
  /** Complete: what the defaults, the profile and the caller said. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The other inputs: a digest or the rule in place of a volume. */
  readonly inputs: Readonly<Record<string, { readonly digest?: string } | string>>;
  readonly fitted: Readonly<Record<string, unknown>>;
  readonly measures: Readonly<Record<string, unknown>>;
  readonly computeMs: number;
}

export interface VolumeReport {
  readonly source?: string;
  readonly grid: Grid;
  /** Absent unless digests were asked for: hashing costs more than many a step. */
  readonly digest?: string;
  readonly decisions?: readonly string[];
  readonly warnings?: readonly Warning[];
}

export function backendReport({ name, simd, threads, singleThreadReason }: Backend): BackendReport {
  return { name, simd, threads, ...(singleThreadReason === undefined ? {} : { singleThreadReason }) };
}

export function volumeReport(volume: Volume, hash: { readonly digest?: string } = {}): VolumeReport {
  const { source, decisions, warnings } = volume.meta;
  return {
    ...(source === undefined ? {} : { source }),
    grid: volume.grid,
    ...hash,
    ...(decisions.length > 0 ? { decisions } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}
