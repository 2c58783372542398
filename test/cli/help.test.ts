/** The command's help and names come from the steps' declarations: nothing is left out, nothing is said twice. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { program, verbs } from "../../dist/cli/main.js";
import { optionFlags } from "../../dist/cli/options.js";
import { exitCodes } from "../../dist/cli/outcome.js";
import { errorCodes, steps, version } from "../../dist/index.js";
import { limitOptions, storageOptions } from "../../dist/io/options.js";
import { described, expected, jsonSchema } from "../../dist/schema.js";
import { voxnorm } from "./command.ts";

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
/** Help is wrapped to a width; what it says is not. */
const unwrapped = (text: string) => text.replace(/\s+/g, " ");

describe("names", () => {
  it("no step is called as a verb is, or may be", () => {
    const taken = Object.values(steps).filter(({ id }) => (verbs as readonly string[]).includes(id));
    expect(taken).toEqual([]);
    const reserved = "run fit apply audit explain replay invert measure picture convert info bids serve queue report";
    expect(verbs).toEqual(expect.arrayContaining(reserved.split(" ")));
  });

  it("a step has its own id, in kebab-case, and a command", () => {
    for (const [name, { id }] of Object.entries(steps)) {
      expect(id).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
      expect(kebab(name)).toBe(id);
    }
    const commands = program().commands.map((command) => command.name());
    expect(commands).toEqual([...Object.values(steps).map(({ id }) => id), "info"]);
    expect(new Set(commands).size).toBe(commands.length);
  });

  it.each(program().commands.map((command) => [command.name(), command] as const))(
    "%s has no flag twice",
    (_, command) => {
      const flags = command.options.flatMap(({ short, long }) => [short, long].filter((flag) => flag !== undefined));
      expect(new Set(flags).size).toBe(flags.length);
    },
  );
});

describe.each(Object.values(steps))("$id --help", (step) => {
  it("lists every option with its description, what it takes, its unit and its default", async () => {
    const { stdout, code } = await voxnorm([step.id, "--help"]);
    expect(code).toBe(0);
    const help = unwrapped(stdout);
    const properties = Object.entries(jsonSchema(step.options).properties ?? {});
    expect(properties.length).toBeGreaterThan(0);
    for (const [name, schema] of properties) {
      const preset = schema.default === undefined ? "" : `; default: ${[schema.default].flat().map(String).join(",")}`;
      const unit = schema.unit === undefined ? "" : `, in ${schema.unit}`;
      const facts = `(${expected(schema)}${unit}${preset})`;
      expect(help).toContain(`--${kebab(name)} <value> ${described(schema)} ${facts}`);
    }
    expect(help).toContain(`--profile <name> named set of option values (default: ${Object.keys(step.profiles)[0]})`);
  });

  it("lists every input and output with its rules and description", async () => {
    const help = unwrapped((await voxnorm([step.id, "--help"])).stdout);
    expect(help).toContain(unwrapped(step.summary));
    for (const [name, slot] of Object.entries(step.inputs)) {
      const value = [...slot.rules, "file"].join("|");
      expect(help).toContain(name === "image" ? slot.description : `--${kebab(name)} <${value}> ${slot.description}`);
    }
    for (const [name, slot] of Object.entries(step.outputs)) {
      const flag = name === "image" ? "--output" : `--${kebab(name)}`;
      expect(help).toContain(`${flag} <file> ${name === "image" ? "" : "write: "}${slot.description}`);
    }
    for (const flag of ["--backend", "--threads", "--simd", "-q, --quiet", "--report", "--json"]) {
      expect(help).toContain(flag);
    }
  });

  it("knows no flag that the declaration and the common ones do not make", () => {
    const own = [
      ...optionFlags(step as never).map(({ long }) => long),
      ...[...Object.keys(step.inputs), ...Object.keys(step.outputs)]
        .filter((name) => name !== "image")
        .map((name) => `--${kebab(name)}`),
    ];
    const files = [
      ...Object.keys(storageOptions.shape).map((name) => `--${name}`),
      ...Object.keys(limitOptions.shape).map((name) => `--limit-${name}`),
    ];
    const common =
      "--output --backend --threads --simd --quiet --jobs --memory --report --options --dry-run --gzip --json".split(
        " ",
      );
    const command = program().commands.find((each) => each.name() === step.id)!;
    expect(command.options.map(({ long }) => long).sort()).toEqual([...own, ...files, ...common].sort());
  });
});

describe("voxnorm --help", () => {
  it("names every command and every exit code", async () => {
    const help = unwrapped((await voxnorm(["--help"])).stdout);
    for (const command of program().commands) expect(help).toContain(` ${command.name()} [options]`);
    const codes = help.slice(help.indexOf("Exit codes:"));
    for (const code of Object.values(exitCodes)) expect(codes).toMatch(new RegExp(`\\b${code} `));
  });

  it("exit codes are the architecture's", () => {
    expect(exitCodes).toEqual({
      done: 0,
      internal: 1,
      call: 2,
      some: 3,
      none: 4,
      limit: 5,
      disk: 74,
      interrupted: 130,
      terminated: 143,
    });
  });
});

it("--version is the package's, by either flag", async () => {
  const file = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  expect(file.version).toBe(version);
  for (const words of [["--version"], ["-V"]]) {
    expect(await voxnorm(words)).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: "" });
  }
});

it("docs/errors.md lists every code", () => {
  const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
  for (const [code, { kind, meaning }] of Object.entries(errorCodes)) {
    expect(page).toContain(`| \`${code}\` | ${kind} | ${meaning} |`);
  }
});
