/** Where things lie. Only paths relative to the root are printed or kept. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../", import.meta.url));

/** What a run leaves behind and git ignores. */
export const scratch = join(root, "bench", ".work");

/** What this process was started with, such as the loader of TypeScript, and certificates, whose reading takes Node 40 ms. */
export const withheld = ["NODE_OPTIONS", "NODE_EXTRA_CA_CERTS"];

/** For processes whose start is timed. */
export const plainEnvironment = { ...process.env, ...Object.fromEntries(withheld.map((name) => [name, ""])) };
