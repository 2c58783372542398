/** From an option's schema to a command-line flag and back; nothing here knows a step. */
import { InvalidArgumentError, Option } from "commander";
import { described, expected, type JsonSchema, jsonSchema, show } from "../schema.ts";
import type { StepDeclaration } from "../step.ts";

/** The flags of a step's options. What is not given stays undefined, so that the profile and the defaults decide. */
export function optionFlags(step: StepDeclaration): Option[] {
  const properties = Object.entries(jsonSchema(step.options).properties ?? {});
  const flags = properties.map(([name, schema]) => {
    const flag = new Option(`--${kebab(name)} <value>`, describe(schema));
    return flag.argParser((text: string) => coerce(text, schema));
  });
  const profiles = Object.keys(step.profiles);
  const profile = new Option("--profile <name>", `named set of option values (default: ${profiles[0]})`);
  return [...flags, profile.argParser(oneOf(profiles))];
}

/** Of what a command line gave, the step's own options. */
export function givenOptions(step: StepDeclaration, given: Record<string, unknown>): Record<string, unknown> {
  const names = [...Object.keys(jsonSchema(step.options).properties ?? {}), "profile"];
  return Object.fromEntries(names.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]));
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
