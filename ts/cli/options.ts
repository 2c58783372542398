/** From an option's schema to a command-line flag and back; nothing here knows a step. */
import { InvalidArgumentError, Option } from "commander";
import type { z } from "zod";
import { described, expected, type JsonSchema, jsonSchema, show } from "../schema.ts";
import type { StepDeclaration } from "../step.ts";

/** The flags of a step's options. What is not given stays undefined, so that the profile and the defaults decide. */
export function optionFlags(step: StepDeclaration): Option[] {
  const profiles = Object.keys(step.profiles);
  const profile = new Option("--profile <name>", `named set of option values (default: ${profiles[0]})`);
  return [...flagsOf(step.options), profile.argParser(oneOf(profiles))];
}

/**
 * A flag for each option of a schema, such as `--limit-voxels` where the prefix is `limit`. What it takes is found out when
 * help asks or a value is given: for all flags of a call it would take longer than all else before the first file is opened.
 */
export function flagsOf(schema: z.ZodObject, prefix = ""): Option[] {
  return Object.entries<z.ZodType>(schema.shape).map(([name, property]) => {
    const flag = new Option(`--${kebab(prefixed(name, prefix))} <value>`);
    Object.defineProperty(flag, "description", { get: () => describe(jsonSchema(property)) });
    return flag.argParser((text: string) => coerce(text, jsonSchema(property)));
  });
}

/** Of what a command line gave, the options of a schema by their own names; those not given are left out. */
export function givenOf(schema: z.ZodObject, given: Record<string, unknown>, prefix = ""): Record<string, unknown> {
  const values = Object.keys(schema.shape).map((name) => [name, given[prefixed(name, prefix)]] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

function prefixed(name: string, prefix: string): string {
  return prefix === "" ? name : `${prefix}${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** Of what a command line gave, the step's own options. */
export function givenOptions(step: StepDeclaration, given: Record<string, unknown>): Record<string, unknown> {
  const { profile } = given;
  return { ...givenOf(step.options, given), ...(profile === undefined ? {} : { profile }) };
}

/** `shrinkFactor` as `shrink-factor`. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A flag's text as the JSON value its schema speaks of: lists by commas, numbers as numbers. */
export function coerce(text: string, schema: JsonSchema): unknown {
  const values = text.split(",").map((word) => {
    const trimmed = word.trim();
    if (trimmed === "null") return null;
    if (schema.type === "boolean" && ["true", "false"].includes(trimmed)) return trimmed === "true";
    return trimmed !== "" && Number.isFinite(Number(trimmed)) ? Number(trimmed) : trimmed;
  });
  return values.length > 1 || schema.type === "array" ? values : values[0];
}

/** A parser of one of the given words. */
export function oneOf(words: readonly string[]) {
  return (text: string): string => {
    if (words.includes(text)) return text;
    throw new InvalidArgumentError(`Expected one of ${words.join(", ")}.`);
  };
}

function describe(schema: JsonSchema): string {
  const unit = schema.unit === undefined ? "" : `, in ${schema.unit}`;
  const preset = schema.default === undefined ? "" : `; default: ${asTyped(schema.default)}`;
  return `${described(schema)} (${expected(schema)}${unit}${preset})`;
}

function asTyped(value: unknown): string {
  return Array.isArray(value) ? value.join(",") : show(value).replaceAll('"', "");
}
