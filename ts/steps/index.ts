/** Every step. A new one is its file and its line here. */
export { n4 } from "./n4.ts";
export { nnunet } from "./nnunet.ts";
export { standardise } from "./standardise.ts";
export { suv } from "./suv.ts";
export { zscore } from "./zscore.ts";
