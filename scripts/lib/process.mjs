/**
 * Child processes for the scripts: run to the end, keep the output, say what failed.
 *
 * Nothing from npm is imported here: set-up runs before `npm install` did.
 */
import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** A failure with its remedy: the three sentences a person needs. */
export class Failure extends Error {
  constructor(what, why, remedy) {
    super(what);
    this.why = why;
    this.remedy = remedy;
  }
}

/**
 * Runs a command and resolves to `{ code, output }`; never rejects. A command that cannot start has code 127.
 *
 * With `live`, its output also goes to this process's as it comes.
 */
export function run(command, args, { cwd = root, env = {}, live = false } = {}) {
  return new Promise((resolve) => {
    const merged = { ...process.env, ...env };
    for (const name of Object.keys(env)) if (env[name] === undefined) delete merged[name];
    const child = spawn(command, args, { cwd, env: merged, stdio: ["ignore", "pipe", "pipe"] });
    const chunks = [];
    const keep = (stream, sink) =>
      stream.on("data", (chunk) => {
        chunks.push(chunk);
        if (live) sink.write(chunk);
      });
    keep(child.stdout, process.stdout);
    keep(child.stderr, process.stderr);
    child.on("error", (error) => resolve({ code: 127, output: error.message }));
    child.on("close", (code, signal) => {
      const output = Buffer.concat(chunks).toString();
      resolve(signal ? { code: 1, output: `${output}\nended by ${signal}` } : { code, output });
    });
  });
}

/** Like `run`, but a non-zero exit is a `Failure` that ends with the command's last lines. */
export async function must(what, remedy, command, args, options) {
  const { code, output } = await run(command, args, options);
  if (code !== 0) throw new Failure(what, `${lastLines(output, 40)}\n(${command}: exit code ${code})`, remedy);
  return output;
}

/** The arguments for `run` that start a program of an npm package, whatever the platform's shell. */
export function npmProgram(packageName, program, args) {
  const folder = join(root, "node_modules", packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return [process.execPath, [join(folder, typeof bin === "string" ? bin : bin[program]), ...args]];
}

/** The first file called `program` on PATH that may be run, or undefined. */
export function onPath(program) {
  const names = process.platform === "win32" ? [`${program}.exe`, `${program}.cmd`] : [program];
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of names) {
      if (folder && isExecutable(join(folder, name))) return join(folder, name);
    }
  }
  return undefined;
}

/** The version in a program's output as `[major, minor, patch]`, or undefined. */
export function versionIn(text) {
  return /(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
}

/** Whether version `[major, minor]` or later. */
export function isAtLeast(version, [major, minor]) {
  return version !== undefined && (version[0] > major || (version[0] === major && version[1] >= minor));
}

/** The end of a text, for error messages. */
export function lastLines(text, count) {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return existsSync(file);
  } catch {
    return false;
  }
}
