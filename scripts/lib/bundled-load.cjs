/**
 * Set-up puts this in the place of the compiled `dist/cli/load.cjs`: it loads the command joined to one file, `command.cjs`, by
 * the code that V8 has compiled before, `command.cache`.
 */
const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { Script } = require("node:vm");

const [filename, cache] = ["command.cjs", "command.cache"].map((name) => join(__dirname, name));
// What another version of V8 made, V8 does not take: it compiles the text, as it does without.
const cachedData = existsSync(cache) ? readFileSync(cache) : undefined;
// One byte is one character, see `bundle.config.mjs`.
const script = new Script(readFileSync(filename, "latin1"), { filename, cachedData });

exports.load = () => {
  const loaded = { exports: {} };
  script.runInThisContext()(loaded.exports, require, loaded, filename, __dirname);
  return loaded.exports;
};

/** The code of all functions that ran until now. */
exports.compiledCode = () => script.createCachedData();
