/** What both backends do alike: read the catalog, choose the instruction set, say that a call was stopped. */
import { VoxnormError } from "../errors.ts";
import type { Backend, Call, Catalog } from "./backend.ts";

/** Checks what a build says of itself, so that a stale or foreign file fails here and not in a call. */
export function parseCatalog(json: unknown): Catalog {
  const { version, steps, simd } = JSON.parse(String(json)) as Record<keyof Catalog, unknown>;
  if (typeof version === "string" && isListOfStrings(steps) && isListOfStrings(simd) && simd.length > 0) {
    return { version, steps, simd };
  }
  throw new Error(`expected a catalog of version, steps and simd, got ${json}`);
}

/** The instruction set asked for, or the widest there is. Throws `UnsupportedSimd`. */
export function chooseSimd(backend: Backend["name"], { simd }: Catalog, asked: string | undefined): string {
  const chosen = asked ?? simd.at(-1);
  if (chosen !== undefined && simd.includes(chosen)) return chosen;
  throw new VoxnormError(
    "UnsupportedSimd",
    `simd: expected one of ${simd.join(", ")} on the ${backend} backend here, got ${JSON.stringify(asked)}`,
    { backend, expected: simd, got: asked },
  );
}

/** Why a call stopped: the signal's reason is kept as the cause. */
export function cancelled(call: Call): VoxnormError {
  const detail = { step: call.step };
  return new VoxnormError("Cancelled", `${call.step}: the computation was cancelled`, detail, call.signal?.reason);
}

/** What a call gets that was running or came after `close()`. */
export function closed(call: Call): VoxnormError {
  return new VoxnormError("Cancelled", `${call.step}: the backend was closed`, { step: call.step });
}

function isListOfStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}
