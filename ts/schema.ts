/** What a schema accepts, in words: for help, documentation and error messages alike. */
import { z } from "zod";
import { VoxnormError } from "./errors.ts";

/** The parts of JSON Schema that zod writes for our options. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  /** Ours: the unit of a number. */
  readonly unit?: string;
  /** Ours: the option in whose place this one stands where it is not null. They exclude each other. */
  readonly replaces?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema | false;
  readonly prefixItems?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** The JSON Schema of what a caller may give. */
export function jsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
}

/** Pairs of an option and the one that it replaces. */
export function replacements({ shape }: z.ZodObject): [option: string, replaced: string][] {
  return Object.entries<z.ZodType>(shape).flatMap(([name, option]): [string, string][] => {
    const { replaces } = (option.meta() ?? {}) as JsonSchema;
    return replaces === undefined ? [] : [[name, replaces]];
  });
}

/** What an option is for, in a sentence without a full stop. */
export function described({ description = "", replaces }: JsonSchema): string {
  return replaces === undefined ? description : `${description}, in place of ${replaces}`;
}

/** `given` by the schema, complete. Throws `BadOption`, named after `what` takes the options. */
export function parsed<S extends z.ZodObject>(what: string, schema: S, given: object): z.output<S> {
  const own = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const result = schema.safeParse(own);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const known = jsonSchema(schema).properties ?? {};
  if (issue?.code === "unrecognized_keys") {
    const option = issue.keys[0] ?? "";
    throw badOption(what, option, `no such option; expected one of ${Object.keys(known).join(", ")}`, undefined);
  }
  const option = String(issue?.path[0] ?? "");
  const property = known[option];
  const text = issue?.code === "custom" || !property ? (issue?.message ?? "") : `expected ${expected(property)}`;
  throw badOption(what, option, text, own[option]);
}

export function badOption(what: string, option: string, text: string, got: unknown): VoxnormError {
  const came = got === undefined ? "" : `, got ${show(got)}`;
  return new VoxnormError("BadOption", `${what}: ${option}: ${text}${came}`, { option, got: plain(got) });
}

/** Such as `integer from 1 to 64, or 3 of these`. */
export function expected(schema: JsonSchema): string {
  if (schema.anyOf) return alternatives(schema.anyOf.flatMap((one) => one.anyOf ?? [one]));
  if (schema.const !== undefined) return String(schema.const);
  if (schema.enum) return schema.enum.join(", ");
  if (schema.type === "array") return list(schema);
  const types = [schema.type ?? "any value"].flat();
  return `${types.join(" or ")}${bounds(schema)}`;
}

function alternatives(schemas: readonly JsonSchema[]): string {
  return schemas
    .map((schema, i) => {
      const each = schema.prefixItems?.[0] ?? schema.items;
      const before = schemas[i - 1];
      const repeats = each && before && expected(each) === expected(before);
      return repeats ? `${schema.prefixItems?.length ?? countOf(schema)} of these` : expected(schema);
    })
    .join(", or ");
}

function list(schema: JsonSchema): string {
  const { items, prefixItems } = schema;
  if (prefixItems?.[0]) return `${prefixItems.length} of ${expected(prefixItems[0])}`;
  return `${countOf(schema)} of ${items ? expected(items) : "any value"}`;
}

function countOf({ minItems, maxItems }: JsonSchema): string {
  return minItems !== undefined && maxItems !== undefined ? `${minItems} to ${maxItems}` : "any number";
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const far = Number.MAX_SAFE_INTEGER;
  const low = exclusiveMinimum ?? (minimum !== undefined && minimum > -far ? minimum : undefined);
  const high = exclusiveMaximum ?? (maximum !== undefined && maximum < far ? maximum : undefined);
  const above = exclusiveMinimum !== undefined ? "above" : "from";
  const below = exclusiveMaximum !== undefined ? "below" : "to";
  if (low !== undefined && high !== undefined) return ` ${above} ${low} ${below} ${high}`;
  if (low !== undefined) return exclusiveMinimum !== undefined ? ` above ${low}` : ` of at least ${low}`;
  if (high !== undefined) return exclusiveMaximum !== undefined ? ` below ${high}` : ` of at most ${high}`;
  return "";
}

/** A value as a message shows it. JSON would turn NaN into null, and refuses some values. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(",")}]`;
  if (typeof value !== "object" && typeof value !== "string") return String(value);
  return isJson(value) ? JSON.stringify(value) : "an object";
}

/** A value as an error's detail keeps it, which must be JSON. */
export function plain(value: unknown): unknown {
  return isJson(value) ? value : show(value);
}

/** False for big integers, circles and what holds them. */
function isJson(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
}

/** Throws `BadOption` for what callers give in place of an object, `undefined` and `null` among it. */
export function expectObject(who: string, what: string, value: unknown): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  const message = `${who}: ${what}: expected an object, got ${show(value)}`;
  throw new VoxnormError("BadOption", message, { [what]: plain(value) });
}
