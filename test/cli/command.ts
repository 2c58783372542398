/** Runs the command as a person does, in a folder of its own, and keeps all that it leaves. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";
import { type Backend, createBackend, type Volume, volume, writeVolume } from "../../dist/index.js";

export const bin = fileURLToPath(new URL("../../dist/cli/bin.cjs", import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  /** The bytes of stdout, for what is no text. */
  readonly bytes: Uint8Array;
  readonly stderr: string;
  /** The last line of stderr. */
  readonly last: string;
}

export interface How {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly program?: string;
  /** What it finds in stdin; nothing, where this is not given. */
  readonly stdin?: Uint8Array;
  /** Sent once stderr holds its first line. */
  readonly signal?: NodeJS.Signals;
  /** Whether nobody reads its stdout. */
  readonly isUnread?: boolean;
}

export function voxnorm(words: readonly string[], how: How = {}): Promise<Ran> {
  const { cwd, env, program = bin, stdin, signal, isUnread } = how;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...words], { cwd, env: { ...process.env, ...env } });
    // One that fails at once does not read it all.
    child.stdin.on("error", () => {}).end(stdin ?? "");
    const pieces: Uint8Array[] = [];
    let stderr = "";
    child.stdout.on("data", (piece) => pieces.push(piece));
    if (isUnread) child.stdout.destroy();
    let isTold = false;
    child.stderr.on("data", (piece) => {
      stderr += piece;
      if (signal === undefined || isTold || !stderr.includes("\n")) return;
      isTold = child.kill(signal);
    });
    child.on("error", reject);
    child.on("close", (code) => {
      const bytes = Buffer.concat(pieces);
      resolve({ code, bytes, stdout: bytes.toString(), stderr, last: stderr.trimEnd().split("\n").at(-1) ?? "" });
    });
  });
}

export interface Place {
  /** A folder for these tests. */
  folder: string;
  backend: Backend;
  /** The path of a name in the folder. */
  at(...names: string[]): string;
  write(name: string, volume: Volume): Promise<string>;
  /** What the folder holds. */
  list(): Promise<string[]>;
}

/** A folder and a backend for the tests of a file, and their end. */
export function usePlace(): Place {
  const place = {
    at: (...names: string[]) => join(place.folder, ...names),
    write: async (name: string, each: Volume) => {
      await writeVolume(place.at(name), each);
      return place.at(name);
    },
    list: async () => (await readdir(place.folder, { recursive: true })).sort(),
  } as Place;
  beforeAll(async () => {
    place.folder = await mkdtemp(join(tmpdir(), "voxnorm-cli-"));
    place.backend = await createBackend({ backend: "native" });
  });
  afterAll(async () => {
    await place.backend.close();
    await rm(place.folder, { recursive: true, force: true });
  });
  return place;
}

const shape = [40, 36, 30] as const;

/** Two tissues under a field, around a dark border. */
export function head(): Volume {
  return made((x, y, z, i) => {
    const tissue = inside(x, y, z) ? (((x >> 2) + (y >> 2) + (z >> 2)) % 2 === 0 ? 100 : 150) : 5;
    return tissue * Math.exp(0.01 * (x - 20) + 0.008 * z) + ((i * 7919) % 13) / 13;
  });
}

/** The head's mask: 1 on its left, 2 on its right. */
export function headMask(): Volume {
  return made((x, y, z) => (inside(x, y, z) ? (x < 20 ? 1 : 2) : 0));
}

/** `shear` is by how many mm a plane lies in front of the one below. */
export function made(each: (x: number, y: number, z: number, index: number) => number, shear = 0): Volume {
  const [nx, ny, nz] = shape;
  const data = new Float32Array(nx * ny * nz).map((_, i) => {
    return each(i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny)), i);
  });
  // What single precision holds, as files do.
  const affine = [
    [-1.5, 0, 0, 30],
    [0, 1.5, shear, -20],
    [0, 0, 2, 8.5],
  ] as Volume["grid"]["affine"];
  return volume(data, [nx, ny, nz], affine);
}

function inside(x: number, y: number, z: number): boolean {
  return x > 3 && x < 36 && y > 3 && y < 32 && z > 2 && z < 27;
}
