/**
 * The Python environment of the peers, made where it is missing. Peers are a comparison, not a part of voxnorm:
 * where one can't be had, the reason stands in its place and the benchmarks go on.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../files.ts";

export type Environment = { readonly python: string } | { readonly reason: string };

/** Which peers can share one. A folder's name under bench, what is installed there, and the programs that may make it. */
const kinds = {
  n4: { folder: ".venv", requirements: "requirements.txt", pythons: ["python3"] },
  // intensity-normalization needs Python 3.12; PyTorch is some 6 GB.
  normalise: {
    folder: ".venv-normalise",
    requirements: "requirements-normalise.txt",
    pythons: ["python3.13", "python3.12", "python3"],
  },
};

export type Kind = keyof typeof kinds;

export function environment(kind: Kind, say: (line: string) => void): Environment {
  const { requirements, pythons } = kinds[kind];
  const folder = join(root, "bench", kinds[kind].folder);
  // What was installed: written last, so that an interrupted installation is done again.
  const stamp = join(folder, "installed.txt");
  const isWindows = process.platform === "win32";
  const python = isWindows ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
  const wanted = readFileSync(join(root, "bench", "peers", requirements), "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return { python };
  const names = isWindows ? ["python"] : pythons;
  const system = names.find((name) => succeeds(name, ["--version"], () => {}));
  if (system === undefined) return { reason: `${names.join(", ")}: not on PATH` };
  say(`making the Python environment of peers in bench/${kinds[kind].folder}`);
  rmSync(folder, { recursive: true, force: true });
  if (!succeeds(system, ["-m", "venv", folder], say)) return { reason: `${system} -m venv failed` };
  // One by one: where one has no package for this system, its program says so and the others run.
  const packages = wanted.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  const installed = packages.filter((name) => succeeds(python, [...pip, name], say));
  if (installed.length === 0) return { reason: `pip could install none of ${packages.join(", ")}` };
  if (installed.length === packages.length) writeFileSync(stamp, wanted);
  return { python };
}

function succeeds(program: string, args: string[], say: (line: string) => void): boolean {
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) say(error?.message ?? stderr.trim());
  return status === 0;
}
