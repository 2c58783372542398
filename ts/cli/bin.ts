#!/usr/bin/env node
/** The command. Only what `--version` needs is loaded at once; the rest when there is work. */
import { version } from "../version.ts";

const [first, ...others] = process.argv.slice(2);
if ((first === "--version" || first === "-V") && others.length === 0) {
  process.stdout.write(`${version}\n`);
} else {
  const { main } = await import("./main.ts");
  await main(process.argv.slice(2));
}
