/** The texts that `main.ts` writes. */
import { kebab } from "../cli/options.ts";
import { errorCodes } from "../errors.ts";
import { described, expected, type JsonSchema, jsonSchema, replacements, show } from "../schema.ts";
import type { Slot } from "../slots.ts";
import type { StepDeclaration } from "../step.ts";

const generated = "<!-- Written by ts/generate; do not edit. -->";

/** A step's options, fitted values and measures as JSON Schema. */
export function schemaOf(step: StepDeclaration): object {
  const { $schema, ...options } = jsonSchema(step.options) as JsonSchema & { $schema?: string };
  const part = ({ $schema: _, ...schema }: { $schema?: string } & object) => schema;
  const profile = { enum: Object.keys(step.profiles), default: Object.keys(step.profiles)[0] };
  const exclusions = replacements(step.options).map(([option, replaced]) => ({
    not: { required: [option, replaced], properties: { [option]: { not: { type: "null" } } } },
  }));
  return {
    $comment: "Written by ts/generate; do not edit.",
    $schema,
    title: step.id,
    description: step.summary,
    ...options,
    properties: { profile, ...options.properties },
    ...(exclusions.length === 0 ? {} : { allOf: exclusions }),
    $defs: { fitted: part(jsonSchema(step.fitted)), measures: part(jsonSchema(step.measures)) },
  };
}

export function stepPage(step: StepDeclaration): string {
  return `${generated}
# ${step.title}

${step.summary}. Suits ${step.modalities.join(", ")}.

    voxnorm ${step.id} in.nii.gz${demanded(step)} -o out.nii.gz

${step.doc.replace(/^\n+/, "").trimEnd()}

## Inputs

${slots(step.inputs)}

## Outputs

${slots(step.outputs)}

## Options

${schemaTable(jsonSchema(step.options), true)}

## Profiles

${Object.entries(step.profiles)
  .map(([name, values], i) => `- \`${name}\`${i === 0 ? " (default)" : ""}: ${profileText(values)}`)
  .join("\n")}

## Fitted values

What fitting finds; kept in the report, and enough to apply the step again.

${schemaTable(jsonSchema(step.fitted), false)}

## Measures

${schemaTable(jsonSchema(step.measures), false)}

## Warnings

Told on the command line, in the report and to \`onWarning\`.

${table(
  ["code", "meaning"],
  Object.entries(step.warnings).map(([code, { meaning }]) => [`\`${code}\``, meaning]),
)}

## References

${step.references.map((reference) => `- ${reference.replace(/^doi:(.*)$/, "[doi:$1](https://doi.org/$1)")}`).join("\n")}
`;
}

export function stepTable(steps: readonly StepDeclaration[]): string {
  const rows = steps.map((step) => [
    `[\`${step.id}\`](docs/steps/${step.id}.md)`,
    step.summary,
    step.modalities.join(", "),
  ]);
  return table(["step", "what it does", "suits"], rows);
}

export function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(([code, { kind, meaning }]) => [`\`${code}\``, kind, meaning]);
  return `${generated}
# Error codes

Every failure is a \`VoxnormError\` with one of these codes, a sentence that says what was expected and what came, and
the facts in \`detail\`. The command's exit code follows from the kind.

${table(["code", "kind", "meaning"], rows)}
`;
}

/** The flags of inputs that the command cannot do without. */
function demanded({ inputs }: StepDeclaration): string {
  const names = Object.entries(inputs).filter(
    ([name, slot]) => name !== "image" && (slot.isForFitting || !slot.isOptional),
  );
  return names.map(([name]) => ` --${kebab(name)} ${kebab(name)}.nii.gz`).join("");
}

function slots(declared: Readonly<Record<string, Slot>>): string {
  const rows = Object.entries(declared).map(([name, slot]) => [
    `\`${name}\``,
    [slot.kind, ...slot.rules.map((rule) => `or \`${rule}\``)].join(" "),
    slot.isForFitting ? "required to fit" : slot.isOptional ? "optional" : "required",
    slot.description,
  ]);
  return table(["name", "kind", "", "what"], rows);
}

function schemaTable(schema: JsonSchema, asOptions: boolean): string {
  const rows = flatten(schema).map(([path, each]) => [
    `\`${path}\``,
    ...(asOptions ? [`\`--${kebab(path)}\``] : []),
    `${expected(each)}${each.unit ? `, in ${each.unit}` : ""}`,
    ...(asOptions ? [each.default === undefined ? "" : show(each.default)] : []),
    described(each),
  ]);
  const heads = asOptions ? ["option", "flag", "value", "default", "what"] : ["value", "type", "what"];
  return table(heads, rows);
}

/** Nested objects as dotted paths; `[]` for the elements of a list. */
function flatten(schema: JsonSchema, prefix = ""): [string, JsonSchema][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, each]): [string, JsonSchema][] => {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    const inner = [each, each.items || undefined].find((one) => one?.properties);
    if (inner === undefined) return [[path, each]];
    return flatten(inner, inner === each ? path : `${path}[]`);
  });
}

function profileText(values: object): string {
  const entries = Object.entries(values);
  return entries.length === 0
    ? "the defaults"
    : entries.map(([name, value]) => `\`${name}\` ${show(value)}`).join(", ");
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}
