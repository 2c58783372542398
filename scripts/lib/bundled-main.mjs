/**
 * Set-up puts this in the place of the compiled `dist/cli/main.js`: it runs the command joined to one file,
 * `command.cjs`, by the code that V8 has compiled before, `command.cache`.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";

const [filename, cache] = ["command.cjs", "command.cache"].map((name) => fileURLToPath(new URL(name, import.meta.url)));
const text = `(function (exports, require, module, __filename, __dirname) {${readFileSync(filename, "utf8")}\n})`;
// What another version of V8 made, V8 does not take: it compiles the text, as it does without.
const cachedData = existsSync(cache) ? readFileSync(cache) : undefined;
const script = new Script(text, { filename, cachedData });
const loaded = { exports: {} };
script.runInThisContext()(loaded.exports, createRequire(filename), loaded, filename, dirname(filename));

export const { main, program, verbs } = loaded.exports;

/** The code of all functions that ran until now. */
export const compiledCode = () => script.createCachedData();
