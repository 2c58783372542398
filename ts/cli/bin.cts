#!/usr/bin/env node
/**
 * The command: a script, as Node starts a module 5 ms later. Only what `--version` needs is loaded at once; the rest when there
 * is work.
 */
const words = process.argv.slice(2);
if (words.length === 1 && ["--version", "-V"].includes(words[0]!)) {
  process.stdout.write(`${require("../../package.json").version}\n`);
} else {
  run();
}

async function run(): Promise<void> {
  let isDone = false;
  // Comes when all output has left. Without it, Node would take down, piece by piece, what ends with the process anyway.
  process.once("beforeExit", () => {
    // Nothing is left to wait for: a defect.
    if (!isDone) process.exitCode = 1;
    process.exit();
  });
  const { main } = await require("./load.cjs").load();
  await main(words);
  isDone = true;
}
