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
    "Whole processes, in turns, with Node's and Python's start: our command and a script that reads, works and writes. Times as fast: as\n" +
      "the fastest script on as many threads or fewer.\n" +
      (each.withheld ? `Both without ${each.withheld.join(" and ")}, which would add to Node's start.\n` : "") +
      (each.id.endsWith("zscore")
        ? "Difference: RMS of (the peer's image − ours) over the standard deviation of ours, in the mask."
        : "Difference: RMS of the logarithm of (the peer's corrected image / ours), its mean removed, in the mask.\n" +
          "SimpleITK has one gzip level for NIfTI; it ignores any that is asked for.") +
      " All write float32.",
    table(["peak memory, MB", "threads", "whole process", "idle", "over idle", "limit", ""], memory),
    "Idle: `node -e 0`, or Python once it has imported the package. Limit: the input as float32, two volumes as large, and 60 MB.",
  ].join("\n\n");
}

/** The row's rounds as times as fast as the fastest of the peers on no more threads; undefined where there is none. */
export function fileRatios(each: FileRecord, ours: FileRow, peers = each.rows): number[] | undefined {
  const peer = peerOf(peers, ours);
  return peer && ours.runs.map(({ ms }, round) => peer.runs[round]!.ms / ms);
}

export function peerOf(rows: readonly FileRow[], ours: FileRow): FileRow | undefined {
  const able = rows.filter(
    ({ peer, threads, reason }) => peer !== undefined && threads <= ours.threads && reason === undefined,
  );
  const time = ({ runs }: FileRow) => median(runs.map(({ ms }) => ms));
  return able.sort((a, b) => time(a) - time(b))[0];
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
