/**
 * Loads a backend: attempts in order, each with its remedy, until one succeeds.
 *
 * The attempts are data, so that the browser's list names nothing that only Node has: see `load-node.ts` and
 * `load-browser.ts`. A backend that loads and then finds the caller's request wrong (an instruction set the
 * processor lacks) ends the search: running elsewhere in silence is not what was asked for.
 */
import { type ErrorDetail, VoxnormError } from "../errors.ts";
import type { Backend, BackendOptions } from "./backend.ts";

/** One way to get a backend. */
export interface Attempt {
  readonly name: Backend["name"];
  /** What a person can do where it fails, as an imperative sentence without a full stop. */
  readonly remedy: string;
  readonly load: (settings: Settings) => Promise<Backend>;
}

/** What a backend needs to know, checked. */
export interface Settings {
  readonly threads: number | undefined;
  readonly simd: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const names = ["auto", "native", "wasm"] as const;
const mostThreads = 1024;

/**
 * Throws `BadOption` for an unknown name or number of threads, `UnsupportedSimd` for an instruction set that
 * the backend lacks, `BackendUnavailable` where nothing loads; its `detail.attempts` lists what was tried.
 */
export async function loadBackend(
  attempts: readonly Attempt[],
  options: BackendOptions = {},
  environment: Environment = {},
): Promise<Backend> {
  const wanted = chooseBackend(options, environment);
  const settings = { threads: checkThreads(options.threads), simd: options.simd ?? given(environment.VOXNORM_SIMD) };
  const tried: Failure[] = [];
  for (const attempt of attempts) {
    if (wanted !== "auto" && wanted !== attempt.name) continue;
    try {
      return await attempt.load(settings);
    } catch (error) {
      if (error instanceof VoxnormError && error.kind === "call") throw error;
      tried.push({ backend: attempt.name, reason: reasonOf(error), remedy: attempt.remedy });
    }
  }
  if (tried.length === 0) {
    const remedy = `choose ${attempts.map(({ name }) => name).join(" or ")}`;
    tried.push({ backend: wanted, reason: "is not part of this build", remedy });
  }
  throw unavailable(tried);
}

interface Failure {
  readonly backend: string;
  readonly reason: string;
  readonly remedy: string;
}

function unavailable(attempts: Failure[]): VoxnormError {
  const lines = attempts.map(({ backend, reason, remedy }) => `  ${backend}: ${reason}\n    → ${remedy}`);
  const detail: ErrorDetail = { attempts };
  return new VoxnormError("BackendUnavailable", `no backend could be loaded\n${lines.join("\n")}`, detail);
}

function chooseBackend(options: BackendOptions, environment: Environment): (typeof names)[number] {
  const fromEnvironment = given(environment.VOXNORM_BACKEND);
  const source = options.backend === undefined && fromEnvironment !== undefined ? "VOXNORM_BACKEND" : "backend";
  const name = options.backend ?? fromEnvironment ?? "auto";
  const known = names.find((each) => each === name);
  if (known !== undefined) return known;
  throw new VoxnormError("BadOption", `${source}: expected one of ${names.join(", ")}, got ${JSON.stringify(name)}`, {
    option: source,
    expected: names,
    got: name,
  });
}

function checkThreads(threads: number | undefined): number | undefined {
  if (threads === undefined || (Number.isInteger(threads) && threads >= 1 && threads <= mostThreads)) return threads;
  throw new VoxnormError("BadOption", `threads: expected a whole number from 1 to ${mostThreads}, got ${threads}`, {
    option: "threads",
    got: threads,
  });
}

/** A variable that is set to nothing counts as not set, as shells have it. */
function given(variable: string | undefined): string | undefined {
  return variable === "" ? undefined : variable;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
