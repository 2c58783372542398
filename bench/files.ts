/** Where things lie. Only paths relative to the root are printed or kept. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../", import.meta.url));

/** What a run leaves behind and git ignores. */
export const scratch = join(root, "bench", ".work");

/**
 * For processes whose start is timed: without what this one was started with, such as the loader of TypeScript, and
 * without a list of certificates, on whose reading Node spends up to 40 ms before it does anything.
 */
export const plainEnvironment = { ...process.env, NODE_OPTIONS: "", NODE_EXTRA_CA_CERTS: "" };
