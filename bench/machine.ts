/** The machine and the checkout that a record is about. */
import { spawnSync } from "node:child_process";
import { cpus, loadavg, release, type } from "node:os";
import { version } from "../dist/index.js";
import { root } from "./files.ts";
import type { BenchRecord, Machine } from "./record.ts";

export function checkout(): BenchRecord["voxnorm"] {
  const commit = git("rev-parse", "--short", "HEAD") ?? "unknown";
  const changes = git("status", "--porcelain", "--", "Cargo.toml", "Cargo.lock", "crates", "bindings", "ts");
  return { version, commit, isModified: changes !== "" };
}

export function machine(loadBefore: number): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    os: `${type()} ${release()}`,
    node: process.version,
    load: { before: loadBefore, after: load() },
  };
}

export function load(): number {
  return loadavg()[0] ?? 0;
}

function git(...args: string[]): string | undefined {
  const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}
