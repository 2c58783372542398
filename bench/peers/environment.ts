/**
 * The Python environment of the peers, made where it is missing. Peers are a comparison, not a part of voxnorm:
 * where one can't be had, the reason stands in its place and the benchmarks go on.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../files.ts";

export type Environment = { readonly python: string } | { readonly reason: string };

const folder = join(root, "bench", ".venv");
const requirements = join(root, "bench", "peers", "requirements.txt");
/** What was installed: written last, so that an interrupted installation is done again. */
const stamp = join(folder, "installed.txt");
const python = process.platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");

export function environment(say: (line: string) => void): Environment {
  const wanted = readFileSync(requirements, "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return { python };
  const system = process.platform === "win32" ? "python" : "python3";
  if (!succeeds(system, ["--version"], () => {})) return { reason: `${system} is not on PATH` };
  say("making the peers' Python environment in bench/.venv");
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
