/** What a record says, as Markdown. Every statistic is worked out here, from raw times. */
import type { BenchRecord, CaseRecord, Row, Startup } from "./record.ts";
import { median, range } from "./statistics.ts";

/** One line a case and number of threads: our widest instruction set beside each peer. */
export function summary(record: BenchRecord): string {
  const lines = record.cases.flatMap((each) => {
    if (each.reason !== undefined) return [[each.title, "", "", "", `not run: ${each.reason}`, ""]];
    return headlines(each).map(({ ours, peer, threads }) => [
      each.title,
      `${threads}`,
      `${milliseconds(median(times(ours)))} ms`,
      peer.reason === undefined ? `${milliseconds(median(times(peer)))} ms` : `not run: ${peer.reason}`,
      peer.reason === undefined ? ratio(peer, ours) : "",
      difference(each, peer),
    ]);
  });
  const peers = record.peers.map(({ name, version }) => [name, version].filter(Boolean).join(" ")).join(", ");
  return table(["case", "threads", "voxnorm", peers, "times as fast", "fields differ by"], lines, 1);
}

/** The first case's one-thread pair, in a sentence; undefined where it did not run. */
export function headline(record: BenchRecord): string | undefined {
  for (const each of record.cases) {
    const pair = headlines(each).find(({ peer }) => peer.reason === undefined);
    if (pair === undefined) continue;
    const { ours, peer, threads } = pair;
    const [own, theirs] = [median(times(ours)), median(times(peer))];
    return (
      `${each.title}, ${threads === 1 ? "one thread" : `${threads} threads`}: **${milliseconds(own)} ms where ` +
      `${peer.who} takes ${milliseconds(theirs)} ms, ${ratio(peer, ours, "")} times as fast**, ` +
      `the fields differing by ${difference(each, peer)}.`
    );
  }
  return undefined;
}

/** One case: every contender, then our instruction sets among themselves. */
export function caseSection(each: CaseRecord): string {
  const heading = `## ${each.title}`;
  if (each.reason !== undefined) return `${heading}\n\nNot run: ${each.reason}.`;
  const rows = byThreads(each.rows).map((row) => {
    const name = [row.who, `${row.threads}`, row.simd ?? ""];
    if (row.reason !== undefined) return [...name, `not run: ${row.reason}`, "", "", ""];
    const peer = peersOf(each, row.threads)[0];
    const against = row.peer !== undefined ? "1" : peer?.reason === undefined && peer ? ratio(peer, row) : "";
    const cpu = milliseconds(median(row.rounds.flat().map(({ cpuMs }) => cpuMs)));
    return [...name, spread(times(row)), cpu, against, row.peer === undefined ? "" : difference(each, row)];
  });
  const head = ["who", "threads", "SIMD", "ms: median (least–most)", "CPU ms", "times as fast as the peer"];
  return [
    heading,
    table([...head, "difference from us"], rows, 1),
    `Times as fast: median of the rounds (least–most), same threads. Difference: ${each.accuracy.title}.`,
    ...(each.digest ? [`All rows of voxnorm give the same bytes: image digest \`${each.digest}\`.`] : []),
    ...(each.levels ? [levelTable(each.levels)] : []),
  ].join("\n\n");
}

export function startupSentence({ voxnormMs, nodeMs }: Startup): string {
  const more = voxnormMs.map((ms, i) => ms - nodeMs[i]!);
  const rows = [
    ["`voxnorm --version`", spread(voxnormMs)],
    ["`node -e 0`", spread(nodeMs)],
    ["difference of a pair", spread(more)],
  ];
  return `## Start-up\n\n${table([`whole process, ${voxnormMs.length} in turns`, "ms: median (least–most)"], rows, 1)}`;
}

function levelTable(levels: NonNullable<CaseRecord["levels"]>): string {
  const slowest = Math.max(...levels.map(({ meanMs }) => meanMs));
  const rows = levels.map(({ backend, simd, meanMs, marginPercent, samples }) => {
    const mean = `${milliseconds(meanMs)} ± ${marginPercent.toFixed(1)} %`;
    return [
      `${backend} ${simd}`,
      mean,
      milliseconds(Math.min(...samples)),
      `${samples.length}`,
      short(slowest / meanMs),
    ];
  });
  const head = [
    "one thread, by the npm package benchmark",
    "ms: mean",
    "least",
    "samples",
    "times the slowest's speed",
  ];
  return table(head, rows, 1);
}

/** Our widest native row with each peer of as many threads. */
function headlines(each: CaseRecord): { ours: Row; peer: Row; threads: number }[] {
  const own = each.rows.filter((row) => row.peer === undefined);
  return [...new Set(own.map(({ threads }) => threads))].flatMap((threads) => {
    // Rows of a number of threads come widest first.
    const ours = own.find((row) => row.threads === threads)!;
    return peersOf(each, threads).map((peer) => ({ ours, peer, threads }));
  });
}

function peersOf(each: CaseRecord, threads: number): Row[] {
  return each.rows.filter((row) => row.peer !== undefined && row.threads === threads);
}

/** Stable, so that ours stay ahead of the peers and the widest first. */
function byThreads(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => a.threads - b.threads);
}

function times(row: Row): number[] {
  return row.rounds.flat().map(({ ms }) => ms);
}

/** How many times as fast `row` is as `peer`: by round, since the machine's state is alike within one. */
function ratio(peer: Row, row: Row, sign = "×"): string {
  const ratios = row.rounds.map((runs, round) => {
    const own = median(runs.map(({ ms }) => ms));
    return median(peer.rounds[round]!.map(({ ms }) => ms)) / own;
  });
  const [least, most] = range(ratios);
  return `${short(median(ratios))}${sign} (${short(least)}–${short(most)})`;
}

function difference(each: CaseRecord, peer: Row): string {
  return peer.difference === undefined ? "" : `${peer.difference.toPrecision(2)} ${each.accuracy.unit}`;
}

function spread(values: readonly number[]): string {
  const [least, most] = range(values);
  return `${milliseconds(median(values))} (${milliseconds(least)}–${milliseconds(most)})`;
}

function milliseconds(value: number): string {
  return Math.abs(value) < 100 ? value.toFixed(1) : value.toFixed(0);
}

function short(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}

/** Columns after the first `left` are numbers and stand to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[], left: number): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, column) => (column < left ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
