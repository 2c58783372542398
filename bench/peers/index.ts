/** The one list of peers. Their programs are Python, beside this file; each file's doc says what it reads and writes. */
import type { Kind } from "./environment.ts";

export interface Peer {
  readonly id: string;
  readonly name: string;
  readonly environment: Kind;
  /** The program that runs in memory, when it is told to, and its arguments. */
  readonly program: readonly string[];
  /** Threads that it can be told to use; all where absent. */
  readonly threads?: readonly number[];
}

export const peers: readonly Peer[] = [
  { id: "simpleitk-n4", name: "SimpleITK", environment: "n4", program: ["simpleitk_n4.py"] },
  { id: "antspyx-n4", name: "antspyx", environment: "n4", program: ["antspyx_n4.py"] },
  ...normalising("intensity-normalization", ["zscore", "white-stripe", "kde-mode", "fcm"], [1]),
  ...normalising("torchio", ["zscore", "percentile-range"]),
  ...normalising("monai", ["zscore", "percentile-range"]),
  ...normalising("SimpleITK", ["zscore", "histogram-matching"]),
];

/** A peer for each method of a package; NumPy runs on one thread. */
function normalising(name: string, methods: readonly string[], threads?: readonly number[]): Peer[] {
  return methods.map((method) => ({
    id: `${name}-${method}`,
    name,
    environment: "normalise",
    program: ["normalise.py", name, method],
    ...(threads ? { threads } : {}),
  }));
}
