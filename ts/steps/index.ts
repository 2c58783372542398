/** Every step. A new one is its file and its line here. */
export { kdeMode } from "./kde-mode.ts";
export { n4 } from "./n4.ts";
export { whiteStripe } from "./white-stripe.ts";
export { zscore } from "./zscore.ts";
