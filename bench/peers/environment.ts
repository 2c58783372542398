/**
 * The Python environment of the peers, made where it is missing. Peers are a comparison, not a part of voxnorm:
 * where they can't be had, the reason stands in their place and the benchmarks go on.
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
  const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements];
  if (!succeeds(python, install, say)) return { reason: "pip could not install bench/peers/requirements.txt" };
  writeFileSync(stamp, wanted);
  return { python };
}

function succeeds(program: string, args: string[], say: (line: string) => void): boolean {
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) say(error?.message ?? stderr.trim());
  return status === 0;
}
