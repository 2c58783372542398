/** How far a command is: a bar on a terminal, plain lines elsewhere, nothing when asked to be quiet. */
import type { SingleBar } from "cli-progress";
import type { Progress } from "../backend/backend.ts";
import { warn } from "./outcome.ts";

export interface Teller {
  /** A line of its own. */
  say(line: string): void;
  progress(label: string, progress: Progress): void;
  end(): void;
}

/** Tells of several inputs as one. */
export interface Together {
  progress(index: number, progress: Progress): void;
  /** A warning, which being quiet does not silence. */
  warn(message: string): void;
  /** An input is done with, well or not. */
  done(index: number, lines: readonly string[]): void;
  end(): void;
}

export async function together(quiet: boolean, label: string, inputs: readonly string[]): Promise<Together> {
  const tell = await teller(quiet);
  const count = inputs.length;
  const fractions = inputs.map(() => 0);
  let done = 0;
  const show = (index: number, progress: Progress) => {
    fractions[index] = progress.fraction;
    const fraction = fractions.reduce((sum, each) => sum + each) / count;
    if (count === 1) tell.progress(label, progress);
    else tell.progress(`${label}, ${done} of ${count} done`, { fraction });
  };
  return {
    progress: show,
    warn(message) {
      tell.end();
      warn(message);
    },
    done(index, lines) {
      done++;
      if (count > 1) show(index, { fraction: 1 });
      for (const line of lines) tell.say(count === 1 ? line : `${done} of ${count}: ${line}`);
    },
    end: () => tell.end(),
  };
}

async function teller(quiet: boolean): Promise<Teller> {
  if (quiet) return { say() {}, progress() {}, end() {} };
  return process.stderr.isTTY ? bar() : lines();
}

/** Its library is loaded only for a terminal, which has the time. */
async function bar(): Promise<Teller> {
  const { Presets, SingleBar } = await import("cli-progress");
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
      process.stderr.write(`${`${label}: ${tenth * 10} % ${facts(progress)}`.trimEnd()}\n`);
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
