/** From file to file: times, sizes, memory. */
import type { FileRecord, FileRow } from "../record.ts";
import { median } from "../statistics.ts";
import { megabytes, milliseconds, percent, short, spread, table } from "./format.ts";

export function fileSection(each: FileRecord): string {
  const heading = `## ${each.title}`;
  if (each.reason !== undefined) return `${heading}\n\nNot run: ${each.reason}.`;
  const rows = each.rows.map((row) => {
    const name = [row.who, `${row.threads}`];
    if (row.reason !== undefined) return [...name, `not run: ${row.reason}`, "", "", "", "", "", ""];
    const ratio = fileRatios(each, row);
    const part = (key: "decodeMs" | "computeMs" | "encodeMs") => {
      const values = row.runs.flatMap(({ timings }) => timings?.[key] ?? []);
      return values.length > 0 ? milliseconds(median(values)) : "";
    };
    return [
      ...[...name, spread(row.runs.map(({ ms }) => ms))],
      ...[part("decodeMs"), part("computeMs"), part("encodeMs")],
      ...[row.gzipLevel ?? "", row.bytes ? megabytes(row.bytes) : ""],
      row.peer === undefined ? (ratio ? spread(ratio, short) : "") : "1",
      percent(row.difference),
    ];
  });
  const head = ["who", "threads", "ms: median (least–most)", "decode", "compute", "encode", "gzip level", "output MB"];
  const memory = each.rows.filter(({ reason }) => reason === undefined).map((row) => memoryLine(each, row));
  return [
    heading,
    table([...head, "times as fast", "difference"], rows),
    "Whole processes, in turns, with Node's and Python's start: `voxnorm n4` and a script that reads, corrects and writes.\n" +
      (each.withheld ? `Both without ${each.withheld.join(" and ")}, which would add to Node's start.\n` : "") +
      "Difference: RMS of the logarithm of (the peer's corrected image / ours), its mean removed, in the mask.\n" +
      "SimpleITK has one gzip level for NIfTI; it ignores any that is asked for. Both write float32.",
    table(["peak memory, MB", "threads", "whole process", "idle", "over idle", "limit", ""], memory),
    "Idle: `node -e 0`, or Python once it has imported the package. Limit: the input as float32, two volumes as large, and 60 MB.",
  ].join("\n\n");
}

/** The row's rounds as times as fast as the peer's; undefined where it has none. */
export function fileRatios(each: FileRecord, ours: FileRow): number[] | undefined {
  const peer = each.rows.find(
    ({ peer, threads, reason }) => peer !== undefined && threads === ours.threads && reason === undefined,
  );
  return peer && ours.runs.map(({ ms }, round) => peer.runs[round]!.ms / ms);
}

/** In bytes. */
export function peak({ runs, idleKb = 0 }: FileRow): { whole: number; idle: number; over: number } {
  const whole = 1024 * Math.max(...runs.map(({ peakKb }) => peakKb));
  const idle = 1024 * idleKb;
  return { whole, idle, over: whole - idle };
}

/** In bytes, over an idle process. */
export function memoryLimit({ voxels }: FileRecord): number {
  return 3 * 4 * voxels + 60e6;
}

function memoryLine(each: FileRecord, row: FileRow): string[] {
  const { whole, idle, over } = peak(row);
  const limit = memoryLimit(each);
  const verdict = row.peer === undefined ? [megabytes(limit), over <= limit ? "kept" : "**exceeded**"] : ["", ""];
  return [row.who, `${row.threads}`, megabytes(whole), megabytes(idle), megabytes(over), ...verdict];
}
