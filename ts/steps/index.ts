/** Every step. A new one is its file and its line here. */
export { exactHistogramMatching } from "./exact-histogram-matching.ts";
export { histogramEqualisation } from "./histogram-equalisation.ts";
export { histogramMatching } from "./histogram-matching.ts";
export { n4 } from "./n4.ts";
export { zscore } from "./zscore.ts";
