/** What the benchmarks are to show, and whether they do. */
import type { BenchRecord, CaseRecord, FileRecord } from "../record.ts";
import { median } from "../statistics.ts";
import { fileRatios, memoryLimit, peak } from "./files.ts";
import { counted, megabytes, percent, short, table } from "./format.ts";
import { pair, ratios } from "./timing.ts";

interface Goal {
  readonly what: string;
  readonly wanted: string;
  /** Undefined where it was not measured. */
  readonly reached: string | undefined;
  /** Undefined where nothing is wanted. */
  readonly isReached: boolean | undefined;
}

export function goalTable(record: BenchRecord): string {
  const rows = goals(record).map(({ what, wanted, reached, isReached }) => [
    what,
    wanted,
    reached ?? "",
    reached === undefined ? "not measured" : verdict(isReached),
  ]);
  return table(["goal", "wanted", "measured", ""], rows);
}

function verdict(isReached: boolean | undefined): string {
  if (isReached === undefined) return "";
  return isReached ? "reached" : "**missed**";
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
    ...[1, 2].map((threads) => fileSpeedByHand(files("file-to-file-zscore"), threads)),
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
  return atLeast(`${what}, ${backend}, ${counted(threads)}`, value, wanted);
}

/**
 * Ten times the fastest peer's speed, or where memory forbids that, within 1.5 times what it takes: the statistics read
 * the voxels and the mask, and the map is a copy. Reading is a third of a copy, which reads what it writes over, too.
 */
function normalising(each: CaseRecord, threads: number): Goal {
  const found = pair(each, threads);
  const memory = each.memory?.find((copies) => copies.threads === threads);
  if (!found || !memory) return speed(each, 10, threads);
  const reads = "mask" in each.inputs ? 2 : 1;
  const memoryMs = (1 + reads / 3) * median(memory.copyMs.flat());
  if (median(found.peer.rounds.flat()) / 10 >= 1.5 * memoryMs) return speed(each, 10, threads);
  const read = reads === 1 ? "a read and a copy" : "two reads and a copy";
  const what = `${each.title}, native, ${counted(threads)}: time over that of memory for ${read}`;
  return atMost(what, 1.5, median(found.ours.rounds.flat()) / memoryMs, (value) => `${short(value)}×`);
}

/** Of the packages that have the method. */
function fileSpeed(each: FileRecord | undefined, wanted: number, threads: number): Goal {
  return atLeast(...fileMedian(each, threads, false), wanted);
}

/** Of a script without such a package: told, though nobody asked for it. */
function fileSpeedByHand(each: FileRecord | undefined, threads: number): Goal {
  const [what, value] = fileMedian(each, threads, true);
  return { ...atLeast(`${what}, against a script without a package`, value, 0), wanted: "", isReached: undefined };
}

function fileMedian(each: FileRecord | undefined, threads: number, isByHand: boolean): [string, number | undefined] {
  const ours = each?.rows.find((row) => row.who === "voxnorm native" && row.threads === threads);
  const peers = each?.rows.filter((row) => (row.isByHand ?? false) === isByHand);
  const values = each && ours && fileRatios(each, ours, peers);
  return [`${each?.title ?? "file to file"}, ${counted(threads)}`, values && median(values)];
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

function atLeast(what: string, value: number | undefined, least: number): Goal {
  const reached = value === undefined ? undefined : `${short(value)}×`;
  return { what, wanted: `≥ ${least}×`, reached, isReached: value !== undefined && value >= least };
}

function atMost(what: string, most: number, value: number | undefined, show: (value: number) => string): Goal {
  const reached = value === undefined ? undefined : show(value);
  return { what, wanted: `≤ ${show(most)}`, reached, isReached: value !== undefined && value <= most };
}
