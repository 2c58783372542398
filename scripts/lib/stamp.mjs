/**
 * Tells whether a stage must run again: a hash over what goes in, and the existence of what comes out.
 *
 * Contents are hashed rather than dates compared, so a fresh clone, a branch switched back and forth or a
 * touched file cost nothing. Stamps live in target/setup, outside of the folder that is published.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./process.mjs";

const folder = join(root, "target", "setup");

/** Hash of files and folders (relative to the root), and of any further text. */
export function fingerprint(paths, text = "") {
  const hash = createHash("sha256").update(text);
  for (const path of paths.flatMap(filesUnder)) {
    hash.update(`\0${path}\0`).update(readFileSync(join(root, path)));
  }
  return hash.digest("hex");
}

/** The files under a path, relative to the root, in a fixed order; a path that does not exist has none. */
export function filesUnder(path) {
  if (!existsSync(join(root, path))) return [];
  try {
    return readdirSync(join(root, path))
      .sort()
      .flatMap((name) => filesUnder(`${path}/${name}`));
  } catch (error) {
    if (error.code === "ENOTDIR") return [path];
    throw error;
  }
}

/** Whether a stage ran on these inputs and its outputs are still there. */
export function isCurrent(stage, inputs, outputs) {
  const file = join(folder, `${stage}.stamp`);
  return (
    existsSync(file) &&
    readFileSync(file, "utf8") === inputs &&
    outputs.every((output) => existsSync(join(root, output)))
  );
}

/** Records that a stage ran on these inputs. */
export function record(stage, inputs) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${stage}.stamp`), inputs);
}

/** An empty folder for a stage's unfinished outputs. */
export function scratch(stage) {
  const path = join(folder, stage);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return path;
}

/** Waits until no other set-up works in this checkout, then keeps others out until this process ends. */
export async function lock(announce) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "lock");
  let announced = false;
  for (;;) {
    try {
      const handle = openSync(file, "wx");
      writeFileSync(handle, String(process.pid));
      closeSync(handle);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const owner = ownerOf(file);
    if (owner !== undefined && !isAlive(owner)) {
      rmSync(file, { force: true });
      continue;
    }
    if (!announced) announce(`waiting for the set-up that runs as process ${owner}`);
    announced = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  process.on("exit", () => rmSync(file, { force: true }));
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));
}

/** The process that holds the lock; undefined while it is being written or has just been released. */
function ownerOf(file) {
  try {
    const text = readFileSync(file, "utf8");
    return text === "" ? undefined : Number(text);
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
