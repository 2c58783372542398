/**
 * The named inputs and outputs of a step, and their kinds. API types, command-line flags, documentation
 * and checks derive from these declarations.
 */
import type { Mask, Volume } from "./volume.ts";

export type Kind = "image" | "mask" | "weight" | "field";

export interface Slot<Optional extends boolean = boolean, Rule extends string = string, K extends Kind = Kind> {
  readonly kind: K;
  readonly description: string;
  readonly isOptional: Optional;
  /** Whether fitting asks for it, which applying does not use. */
  readonly isForFitting: boolean;
  /** Words that may stand in place of a volume, such as `otsu` for a mask. */
  readonly rules: readonly Rule[];
  /** The input whose grid it shares; none where it lies on a grid of its own. */
  readonly grid: string | null;
}

export interface RequiredSlot<K extends Kind, Rule extends string> extends Slot<false, Rule, K> {
  optional(): Slot<true, Rule, K>;
}

function slot<K extends Kind, Rule extends string = never>(
  kind: K,
  description: string,
  rules: readonly Rule[] = [],
  grid: string | null = "image",
): RequiredSlot<K, Rule> {
  const declared = { kind, description, rules, grid, isForFitting: false };
  return { ...declared, isOptional: false, optional: () => ({ ...declared, isOptional: true }) };
}

/** Voxels with a meaning of their own. */
export const image = (description: string) => slot("image", description);

/** Another image, on a grid of its own, that fitting learns from. */
export const reference = (description: string) => ({
  ...slot("image", description, [], null).optional(),
  isForFitting: true,
});

/** Voxels that say which others count; `rules` are ways to find them in the image instead. */
export const mask = <const Rule extends string = never>(description: string, rules: readonly Rule[] = []) =>
  slot<"mask", Rule>("mask", description, rules);

/** As `mask`, of an input other than the image. */
export const maskOf = (input: string, description: string) => slot("mask", description, [], input);

/** How much each voxel counts, 0 or less for not at all. */
export const weight = (description: string) => slot("weight", description);

/** A slowly varying factor. */
export const field = (description: string) => slot("field", description);

export type Slots = Readonly<Record<string, Slot>>;

/** What a caller gives for declared inputs. */
export type Given<S extends Slots> = {
  [N in keyof S as S[N]["isOptional"] extends true ? never : N]: GivenFor<S[N]>;
} & {
  [N in keyof S as S[N]["isOptional"] extends true ? N : never]?: GivenFor<S[N]> | undefined;
};

type GivenFor<S extends Slot> =
  | (S["kind"] extends "mask" ? Mask : Volume)
  | (S extends Slot<boolean, infer Rule> ? Rule : never);

/** What a caller gets of declared outputs: those that were asked for. */
export type Made<S extends Slots> = { [N in keyof S]?: Volume };
