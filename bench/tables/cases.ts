/** One case in memory: every contender, then our instruction sets among themselves. */
import type { CaseRecord } from "../record.ts";
import { median } from "../statistics.ts";
import { counted, milliseconds, percent, short, spread, table } from "./format.ts";
import { peerOf, ratios, type Timing, timings } from "./timing.ts";

export function caseSection(each: CaseRecord): string {
  const heading = `## ${each.title}`;
  if (each.reason !== undefined) return `${heading}\n\nNot run: ${each.reason}.`;
  const all = timings(each);
  const isPeer = ({ row }: Timing) => row.peer !== undefined;
  const lines = [...all]
    .sort((a, b) => a.iterations - b.iterations || a.row.threads - b.row.threads || +isPeer(a) - +isPeer(b))
    .map((timing) => {
      const { row, iterations, isScaled, rounds } = timing;
      const peer = isPeer(timing) ? undefined : peerOf(all, timing);
      return [
        `${row.who}${isScaled ? ", scaled" : ""}`,
        `${row.threads}`,
        row.simd ?? "",
        `${iterations}`,
        spread(rounds.flat()),
        isScaled ? "" : milliseconds(median(row.rounds.flat().map(({ cpuMs }) => cpuMs))),
        isPeer(timing) ? "1" : peer ? spread(ratios(peer, timing), short) : "",
        isScaled ? "" : percent(row.difference),
      ];
    });
  const absent = each.rows
    .filter(({ reason }) => reason !== undefined)
    .map(({ who, threads, reason }) => [who, `${threads}`, "", "", `not run: ${reason}`, "", "", ""]);
  const head = ["who", "threads", "SIMD", "iterations", "ms: median (least–most)", "CPU ms", "times as fast"];
  return [
    heading,
    table([...head, "difference"], [...lines, ...absent]),
    ...all.filter(({ isScaled, row }) => isScaled && row.threads === 1).map((scaled) => rule(all, scaled)),
    `Times as fast as the fastest peer on as many threads or fewer, at as many iterations. Difference: ${each.accuracy.title}.`,
    ...(each.memory ? [memoryLine(each.memory)] : []),
    ...(each.digest ? [`All rows of voxnorm give the same bytes: image digest \`${each.digest}\`.`] : []),
    ...(each.levels ? [levelTable(each.levels)] : []),
  ].join("\n\n");
}

function memoryLine(memory: NonNullable<CaseRecord["memory"]>): string {
  const times = memory.map(({ threads, copyMs }) => `${spread(copyMs.flat())} ms on ${counted(threads)}`);
  return `Memory: copying the image took ${times.join(", ")}.`;
}

function rule(all: readonly Timing[], { row, iterations }: Timing): string {
  const [one, few] = all.filter((each) => each.row.peer === row.peer && each.row.threads === 1 && !each.isScaled);
  const [a, b] = [one!.iterations, few!.iterations];
  return (
    `**Scaled**: ${row.who} ran ${a} and ${b} iterations, we ${b} and ${iterations}. Its time for ${iterations} is t(${a}) + ` +
    `${iterations - a}/${b - a} · (t(${b}) − t(${a})): its set-up and its full-size field are counted once, not multiplied. ` +
    `At ${b} iterations both were run, and the fields are compared there.`
  );
}

function levelTable(levels: NonNullable<CaseRecord["levels"]>): string {
  const slowest = Math.max(...levels.map(({ meanMs }) => meanMs));
  const rows = levels.map(({ backend, simd, meanMs, marginPercent, samples }) => [
    `${backend} ${simd}`,
    `${milliseconds(meanMs)} ± ${marginPercent.toFixed(1)} %`,
    milliseconds(Math.min(...samples)),
    `${samples.length}`,
    short(slowest / meanMs),
  ]);
  const title = "one thread, by the npm package benchmark";
  return table([title, "ms: mean", "least", "samples", "times the slowest's speed"], rows);
}
