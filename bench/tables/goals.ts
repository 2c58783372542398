/** What the benchmarks are to show, and whether they do. */
import type { BenchRecord, CaseRecord, FileRecord } from "../record.ts";
import { median } from "../statistics.ts";
import { fileRatios, memoryLimit, peak } from "./files.ts";
import { megabytes, percent, short, table } from "./format.ts";
import { pair, ratios } from "./timing.ts";

interface Goal {
  readonly what: string;
  readonly wanted: string;
  /** Undefined where it was not measured. */
  readonly reached: string | undefined;
  readonly isReached: boolean;
}

export function goalTable(record: BenchRecord): string {
  const rows = goals(record).map(({ what, wanted, reached, isReached }) => [
    what,
    wanted,
    reached ?? "",
    reached === undefined ? "not measured" : isReached ? "reached" : "**missed**",
  ]);
  return table(["goal", "wanted", "measured", ""], rows);
}

function goals(record: BenchRecord): Goal[] {
  const named = (id: string) => record.cases.find((each) => each.id === id);
  const files = (id: string) => record.files.find((each) => each.id === id);
  const isNormalising = ({ id }: CaseRecord) => id.startsWith("normalise-");
  const heads = [named("n4-niivue-shrink4"), named("n4-chris-shrink4")];
  return [
    ...heads.map((each) => speed(each, 400, 1)),
    ...heads.map((each) => speed(each, 300, 2)),
    ...[1, 2].map((threads) => speed(named("n4-niivue-shrink1"), 1200, threads)),
    ...heads.map((each) => speed(each, 150, 1, "wasm")),
    ...[1, 2].map((threads) => fileSpeed(files("file-to-file"), 15, threads)),
    ...[1, 2].map((threads) => fileSpeed(files("file-to-file-zscore"), 3, threads)),
    ...["file-to-file", "file-to-file-shrink1"].map((id) => memory(files(id))),
    ...record.cases.filter(isNormalising).flatMap((each) => [1, 2].map((threads) => normalising(each, threads))),
    agreement(record, "shrink factor 4", 0.01),
    agreement(record, "shrink factor 2", 0.01),
    agreement(record, "shrink factor 1", 0.02),
    agreement(record, "ANTs' recipe", 0.02),
    atMost("the .wasm file before compression", 400e3, record.wasmBytes, (bytes) => `${(bytes / 1e3).toFixed(0)} kB`),
  ];
}

function speed(each: CaseRecord | undefined, wanted: number, threads: number, backend = "native"): Goal {
  const found = each && pair(each, threads, backend);
  const value = found && median(ratios(found.peer, found.ours));
  const what = each?.title ?? "a case that is not in this record";
  return atLeast(`${what}, ${backend}, ${counted(threads)}`, wanted, value);
}

/**
 * Ten times the fastest peer's speed, unless memory alone forbids it: then within 1.5 times what it takes. That is reading all
 * voxels for the statistics, and reading and writing them for the map, at the speed of a copy on as many threads.
 */
function normalising(each: CaseRecord, threads: number): Goal {
  const found = pair(each, threads);
  if (!found || !each.copies) return speed(each, 10, threads);
  const memoryMs = (1.5 * median(each.copies.flat())) / threads;
  if (median(found.peer.rounds.flat()) / 10 >= memoryMs) return speed(each, 10, threads);
  const what = `${each.title}, native, ${counted(threads)}: time over that of memory for two reads and a write`;
  return atMost(what, 1.5, median(found.ours.rounds.flat()) / memoryMs, (value) => `${short(value)}×`);
}

function fileSpeed(each: FileRecord | undefined, wanted: number, threads: number): Goal {
  const ours = each?.rows.find((row) => row.who === "voxnorm native" && row.threads === threads);
  const values = each && ours && fileRatios(each, ours);
  return atLeast(`${each?.title ?? "file to file"}, ${counted(threads)}`, wanted, values && median(values));
}

function memory(each: FileRecord | undefined): Goal {
  const ours = each?.rows.filter((row) => row.who === "voxnorm native" && row.reason === undefined) ?? [];
  const value = ours.length > 0 ? Math.max(...ours.map((row) => peak(row).over)) : undefined;
  const what = `peak memory over an idle Node, ${each?.id ?? "file to file"}`;
  return atMost(what, each ? memoryLimit(each) : 0, value, (bytes) => `${megabytes(bytes)} MB`);
}

/** The worst of the cases whose title has `part`. */
function agreement({ cases }: BenchRecord, part: string, most: number): Goal {
  const values = cases
    .filter(({ title }) => title.includes(part))
    .flatMap(({ rows }) => rows.flatMap(({ difference }) => difference ?? []));
  const worst = values.length > 0 ? Math.max(...values) : undefined;
  return atMost(`fields equal the peer's, ${part}: worst RMS`, most, worst, (value) => percent(value));
}

function atLeast(what: string, least: number, value: number | undefined): Goal {
  const reached = value === undefined ? undefined : `${short(value)}×`;
  return { what, wanted: `≥ ${least}×`, reached, isReached: value !== undefined && value >= least };
}

function atMost(what: string, most: number, value: number | undefined, show: (value: number) => string): Goal {
  const reached = value === undefined ? undefined : show(value);
  return { what, wanted: `≤ ${show(most)}`, reached, isReached: value !== undefined && value <= most };
}

function counted(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}
