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
  /** Words that may stand in place of a volume, such as `otsu` for a mask. */
  readonly rules: readonly Rule[];
}

export interface RequiredSlot<K extends Kind, Rule extends string> extends Slot<false, Rule, K> {
  optional(): Slot<true, Rule, K>;
}

function slot<K extends Kind, Rule extends string = never>(
  kind: K,
  description: string,
  rules: readonly Rule[] = [],
): RequiredSlot<K, Rule> {
  const declared = { kind, description, rules };
  return { ...declared, isOptional: false, optional: () => ({ ...declared, isOptional: true }) };
}

/** Voxels with a meaning of their own. */
export const image = (description: string) => slot("image", description);

/** Voxels that say which others count; `rules` are ways to find them in the image instead. */
export const mask = <const Rule extends string = never>(description: string, rules: readonly Rule[] = []) =>
  slot<"mask", Rule>("mask", description, rules);

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
