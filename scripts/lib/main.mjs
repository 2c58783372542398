/** What the scripts' main programs share. */
import { Failure } from "./process.mjs";

/** Runs a script to its end; a `Failure` is told in its own words, anything else is a bug and keeps its stack. */
export async function main(script, work) {
  try {
    await work();
  } catch (error) {
    tell(script, error);
  }
}

/** Tells of a `Failure`: what failed, why, what to do. The process will exit with code 1. */
export function tell(script, error) {
  if (!(error instanceof Failure)) throw error;
  console.error([`${script}: failed: ${error.message}`, error.why, error.remedy].filter(Boolean).join("\n\n"));
  process.exitCode = 1;
}
