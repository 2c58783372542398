/**
 * docs/agreement.md: how far every golden case is from the program that it was recorded with.
 *
 *     node --import tsx test/conformance/agreement-page.ts
 *
 * The figures are the same on every machine, since the bytes are; a test compares them with the page.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Backend, createBackend, steps } from "../../dist/index.js";
import { agreement, type Found, findCases, fittedTolerance, load, numberAt } from "./cases.ts";

export const path = fileURLToPath(new URL("../../docs/agreement.md", import.meta.url));

/** The page, from all cases. Their files must be there. */
export async function agreementPage(found: readonly Found[], backend: Backend): Promise<string> {
  const sections: string[] = [];
  for (const step of Object.values(steps)) {
    const rows: string[] = [];
    for (const each of found.filter(({ id }) => id === step.id)) rows.push(...(await rowsOf(each, backend)));
    const head = ["| case | source | output | allowed | found |", "| --- | --- | --- | ---: | ---: |"];
    sections.push(`## [${step.title}](steps/${step.id}.md)\n\n${[...head, ...rows].join("\n")}`);
  }
  return `${intro}\n${sections.join("\n\n")}\n`;
}

const intro = `<!-- Written by test/conformance/agreement-page.ts; do not edit. -->
# Agreement with other programs

Every row is a test (\`npx vitest run test/conformance\`): the same case also gives one SHA-256 on every backend,
instruction set and number of threads. Differences are root mean squares (RMS) or the largest of all compared voxels, in
the output's unit; "of σ" is in standard deviations of the other program's output, "of ln" in natural logarithms, whose mean difference is removed; "fitted" numbers are
compared relatively.

Besides, \`npx vitest run test/oracle\` holds every method that maps voxels one by one to one unit in the last place of
single precision from its formula in double precision, on images of awkward shapes and values.
`;

async function rowsOf({ golden, bound }: Found, backend: Backend): Promise<string[]> {
  const inputs = await load(golden, backend);
  const { outputs, fitted } = await bound.run(inputs as never, golden.outputs as never, { backend });
  const rows: string[] = [];
  for (const expectation of golden.expect) {
    const output = (outputs as Record<string, { data: Float32Array }>)[expectation.output]!;
    const { rms, most } = await agreement(expectation, output.data, inputs, backend);
    const unit = expectation.compare === "log" ? " of ln" : expectation.unit === undefined ? "" : " of σ";
    const [kind, allowed, value] =
      expectation.rms === undefined ? ["at most", expectation.most!, most] : ["RMS", expectation.rms, rms];
    const cells = [golden.title, golden.source, expectation.output, `${kind} ${allowed}${unit}`, value.toPrecision(2)];
    rows.push(`| ${cells.join(" | ")} |`);
  }
  for (const [place, expected] of Object.entries(golden.fitted ?? {})) {
    const off = Math.abs(numberAt(fitted, place) / expected - 1);
    const cells = [
      golden.title,
      golden.source,
      `fitted ${place}`,
      `at most ${fittedTolerance} of it`,
      off.toPrecision(2),
    ];
    rows.push(`| ${cells.join(" | ")} |`);
  }
  return rows;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = findCases();
  const absent = found.flatMap((each) => each.absent);
  if (absent.length > 0) throw new Error(`expected all cases' files, got none of ${absent.join(", ")}`);
  const backend = await createBackend({ backend: "native" });
  writeFileSync(path, await agreementPage(found, backend));
  await backend.close();
}
