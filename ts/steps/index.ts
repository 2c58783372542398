/** Every step. A new one is its file and its two lines here. */
import { n4 } from "./n4.ts";

export { n4 };

export const steps = { n4 } as const;
