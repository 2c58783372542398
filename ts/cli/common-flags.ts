/** Flags that steps and verbs share: how it runs. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { oneOf } from "./options.ts";

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
}

/** A parser of whole numbers of at least 1, of so many digits at most. */
export function wholeNumber(digits = 4) {
  return (text: string): number => {
    if (/^[1-9]\d*$/.test(text) && text.length <= digits) return Number(text);
    throw new InvalidArgumentError(`Expected a whole number of at least 1, of at most ${digits} digits.`);
  };
}
