/** Flags that steps and verbs share: how it runs, and what it reads and stores. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { EncodeOptions } from "../io/index.ts";
import { type Limits, limitOptions, storageOptions } from "../io/options.ts";
import { flagsOf, givenOf, oneOf } from "./options.ts";

export function addCommonFlags(command: Command): void {
  command.addOption(
    new Option("--backend <name>", "native, wasm, or auto for the first that loads").argParser(
      oneOf(["auto", "native", "wasm"]),
    ),
  );
  command.addOption(
    new Option("--threads <n>", "threads (default: all cores, in WebAssembly at most 8)").argParser(wholeNumber()),
  );
  command.option("--simd <level>", "force an instruction set, such as avx2");
  command.option("-q, --quiet", "no progress and no summary; warnings and errors stay");
  for (const flag of flagsOf(limitOptions, "limit")) command.addOption(flag);
}

/** For commands that write a volume. */
export function addStorageFlags(command: Command): void {
  for (const flag of flagsOf(storageOptions)) command.addOption(flag);
}

export function givenLimits(given: object): Partial<Limits> {
  return givenOf(limitOptions, { ...given }, "limit");
}

export function givenStorage(given: object): Pick<EncodeOptions, "datatype" | "level"> {
  return givenOf(storageOptions, { ...given });
}

/** A parser of whole numbers of at least 1, of so many digits at most. */
export function wholeNumber(digits = 4) {
  return (text: string): number => {
    if (/^[1-9]\d*$/.test(text) && text.length <= digits) return Number(text);
    throw new InvalidArgumentError(`Expected a whole number of at least 1, of at most ${digits} digits.`);
  };
}
