/** The digest that names a volume's content: inputs, outputs, audits and resumption all use this one. */
import type { Backend } from "./backend/backend.ts";
import { sharedBackend } from "./backend/shared.ts";
import type { Mask } from "./volume.ts";

/**
 * SHA-256, in hexadecimal, of shape, affine and voxels, before they are converted to any file's type.
 *
 * The exact bytes are in `crates/kernels/src/digest.rs`. The same on every backend, and of a mask whether its voxels
 * are bytes or not.
 */
export async function digest(volume: Mask, backend?: Backend): Promise<string> {
  return started.get(volume) ?? compute(volume, backend);
}

const started = new WeakMap<Mask, Promise<string>>();

/** Begins the digest of a volume that nobody changes any more, for those who ask for it later. */
export function startDigest(volume: Mask, backend: Backend): void {
  if (started.has(volume)) return;
  const digest = compute(volume, backend);
  // Who asks is told.
  digest.catch(() => {});
  started.set(volume, digest);
}

async function compute({ data, grid }: Mask, backend?: Backend): Promise<string> {
  const { shape, channels, affine } = grid;
  const reply = await (backend ?? (await sharedBackend())).run({
    step: "voxels.digest",
    phase: "run",
    request: { shape, channels, affine },
    buffers: { voxels: data },
  });
  return reply.json.digest as string;
}
