/**
 * Writes what the newest record says: bench/RESULTS.md, a chart, and the tables of README.md and docs/n4.md between their
 * marks.
 *
 *     node --import tsx bench/report.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./files.ts";
import { kernelSection } from "./kernels.ts";
import { type BenchRecord, newest } from "./record.ts";
import { caseSection } from "./tables/cases.ts";
import { fileSection } from "./tables/files.ts";
import { goalTable } from "./tables/goals.ts";
import { startupSection } from "./tables/startup.ts";
import { strengthChart } from "./tables/strength-chart.ts";
import { brief, summary } from "./tables/summary.ts";
import { truthSection, truthTable } from "./tables/truth.ts";

const mark = (name: string) => [`<!-- ${name}: written by bench/report -->`, `<!-- /${name} -->`] as const;

/** The generated files by path, complete, as the newest record has them; none where there is no record. */
export function reports(): Map<string, string> {
  const found = newest();
  if (found === undefined) return new Map();
  const { record, path } = found;
  const page = (name: string) => readFileSync(join(root, name), "utf8");
  const ofN4 = { ...record, cases: record.cases.filter(({ id }) => id.startsWith("n4-")) };
  const chart = strengthChart(record.truth);
  return new Map([
    ["bench/RESULTS.md", results(record, path)],
    ["README.md", filled(page("README.md"), "bench", look(record, "bench/RESULTS.md"))],
    [
      "docs/n4.md",
      filled(
        filled(page("docs/n4.md"), "bench", look(ofN4, "../bench/RESULTS.md")),
        "known field",
        truthTable(record.truth),
      ),
    ],
    ...(chart ? [["docs/figures/n4-strength.svg", chart] as const] : []),
  ]);
}

/** Writes them and returns their paths. */
export function writeReports(): string[] {
  const files = reports();
  for (const [path, text] of files) writeFileSync(join(root, path), text);
  return [...files.keys()];
}

function results(record: BenchRecord, path: string): string {
  const { voxnorm, machine, peers } = record;
  const state = voxnorm.isModified ? `${voxnorm.commit} with changes that are not in it` : voxnorm.commit;
  const named = peers.map(({ name, version, reason }) => `${name} ${version ?? `(not run: ${reason})`}`);
  const versions = [...new Set(named)];
  const load = `${machine.load.before.toFixed(1)} before, ${machine.load.after.toFixed(1)} at the end`;
  return `${[
    `<!-- Written by bench/report.ts from ${path}; do not edit. -->`,
    "# Results",
    goalTable(record),
    summary(record),
    [
      `- voxnorm ${voxnorm.version}, commit ${state}; ${versions.join(", ")}; ${record.date.slice(0, 10)}`,
      `- ${machine.cpu}, ${machine.cores} cores; ${machine.os}; Node ${machine.node.slice(1)}`,
      `- Load average: ${load}. Others used the cores too where it is above a row's threads:`,
      "  rows were run in turns, so ratios hold better than milliseconds do. CPU ms is the processor time of all threads;",
      "  CPU ms ÷ ms is how many cores a row got.",
      "- Timed in memory: voxels to the full-size image; no file, no digest. N4 runs all iterations.",
      "  One run of each before is not timed. Ours writes into one array each time (`into`), as a server would: a new one for",
      "  each call costs 4 to 6 ms of garbage collection more. Ratios: median of the rounds (least–most).",
      "- A peer that is scaled ran fewer iterations: the rule stands at its table.",
    ].join("\n"),
    ...record.cases.map(caseSection),
    ...record.files.map(fileSection),
    truthSection(record.truth),
    startupSection(record.startup),
    ...(record.kernels ? [kernelSection(record.kernels)] : []),
  ].join("\n\n")}\n`;
}

/** `text` with `body` between the marks of that name. */
function filled(text: string, name: string, body: string): string {
  const [open, close] = mark(name);
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start < 0 || end < start) throw new Error(`expected the marks ${open} and ${close}`);
  return `${text.slice(0, start + open.length)}\n\n${body}\n\n${text.slice(end)}`;
}

function look(record: BenchRecord, link: string): string {
  const { machine, date } = record;
  return [
    brief(record),
    `Medians on ${machine.cores} cores of ${machine.cpu}, ${date.slice(0, 10)}; "scaled" is explained at its table. All rows, two\n` +
      `threads, memory, and what was missed: [bench/RESULTS.md](${link}). \`npm run bench\` repeats them.`,
  ].join("\n\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`wrote ${writeReports().join(", ")}`);
