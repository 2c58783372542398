/**
 * Files, carefully: read to their end or not at all, written whole or not at all.
 *
 * Writing goes to a temporary file in the same folder, which is synchronised to the disk and then renamed: whoever
 * looks sees the old file or the new one, and a failure leaves the old one and nothing else.
 */
import { constants } from "node:fs";
import { access, type FileHandle, lstat, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type ErrorCode, VoxnormError } from "../errors.ts";
import { allocate } from "./bytes.ts";
import type { Stream } from "./platform.ts";

/**
 * All bytes of a file. Throws `NotFound`, or `ReadFailed` where it is no regular file or changes meanwhile; and what
 * `expectSize` throws, before anything is read.
 */
export async function readFileChecked(path: string, expectSize = (_: number) => {}): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    // Without waiting, lest a named pipe holds us until somebody writes to it.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const before = await file.stat({ bigint: true });
    if (!before.isFile()) throw new VoxnormError("ReadFailed", `${path}: expected a regular file`, { path });
    expectSize(Number(before.size));
    const bytes = allocate(Number(before.size));
    const length = await fill(file, bytes);
    const after = await file.stat({ bigint: true });
    if (length < bytes.length || after.size !== before.size || after.mtimeNs !== before.mtimeNs) {
      const sizes = `${before.size} bytes before, ${after.size} after`;
      throw new VoxnormError("ReadFailed", `${path}: the file changed while it was read: ${sizes}`, { path });
    }
    return bytes;
  } catch (cause) {
    throw coded(cause, path, "ReadFailed", "could not be read");
  } finally {
    await file?.close();
  }
}

export interface WriteOptions {
  /** Files that must not be overwritten, such as those that the output was made from: `UnsafeOutput`. */
  readonly inputs?: readonly string[] | undefined;
}

/** Replaces or creates a file. Throws `WriteFailed`, or `UnsafeOutput` for an input, a link or what is no file. */
export async function writeFileAtomic(path: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<void> {
  await writeFilesAtomic([[path, [bytes]]], options);
}

/**
 * As `writeFileAtomic`, for files in one folder that belong together. All are on the disk before the first one gets its
 * name. The old ones make room first, so that a crash leaves a part missing rather than parts of different images.
 * `written` is given each piece that a file has taken.
 */
export async function writeFilesAtomic(
  files: readonly (readonly [path: string, pieces: Stream])[],
  options: WriteOptions = {},
  written: (piece: Uint8Array) => void = () => {},
): Promise<void> {
  for (const [path] of files) await checkOutput(path, options.inputs ?? []);
  const temporaries: string[] = [];
  const moved: [from: string, to: string][] = [];
  const move = async (from: string, to: string) => {
    await rename(from, to);
    moved.push([from, to]);
  };
  const old: string[] = [];
  let at = "";
  try {
    for (const [path, pieces] of files) {
      at = path;
      await writeNew(temporaryFor(path), pieces, temporaries, written);
    }
    for (const [path] of files.length > 1 ? files : []) {
      at = path;
      const aside = temporaryFor(path);
      await move(path, aside).then(
        () => old.push(aside),
        (cause) => expectCode(cause, "ENOENT"),
      );
    }
    for (const [index, [path]] of files.entries()) {
      at = path;
      await move(temporaries[index]!, path);
    }
  } catch (cause) {
    // Only what we made, and all as it was.
    for (const [from, to] of moved.reverse()) await rename(to, from).catch(() => {});
    await remove(temporaries);
    throw coded(cause, at, "WriteFailed", "could not be written");
  }
  await remove(old);
  await syncFolder(dirname(at));
}

/** A name beside the file that no other process takes. Where one does, opening it fails. */
function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${Math.random().toString(36).slice(2)}.tmp`);
}

/** The disk is at work on so many bytes while the next are packed. */
const syncEvery = 8 << 20;

/** Writes a file to the disk, and its name to `made` as soon as it is there. */
async function writeNew(
  path: string,
  pieces: Stream,
  made: string[],
  written: (piece: Uint8Array) => void,
): Promise<void> {
  const file = await open(path, "wx");
  made.push(path);
  let [waiting, syncing] = [0, Promise.resolve()];
  try {
    // Each goes behind the one before.
    for await (const piece of pieces) {
      await file.writeFile(piece);
      waiting += piece.length;
      written(piece);
      if (waiting < syncEvery) continue;
      await syncing;
      [waiting, syncing] = [0, file.datasync()];
      // Awaited later.
      syncing.catch(() => {});
    }
    await syncing;
    await file.sync();
  } finally {
    await file.close();
  }
}

async function remove(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(path, { force: true }).catch(() => {});
}

function expectCode(cause: NodeJS.ErrnoException, code: string): void {
  if (cause.code !== code) throw cause;
}

/** Whether two paths lead to one file. False where one of them does not exist. */
export async function sameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map((path) => stat(path, { bigint: true }).catch(() => undefined)));
  return first !== undefined && second !== undefined && first.dev === second.dev && first.ino === second.ino;
}

/** Throws what `writeFileAtomic` would, as far as it can be foreseen: an output is not worth computing in vain. */
export async function expectWritable(path: string): Promise<void> {
  await checkOutput(path, []);
  // With the dot, a file in the folder's place is an error.
  await access(`${dirname(path)}/.`, constants.W_OK).catch((cause) => {
    throw coded(cause, path, "WriteFailed", "could not be written");
  });
}

async function checkOutput(path: string, inputs: readonly string[]): Promise<void> {
  const existing = await lstat(path).catch(() => undefined);
  const unsafe = (what: string) => new VoxnormError("UnsafeOutput", `${path}: the output is ${what}`, { path });
  if (existing?.isSymbolicLink()) throw unsafe("a symbolic link; name the file itself");
  if (existing !== undefined && !existing.isFile()) throw unsafe("no regular file");
  for (const input of inputs) {
    if (await sameFile(path, input)) throw unsafe(`also an input: ${input}`);
  }
}

async function fill(file: FileHandle, bytes: Uint8Array): Promise<number> {
  const piece = 1 << 28;
  let at = 0;
  while (at < bytes.length) {
    const { bytesRead } = await file.read(bytes, at, Math.min(piece, bytes.length - at), at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
}

/** Makes the rename last. Some systems and file systems cannot; the file itself is safe without. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close().catch(() => {});
}

function coded(cause: unknown, path: string, code: ErrorCode, what: string): VoxnormError {
  if (cause instanceof VoxnormError) return cause;
  const { code: system, message } = cause as NodeJS.ErrnoException;
  const missing = system === "ENOENT" || system === "EACCES" || system === "EPERM" || system === "ENOTDIR";
  if (code === "ReadFailed" && missing) {
    const reason = system === "ENOENT" ? "there is no such file" : "it may not be read";
    return new VoxnormError("NotFound", `${path}: ${reason}`, { path, system }, cause);
  }
  if (code === "WriteFailed" && system === "ENOENT") {
    return new VoxnormError(code, `${path}: ${what}: the folder does not exist`, { path, system }, cause);
  }
  return new VoxnormError(code, `${path}: ${what}: ${message}`, { path, system }, cause);
}
