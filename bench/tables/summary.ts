/** The benchmark in one table: our widest instruction set and WebAssembly beside the peer. */
import type { BenchRecord, CaseRecord } from "../record.ts";
import { median } from "../statistics.ts";
import { fileRatios, peerOf } from "./files.ts";
import { milliseconds, percent, short, spread, table } from "./format.ts";
import { pair, ratios, type Timing } from "./timing.ts";

/** A line for each case and number of threads, with the spread of the ratios. */
export function summary(record: BenchRecord): string {
  const lines = record.cases.flatMap((each) => [1, 2].map((threads) => caseLine(each, threads, spreadOf)));
  const head = ["case", "threads", "native ms", "WASM ms", "peer ms", "", "native times as fast", "WASM times as fast"];
  return table([...head, "fields differ by"], lines);
}

/** One thread, and file to file, for a first look. */
export function brief(record: BenchRecord): string {
  const lines = record.cases.map((each) => caseLine(each, 1, (values) => `**${short(median(values))}×**`));
  for (const each of record.files.filter(({ id }) => id !== "file-to-file-shrink1")) {
    const [native, wasm] = ["voxnorm native", "voxnorm wasm"].map((who) =>
      each.rows.find((row) => row.who === who && row.threads === 1 && row.reason === undefined),
    );
    const peer = native && peerOf(each.rows, native);
    const time = (row: typeof native) => (row ? milliseconds(median(row.runs.map(({ ms }) => ms))) : "not run");
    const faster = (row: typeof native) => {
      const values = row && fileRatios(each, row);
      return values ? `**${short(median(values))}×**` : "";
    };
    const cells = [time(native), time(wasm), time(peer), peer?.who ?? "", faster(native), faster(wasm)];
    lines.push([each.title, "1", ...cells, percent(peer?.difference)]);
  }
  const head = ["one thread", "native ms", "WASM ms", "peer ms", "", "native", "WASM", "fields differ by"];
  return table(
    head,
    lines.map(([title, , ...cells]) => [title!, ...cells]),
  );
}

function caseLine(each: CaseRecord, threads: number, show: (values: number[]) => string): string[] {
  const name = [each.title, `${threads}`];
  if (each.reason !== undefined) return [...name, `not run: ${each.reason}`, "", "", "", "", "", ""];
  const [native, wasm] = [pair(each, threads), pair(each, threads, "wasm")];
  const absent = each.rows.find((row) => row.peer !== undefined && row.reason !== undefined);
  if (native === undefined) return [...name, "", "", `not run: ${absent?.reason}`, absent?.who ?? "", "", "", ""];
  const time = (timing: Timing | undefined) => (timing ? milliseconds(median(timing.rounds.flat())) : "");
  const { peer } = native;
  return [
    ...[...name, time(native.ours), time(wasm?.ours), time(peer)],
    `${peer.row.who}${peer.isScaled ? ", scaled" : ""}`,
    ...[native, wasm].map((found) => (found ? show(ratios(found.peer, found.ours)) : "")),
    percent(peer.row.difference),
  ];
}

function spreadOf(values: number[]): string {
  return `${spread(values, short)}`;
}
