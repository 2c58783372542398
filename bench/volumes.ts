/** The inputs of a case, in memory for us and as files for the peers. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Backend, type Mask, n4, readMask, readVolume, type Volume, writeVolume } from "../dist/index.js";
import type { Case, Volumes } from "./cases/case.ts";
import { root, scratch } from "./files.ts";

/** The files that are not there. */
export function missing(inputs: Case["inputs"]): string[] {
  return Object.values(inputs).filter((path) => path !== "otsu" && !existsSync(join(root, path)));
}

export interface Loaded {
  readonly volumes: Volumes;
  readonly paths: Readonly<Record<string, string>> & { readonly image: string };
}

/** Reads them. The rule `otsu` becomes a mask of its own, so that all contenders use the same voxels. */
export async function load(id: string, inputs: Case["inputs"], backend: Backend): Promise<Loaded> {
  const paths: Record<string, string> = {};
  const volumes: Record<string, Mask> = {};
  for (const [name, path] of Object.entries(inputs)) {
    paths[name] = path === "otsu" ? join(scratch, `${id}-otsu.nii.gz`) : join(root, path);
    if (path === "otsu") await writeOtsu(paths[name], volumes.image as Volume, backend);
    // A byte a voxel, as the peers hold it.
    volumes[name] = await (name === "mask" ? readMask : readVolume)(paths[name], { backend });
  }
  return { volumes: volumes as Volumes, paths: paths as Loaded["paths"] };
}

async function writeOtsu(path: string, image: Volume, backend: Backend): Promise<void> {
  const { region } = await n4({ iterations: [0] }).fit({ image, mask: "otsu" }, { backend });
  const threshold = region.threshold!;
  mkdirSync(scratch, { recursive: true });
  const data = image.data.map((value) => (value > threshold ? 1 : 0));
  await writeVolume(path, { ...image, data }, { datatype: "uint8", backend });
}
