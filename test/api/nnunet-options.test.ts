/** Options from nnU-Net's own files, in the form that its version 2 writes. */
import { describe, expect, it } from "vitest";
import { nnunet, nnunetOptions } from "../../dist/index.js";

const intensities = (mean: number) => ({
  max: 3000,
  mean,
  median: mean,
  min: -1000,
  percentile_00_5: mean - 900,
  percentile_99_5: mean + 900,
  std: 10 + mean,
});
const fingerprint = {
  foreground_intensity_properties_per_channel: { "0": intensities(40), "1": intensities(7) },
  median_relative_size_after_cropping: 1,
  shapes_after_crop: [[1, 2, 3]],
  spacings: [[1, 1, 1]],
};
const plans = {
  dataset_name: "Dataset003_Liver",
  configurations: {
    "2d": { normalization_schemes: ["NoNormalization", "RescaleTo01Normalization"], use_mask_for_norm: [false, false] },
    "3d_fullres": {
      data_identifier: "nnUNetPlans_3d_fullres",
      normalization_schemes: ["CTNormalization", "ZScoreNormalization"],
      use_mask_for_norm: [false, true],
    },
    "3d_cascade_fullres": { inherits_from: "3d_fullres", previous_stage: "3d_lowres" },
    "3d_both": { inherits_from: "3d_fullres", use_mask_for_norm: [true, false] },
    turning: { inherits_from: "turning" },
    short: { normalization_schemes: ["NoNormalization"], use_mask_for_norm: [] },
  },
};
const of = (place?: Parameters<typeof nnunetOptions>[2]) => nnunetOptions(plans, fingerprint, place);

it("a channel has its scheme and the training set's numbers", () => {
  const ct = { scheme: "CTNormalization", mean: 40, standardDeviation: 50, lowerBound: -860, upperBound: 940 };
  expect(of({ channel: 0 })).toEqual({ profile: "nnunetv2", ...ct });
  expect(of({ channel: 1 })).toEqual({ profile: "use-mask-for-norm", scheme: "ZScoreNormalization" });
  expect(nnunet(of({ channel: 1 })).options).toMatchObject({
    region: "foreground",
    foreground: "nonzero",
    changed: "region",
  });
  expect(nnunet(of({ channel: 0 })).options).toMatchObject({ ...ct, region: "whole", changed: "everywhere" });
});

it("a configuration inherits what it does not say", () => {
  expect(of({ configuration: "3d_cascade_fullres", channel: 0 })).toEqual(of({ channel: 0 }));
  // Only the z-score looks at the mask.
  expect(of({ configuration: "3d_both", channel: 0 })).toEqual(of({ channel: 0 }));
  expect(of({ configuration: "3d_both", channel: 1 })).toEqual({ profile: "nnunetv2", scheme: "ZScoreNormalization" });
});

it("all channels of one file have lists", () => {
  expect(of({ configuration: "2d" })).toEqual({
    profile: "nnunetv2",
    scheme: ["NoNormalization", "RescaleTo01Normalization"],
  });
  const options = of({ configuration: "3d_both" });
  expect(options).toMatchObject({ mean: [40, null], upperBound: [940, null] });
  expect(nnunet(options).options).toMatchObject({ standardDeviation: [50, null] });
});

describe("what the files do not say is an error", () => {
  it.each([
    ["an unknown configuration", () => of({ configuration: "3d" }), "configuration: expected one of 2d"],
    ["an unknown channel", () => of({ channel: 2 }), "channel: expected a whole number from 0 to 1, got 2"],
    ["channels of different regions", () => of(), "channel: expected one"],
    ["a circle", () => of({ configuration: "turning" }), "normalization_schemes"],
    ["too few masks", () => of({ configuration: "short" }), "use_mask_for_norm: expected 1 values"],
    ["no plans", () => nnunetOptions(fingerprint, fingerprint), "plans"],
    ["no fingerprint", () => nnunetOptions(plans, {}), "fingerprint"],
    [
      "a fingerprint of other channels",
      () => nnunetOptions(plans, { foreground_intensity_properties_per_channel: {} }, { channel: 0 }),
      "fingerprint: expected intensities of channel 0, got those of none",
    ],
    [
      "a scheme of one's own",
      () => nnunetOptions({ configurations: { a: { normalization_schemes: ["MyOwn"] } } }, fingerprint),
      "normalization_schemes",
    ],
  ])("%s", (_, call, message) => {
    expect(call).toThrow(expect.objectContaining({ code: "BadOption", message: expect.stringContaining(message) }));
  });
});
