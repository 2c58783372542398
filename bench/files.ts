/** Where things lie. Only paths relative to the root are printed or kept. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../", import.meta.url));

/** What a run leaves behind and git ignores. */
export const scratch = join(root, "bench", ".work");
