/** The program: a command for every step, from the list of steps, and the verbs. */
import { Command, CommanderError } from "commander";
import { VoxnormError } from "../errors.ts";
import { steps } from "../steps/index.ts";
import { version } from "../version.ts";
import { infoCommand } from "./info.ts";
import { exitCodes, finish } from "./outcome.ts";
import { stepCommand } from "./step-command.ts";

/** Names that steps may not take; most are verbs to come. */
export const verbs = [
  ..."run fit apply audit explain replay invert measure picture convert info bids serve queue report help".split(" "),
] as const;

export function program(): Command {
  const root = new Command("voxnorm")
    .description("Makes medical images comparable: bias-field correction and normalisation")
    .version(version)
    .showHelpAfterError("Run the command with --help for its options.")
    .addHelpText("after", `\n${exitCodeHelp()}`);
  for (const step of Object.values(steps)) root.addCommand(stepCommand(step));
  root.addCommand(infoCommand());
  // Commander would end the process by itself; here the exit code and the last line come from one place.
  for (const command of [root, ...root.commands]) command.exitOverride();
  return root;
}

export async function main(words: readonly string[]): Promise<void> {
  try {
    await program().parseAsync(words, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version end here too, with code 0; commander has printed what there is to say.
      process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.call;
    } else {
      finish([VoxnormError.from(error)], 0);
    }
  }
}

function exitCodeHelp(): string {
  const { done, internal, call, some, none, limit, disk, interrupted } = exitCodes;
  return [
    "Exit codes:",
    `  ${done} all done    ${call} wrong call    ${some} some inputs failed    ${none} no input usable`,
    `  ${limit} a limit was hit    ${disk} disk    ${interrupted} interrupted    ${internal} a defect of voxnorm`,
  ].join("\n");
}
