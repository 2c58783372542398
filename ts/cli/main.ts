/** The program: a command for every step, from the list of steps, and the verbs. */
import { Command, CommanderError } from "commander";
import { config } from "zod";
import { type ErrorCode, VoxnormError } from "../errors.ts";
import * as steps from "../steps/index.ts";
import { version } from "../version.ts";
import { infoCommand } from "./info.ts";
import { exitCodes, finish } from "./outcome.ts";
import { stepCommand } from "./step-command.ts";

/** Names that steps may not take; most are verbs to come. */
export const verbs = [
  ..."run fit apply audit explain replay invert measure picture convert info bids serve queue report help".split(" "),
] as const;

/** The whole program; for a call of one step, no other's flags, whose declaration takes longer than reading the call's. */
export function program(first?: string): Command {
  const root = new Command("voxnorm")
    .description("Makes medical images comparable: bias-field correction and normalisation")
    .version(version)
    .addHelpText("after", `\n${exitCodeHelp()}`);
  const all = Object.values(steps);
  const called = all.filter(({ id }) => id === first);
  for (const step of called.length > 0 ? called : all) root.addCommand(stepCommand(step));
  root.addCommand(infoCommand());
  // Commander would tell errors and end the process by itself; here the exit code and the last line come from one place.
  for (const command of [root, ...root.commands]) command.exitOverride().configureOutput({ outputError() {} });
  return root;
}

export async function main(words: readonly string[]): Promise<void> {
  // Compiling a parser takes longer than parsing one call's options without.
  config({ jitless: true });
  // A reader that has seen enough, such as `head`, is no defect. Who writes an image to stdout hears of it as well.
  process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EPIPE") throw cause;
  });
  try {
    await program(words[0]).parseAsync(words, { from: "user" });
  } catch (error) {
    // Help and version end here too, with code 0.
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const failure = error instanceof CommanderError ? wrongCall(error) : VoxnormError.from(error);
    // A call that was not understood has no inputs.
    if (words.includes("--json")) {
      process.stdout.write(`${JSON.stringify({ backend: null, inputs: [], error: failure })}\n`);
    }
    finish([failure], 0);
  }
}

/** What commander found wrong, as one of our errors on one line. */
function wrongCall({ code, message }: CommanderError): VoxnormError {
  const codes: Readonly<Record<string, ErrorCode>> = {
    "commander.unknownCommand": "UnknownStep",
    "commander.missingArgument": "MissingInput",
  };
  const text = code === "commander.help" ? "expected a command, got none" : message.replace(/^error: /, "");
  return new VoxnormError(codes[code] ?? "BadOption", `${text.replaceAll("\n", " ")}; see --help`);
}

function exitCodeHelp(): string {
  const { done, internal, call, some, none, limit, disk, interrupted, terminated } = exitCodes;
  return [
    "Exit codes:",
    `  ${done} all done    ${call} wrong call    ${some} some inputs failed    ${none} no input usable`,
    `  ${limit} a limit was hit    ${disk} disk    ${interrupted} interrupted, ${terminated} by SIGTERM    ${internal} a defect of voxnorm`,
  ].join("\n");
}
