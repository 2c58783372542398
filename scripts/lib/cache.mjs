/** The user's cache folder: what is slow to get and the same for every clone. */
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The folder's path; it exists afterwards. */
export function cacheFolder() {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "voxnorm");
  mkdirSync(folder, { recursive: true });
  return folder;
}
