/** From nnU-Net's own files to the options of the step `nnunet`. */
import { z } from "zod";
import { VoxnormError } from "./errors.ts";
import { type nnunet, nnunetSchemes } from "./steps/nnunet.ts";

const properties = z.record(
  z.string(),
  z.object({ mean: z.number(), std: z.number(), percentile_00_5: z.number(), percentile_99_5: z.number() }),
);

const fingerprints = z.object({ foreground_intensity_properties_per_channel: properties });

const plansFile = z.object({
  configurations: z.record(
    z.string(),
    z.object({
      inherits_from: z.string().optional(),
      normalization_schemes: z.array(z.enum(nnunetSchemes)).optional(),
      use_mask_for_norm: z.array(z.boolean().nullable()).optional(),
    }),
  ),
});

export interface NnunetPlace {
  /** One of the plans'. */
  readonly configuration?: string;
  /** From 0: the number in a file's name. All, where it is not given: for pictures, which hold their channels in one file. */
  readonly channel?: number;
}

export type NnunetOptions = NonNullable<Parameters<typeof nnunet>[0]>;

/**
 * The options by which `nnunet` does what the plans say of a channel: `plans` is the content of `nnUNetPlans.json`,
 * `fingerprint` that of `dataset_fingerprint.json`. Throws `BadOption` where they do not say it.
 */
export function nnunetOptions(
  plans: unknown,
  fingerprint: unknown,
  { configuration = "3d_fullres", channel }: NnunetPlace = {},
): NnunetOptions {
  const { configurations } = read("plans", plansFile, plans);
  const { foreground_intensity_properties_per_channel: foreground } = read("fingerprint", fingerprints, fingerprint);
  const schemes = found(configurations, configuration, "normalization_schemes");
  const masks = found(configurations, configuration, "use_mask_for_norm");
  if (masks.length !== schemes.length) {
    throw bad(
      "plans",
      `use_mask_for_norm: expected ${schemes.length} values, as there are schemes, got ${masks.length}`,
    );
  }
  const channels = channel === undefined ? [...schemes.keys()] : [channel];
  const each = channels.map((index) => {
    const scheme = schemes[index];
    if (scheme === undefined)
      throw bad("channel", `expected a whole number from 0 to ${schemes.length - 1}, got ${index}`);
    const isMasked = scheme === "ZScoreNormalization" && masks[index] === true;
    if (scheme !== "CTNormalization") return { scheme, isMasked, given: undefined };
    const given = foreground[index];
    if (given === undefined) {
      throw bad(
        "fingerprint",
        `expected intensities of channel ${index}, got those of ${Object.keys(foreground).join(", ") || "none"}`,
      );
    }
    return { scheme, isMasked, given };
  });
  const isMasked = each[0]?.isMasked === true;
  if (each.some((one) => one.isMasked !== isMasked)) {
    throw bad(
      "channel",
      "expected one, since some channels take their region's statistics and others do not, got none",
    );
  }
  const list = <T>(values: readonly T[]) => (channel === undefined ? [...values] : values[0]!);
  const given = (name: keyof z.output<typeof properties>[string]) => list(each.map((one) => one.given?.[name] ?? null));
  const isCt = each.some((one) => one.given !== undefined);
  return {
    profile: isMasked ? "use-mask-for-norm" : "nnunetv2",
    scheme: list(each.map(({ scheme }) => scheme)),
    ...(isCt
      ? {
          mean: given("mean"),
          standardDeviation: given("std"),
          lowerBound: given("percentile_00_5"),
          upperBound: given("percentile_99_5"),
        }
      : {}),
  };
}

type Configurations = z.output<typeof plansFile>["configurations"];

/** A configuration's field, or that of the one which it inherits from. */
function found<K extends "normalization_schemes" | "use_mask_for_norm">(
  configurations: Configurations,
  name: string,
  field: K,
): NonNullable<Configurations[string][K]> {
  const seen: string[] = [];
  for (let at: string | undefined = name; at !== undefined && !seen.includes(at); ) {
    const own: Configurations[string] | undefined = configurations[at];
    if (own === undefined) {
      throw bad(
        "configuration",
        `expected one of ${Object.keys(configurations).join(", ")}, got ${JSON.stringify(at)}`,
      );
    }
    const value = own[field];
    if (value !== undefined) return value as NonNullable<Configurations[string][K]>;
    seen.push(at);
    at = own.inherits_from;
  }
  throw bad("plans", `${field}: expected it of the configuration ${name} or of one that it inherits from, got none`);
}

function read<T>(what: string, schema: z.ZodType<T>, content: unknown): T {
  const { success, data, error } = schema.safeParse(content);
  if (success) return data;
  throw bad(what, z.prettifyError(error));
}

function bad(option: string, text: string): VoxnormError {
  return new VoxnormError("BadOption", `nnunetOptions: ${option}: ${text}`, { option });
}
