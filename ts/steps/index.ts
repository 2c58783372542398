/** Every step. A new one is its file and its line here. */

export { clip } from "./clip.ts";
export { clipPercentiles } from "./clip-percentiles.ts";
export { exactHistogramMatching } from "./exact-histogram-matching.ts";
export { fcm } from "./fcm.ts";
export { gamma } from "./gamma.ts";
export { histogramEqualisation } from "./histogram-equalisation.ts";
export { histogramMatching } from "./histogram-matching.ts";
export { kdeMode } from "./kde-mode.ts";
export { localNormalisation } from "./local-normalisation.ts";
export { log } from "./log.ts";
export { meanSubtraction } from "./mean-subtraction.ts";
export { minMax } from "./min-max.ts";
export { n4 } from "./n4.ts";
export { nnunet } from "./nnunet.ts";
export { percentileRange } from "./percentile-range.ts";
export { rescale } from "./rescale.ts";
export { robust } from "./robust.ts";
export { standardise } from "./standardise.ts";
export { suv } from "./suv.ts";
export { unitVariance } from "./unit-variance.ts";
export { whiteStripe } from "./white-stripe.ts";
export { zscore } from "./zscore.ts";
