/** How far a command is: a bar on a terminal, plain lines elsewhere, nothing when asked to be quiet. */
import { Presets, SingleBar } from "cli-progress";
import type { Progress } from "../backend/backend.ts";

export interface Teller {
  /** A line of its own. */
  say(line: string): void;
  progress(label: string, progress: Progress): void;
  end(): void;
}

export function teller(quiet: boolean): Teller {
  if (quiet) return { say() {}, progress() {}, end() {} };
  return process.stderr.isTTY ? bar() : lines();
}

function bar(): Teller {
  const format = "{label} {bar} {percentage} % {facts}";
  let shown: SingleBar | undefined;
  const end = () => {
    shown?.stop();
    shown = undefined;
  };
  return {
    say(line) {
      end();
      process.stderr.write(`${line}\n`);
    },
    progress(label, progress) {
      if (shown === undefined) {
        shown = new SingleBar({ format, clearOnComplete: true, hideCursor: true }, Presets.shades_grey);
        shown.start(1, 0, { label, facts: "" });
      }
      shown.update(progress.fraction, { label, facts: facts(progress) });
    },
    end,
  };
}

/** Ten lines at most: a log is read afterwards. */
function lines(): Teller {
  let told = 0;
  return {
    say: (line) => process.stderr.write(`${line}\n`),
    progress(label, progress) {
      const tenth = Math.floor(progress.fraction * 10);
      if (tenth <= told) return;
      told = tenth;
      process.stderr.write(`${label}: ${tenth * 10} % ${facts(progress)}\n`);
    },
    end() {},
  };
}

/** What a step adds to the fraction, as it names it. */
function facts({ fraction: _, ...others }: Progress): string {
  return Object.entries(others)
    .filter(([, value]) => typeof value === "number")
    .map(([name, value]) => `${name} ${Number((value as number).toPrecision(3))}`)
    .join(", ");
}
