/** How a command ends: the exit code and the last line come from the same fact. */
import { styleText } from "node:util";
import type { ErrorKind, VoxnormError } from "../errors.ts";

/** The table of exit codes (sysexits' 74 for the disk, 128 + signal for interruptions). */
export const exitCodes = {
  done: 0,
  internal: 1,
  call: 2,
  some: 3,
  none: 4,
  limit: 5,
  disk: 74,
  interrupted: 130,
  terminated: 143,
} as const;

/** Where several inputs failed in different ways, the earliest kind here decides: it concerns all of them. */
const gravest: readonly ErrorKind[] = ["interrupted", "internal", "disk", "call", "limit", "input"];

/** Ends a command that met `failures` and finished `done` inputs; `signal` is what interrupted it, if anything did. */
export function finish(failures: readonly VoxnormError[], done: number, signal?: NodeJS.Signals): void {
  // Each once, though it may have hit several inputs; the last line is the one that decides.
  const weight = ({ kind }: VoxnormError) => gravest.indexOf(kind);
  const told = [...new Set(failures)].sort((a, b) => weight(b) - weight(a));
  for (const error of told) fail(error);
  const kind = told.at(-1)?.kind;
  if (kind === undefined) {
    process.exitCode = exitCodes.done;
  } else if (kind === "input" || (kind === "limit" && done > 0)) {
    process.exitCode = done > 0 ? exitCodes.some : exitCodes.none;
  } else if (kind === "interrupted" && signal === "SIGTERM") {
    process.exitCode = exitCodes.terminated;
  } else {
    process.exitCode = exitCodes[kind];
  }
}

function fail(error: VoxnormError): void {
  const head = `error ${error.code}:`;
  process.stderr.write(`${colour("red", head)} ${error.message}\n`);
  if (error.code === "Internal" && process.env.VOXNORM_DEBUG && error.cause instanceof Error) {
    process.stderr.write(`${error.cause.stack}\n`);
  }
}

export function warn(message: string): void {
  process.stderr.write(`${colour("yellow", "warning:")} ${message}\n`);
}

/** Colour on a terminal that has it; NO_COLOR turns it off. */
function colour(name: "red" | "yellow", text: string): string {
  const wanted = process.stderr.isTTY && process.stderr.hasColors() && !process.env.NO_COLOR;
  return wanted ? styleText(name, text) : text;
}
