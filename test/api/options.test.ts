/** What a step takes for its options, and what it says of what it does not take: before anything runs. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { coerce } from "../../dist/cli/options.js";
import { type BoundStep, n4, pipeline, steps, VoxnormError, volume } from "../../dist/index.js";
import { described, expected, jsonSchema, replacements } from "../../dist/schema.js";
import { defineStep } from "../../dist/step.js";
import { failure } from "./images.ts";

function refusal(options: unknown): VoxnormError {
  try {
    n4(options as never);
  } catch (error) {
    if (error instanceof VoxnormError) return error;
    throw new Error(`expected an error of voxnorm, got ${error}`, { cause: error });
  }
  throw new Error(`expected an error, got none for ${String(options)}`);
}

describe("options", () => {
  it("are completed from the defaults", () => {
    expect(n4().options).toEqual({
      maskLabel: 1,
      shrinkFactor: [4, 4, 4],
      shrinkOffset: null,
      workingResolution: null,
      iterations: [50, 50, 50, 50],
      convergenceThreshold: 0.001,
      controlPoints: [4, 4, 4],
      splineDistance: null,
      histogramBins: 200,
      fullWidthAtHalfMaximum: 0.15,
      wienerNoise: 0.01,
      fieldMapping: "stretch",
      outside: "divide",
      preserveRange: false,
    });
    expect(n4({}).options).toEqual(n4().options);
    expect(n4({ histogramBins: undefined, profile: undefined } as never).options).toEqual(n4().options);
    expect(n4({ profile: "simpleitk" }).profile).toBe("simpleitk");
  });

  it("may say one number for all axes or one for each", () => {
    expect(n4({ shrinkFactor: 2, controlPoints: [4, 5, 6], shrinkOffset: 0 }).options).toMatchObject({
      shrinkFactor: [2, 2, 2],
      controlPoints: [4, 5, 6],
      shrinkOffset: [0, 0, 0],
    });
  });

  it("take values at the ends of their ranges", () => {
    for (const options of [
      { shrinkFactor: 64 },
      { iterations: [0] },
      { iterations: [10_000, 1, 1, 1, 1, 1, 1, 1] },
      { controlPoints: 131, iterations: [1] },
      { controlPoints: 67, iterations: [1, 1] },
      { histogramBins: 16 },
      { histogramBins: 512 },
      { convergenceThreshold: 0 },
      { fullWidthAtHalfMaximum: 10 },
      { wienerNoise: Number.MIN_VALUE },
      { maskLabel: 0 },
      { maskLabel: -(2 ** 24) },
    ]) {
      expect(() => n4(options)).not.toThrow();
    }
  });

  const integers = "integer from 1 to 64, or 3 of these";
  const counts = "1 to 8 of integer from 0 to 10000";
  it.each([
    ["shrinkFactor", "0", integers, 0],
    ["shrinkFactor", "65", integers, 65],
    ["shrinkFactor", "1.5", integers, 1.5],
    ["shrinkFactor", '"4"', integers, "4"],
    ["shrinkFactor", "null", integers, null],
    ["shrinkFactor", "NaN", integers, Number.NaN],
    ["shrinkFactor", "Infinity", integers, Number.POSITIVE_INFINITY],
    ["shrinkFactor", "true", integers, true],
    ["shrinkFactor", "[1,2]", integers, [1, 2]],
    ["shrinkFactor", "[1,2,3,4]", integers, [1, 2, 3, 4]],
    ["shrinkFactor", "[1,NaN,1]", integers, [1, Number.NaN, 1]],
    ["shrinkFactor", '[1,"2",1]', integers, [1, "2", 1]],
    ["shrinkFactor", "[[1,1,1]]", integers, [[1, 1, 1]]],
    ["shrinkOffset", "-1", "integer of at least 0, or 3 of these, or null", -1],
    ["shrinkOffset", '"null"', "integer of at least 0, or 3 of these, or null", "null"],
    ["iterations", "[]", counts, []],
    ["iterations", "[-1]", counts, [-1]],
    ["iterations", "[10001]", counts, [10_001]],
    ["iterations", "[1.5]", counts, [1.5]],
    ["iterations", "[[1]]", counts, [[1]]],
    ["iterations", "50", counts, 50],
    ["iterations", '"50"', counts, "50"],
    ["iterations", "{}", counts, {}],
    ["iterations", "[1,1,1,1,1,1,1,1,1]", counts, [1, 1, 1, 1, 1, 1, 1, 1, 1]],
    ["convergenceThreshold", "-1e-9", "number of at least 0", -1e-9],
    ["convergenceThreshold", "NaN", "number of at least 0", Number.NaN],
    ["convergenceThreshold", "Infinity", "number of at least 0", Number.POSITIVE_INFINITY],
    ["controlPoints", "3", "integer from 4 to 131, or 3 of these", 3],
    ["controlPoints", "132", "integer from 4 to 131, or 3 of these", 132],
    ["histogramBins", "15", "integer from 16 to 512", 15],
    ["histogramBins", "513", "integer from 16 to 512", 513],
    ["histogramBins", "200", "integer from 16 to 512", 200n],
    ["fullWidthAtHalfMaximum", "0", "number above 0 to 10", 0],
    ["fullWidthAtHalfMaximum", "10.1", "number above 0 to 10", 10.1],
    ["wienerNoise", "0", "number above 0 to 10", 0],
    ["wienerNoise", "-0.01", "number above 0 to 10", -0.01],
    ["maskLabel", '"1"', "nonzero, or number from -16777216 to 16777216", "1"],
    ["maskLabel", '"zero"', "nonzero, or number from -16777216 to 16777216", "zero"],
    ["maskLabel", "16777217", "nonzero, or number from -16777216 to 16777216", 2 ** 24 + 1],
    ["maskLabel", "[1]", "nonzero, or number from -16777216 to 16777216", [1]],
  ])("refuse %s: %s", (option, shown, text, got) => {
    const error = refusal({ [option]: got });
    expect(error.code).toBe("BadOption");
    expect(error.message).toBe(`n4: ${option}: expected ${text}, got ${shown}`);
    expect(error.detail.option).toBe(option);
    expect(() => JSON.stringify(error)).not.toThrow();
  });

  it("refuse so many control points that the last level has too many", () => {
    const error = refusal({ controlPoints: 68, iterations: [1, 1] });
    expect(error.code).toBe("BadOption");
    expect(error.message).toMatch(/^n4: controlPoints: expected so few that the last level has at most 131/);
    expect(error.detail).toEqual({ option: "controlPoints", got: 68 });
    expect(refusal({ controlPoints: [4, 4, 132] }).detail.option).toBe("controlPoints");
  });

  it.each(["shrinkfactor", "toString", "constructor", "__proto__", ""])("refuse the unknown %j", (option) => {
    const error = refusal(JSON.parse(`{ "histogramBins": 100, ${JSON.stringify(option)}: {} }`));
    expect(error.code).toBe("BadOption");
    expect(error.message).toBe(
      `n4: ${option}: no such option; expected one of ${Object.keys(n4.options.shape).join(", ")}`,
    );
    expect(error.detail).toEqual({ option });
  });

  it.each(["itk", "toString", "__proto__", "", null, 3])("refuse the profile %j", (profile) => {
    const error = refusal({ profile });
    expect(error.code).toBe("BadOption");
    expect(error.message).toBe(`n4: profile: expected one of simpleitk, antspyx, got ${JSON.stringify(profile)}`);
    expect(error.detail).toEqual({ option: "profile", got: profile });
  });

  it.each([null, "fast", 3, [], [{}], true])("refuse %j in place of options", (options) => {
    const error = refusal(options);
    expect(error.code).toBe("BadOption");
    expect(error.message).toBe(`n4: options: expected an object, got ${JSON.stringify(options)}`);
  });

  it.each([
    ["workingResolution", "shrinkFactor", { workingResolution: 4, shrinkFactor: 2 }],
    ["splineDistance", "controlPoints", { controlPoints: [4, 4, 4], splineDistance: 200, profile: "antspyx" }],
  ] as const)("refuse %s with %s, whose place it takes", (option, replaced, options) => {
    const error = refusal(options);
    expect(error.code).toBe("BadOption");
    expect(error.message).toBe(
      `n4: ${option}: expected it or ${replaced}, in whose place it stands, got both; leave one out`,
    );
    expect(error.detail).toEqual({ option, replaced });
    // Of null it is said that it does not stand.
    expect(() => n4({ ...options, [option]: null } as never)).not.toThrow();
  });

  it("leave out what another one replaces, and can be given again", () => {
    const { options } = n4({ splineDistance: 200, workingResolution: 4 });
    expect(options).toMatchObject({ splineDistance: 200, workingResolution: 4 });
    expect(Object.keys(options)).not.toContain("controlPoints");
    expect(Object.keys(options)).not.toContain("shrinkFactor");
    for (const each of [options, n4().options, n4({ profile: "antspyx" }).options]) {
      expect(n4(JSON.parse(JSON.stringify(each))).options).toEqual(each);
    }
  });

  it("override a profile's without conflict, each of the two", () => {
    const { options: schema, fitted, measures } = n4;
    const schemas = { options: () => schema, fitted: () => fitted, measures: () => measures };
    const profiles = { near: { splineDistance: 100 }, few: { controlPoints: 6 } };
    const near = defineStep({ ...n4, ...schemas, profiles });
    expect(near().options).toMatchObject({ splineDistance: 100 });
    expect(near({ controlPoints: 5 }).options).toMatchObject({ splineDistance: null, controlPoints: [5, 5, 5] });
    expect(near({ splineDistance: null }).options).toMatchObject({ splineDistance: null, controlPoints: [4, 4, 4] });
    expect(near({ profile: "few" }).options).toMatchObject({ splineDistance: null, controlPoints: [6, 6, 6] });
    const { options } = near({ profile: "few", splineDistance: 50 });
    expect([options.splineDistance, options.controlPoints]).toEqual([50, undefined]);
  });

  it("do not follow the caller's object afterwards", () => {
    const given = { iterations: [3, 2] };
    const bound = n4(given);
    given.iterations.push(9);
    expect(bound.options.iterations).toEqual([3, 2]);
  });
});

it("a step's schemas are made once, and none before it is asked for", () => {
  const made: string[] = [];
  const noted =
    <T>(name: string, schema: T) =>
    () => {
      made.push(name);
      return schema;
    };
  const { options, fitted, measures } = n4;
  const schemas = { options: noted("options", options), measures: noted("measures", measures) };
  const step = defineStep({ ...n4, ...schemas, fitted: noted("fitted", fitted), profiles: { simpleitk: {} } });
  expect(made).toEqual([]);
  expect(step().options).toEqual(step({ histogramBins: 200 }).options);
  expect(made).toEqual(["options"]);
  expect({ ...step }).toMatchObject({ id: "n4", options, fitted, measures });
  expect(made).toEqual(["options", "fitted", "measures"]);
});

describe("what is no object is a wrong call", () => {
  const image = volume(Float32Array.of(1, 2, 3), [3, 1, 1]);
  const bound = n4() as BoundStep;
  it.each([
    ["n4: inputs", (given: never) => bound.run(given)],
    ["n4: inputs", (given: never) => bound.fit(given)],
    ["n4: context", (given: never) => bound.run({ image }, [], given ?? null)],
    ["pipeline: context", (given: never) => pipeline([bound]).run(image, given ?? null)],
  ])("%s", async (what, call) => {
    for (const given of [undefined, null, 3, [image]]) {
      const shown = what.endsWith("context") ? (given ?? null) : given;
      const error = await failure(() => call(given as never));
      expect(error.code).toBe("BadOption");
      expect(error.message).toMatch(`${what}: expected an object, got ${shown === given ? "" : "null"}`);
      expect(() => JSON.stringify(error)).not.toThrow();
    }
  });

  it.each([undefined, null, 3, {}])("an image that is %s", async (given) => {
    const code = given === undefined ? "MissingInput" : "BadVolume";
    expect((await failure(() => bound.run({ image: given as never }))).code).toBe(code);
    expect((await failure(() => pipeline([bound]).run(given as never))).code).toBe(code);
  });

  it.each([null, "field", { field: true }])("a list of outputs that is %j", async (wanted) => {
    const { code, message } = await failure(() => bound.run({ image }, wanted as never));
    expect([code, message]).toEqual([
      "BadOption",
      expect.stringContaining("n4: outputs: expected a list of names, got"),
    ]);
  });
});

it("a pipeline refuses to have no step", () => {
  expect(() => pipeline([])).toThrow("pipeline: expected at least one step, got none");
});

describe("a schema in words", () => {
  it("says what each option of N4 takes", () => {
    const { properties } = jsonSchema(n4.options);
    const words = Object.entries(properties ?? {}).map(([name, schema]) => [name, expected(schema)]);
    expect(Object.fromEntries(words)).toEqual({
      maskLabel: "nonzero, or number from -16777216 to 16777216",
      shrinkFactor: "integer from 1 to 64, or 3 of these",
      shrinkOffset: "integer of at least 0, or 3 of these, or null",
      iterations: "1 to 8 of integer from 0 to 10000",
      convergenceThreshold: "number of at least 0",
      controlPoints: "integer from 4 to 131, or 3 of these",
      histogramBins: "integer from 16 to 512",
      fullWidthAtHalfMaximum: "number above 0 to 10",
      wienerNoise: "number above 0 to 10",
      fieldMapping: "stretch, exact",
      outside: "divide, keep",
      preserveRange: "boolean",
      splineDistance: "number above 0 to 10000, or null",
      workingResolution: "number above 0 to 1000, or null",
    });
  });

  it.each(Object.values(steps))("what an option of $id replaces is another option, in no profile with it", (step) => {
    const { properties } = jsonSchema(step.options);
    const written = JSON.parse(readFileSync(`docs/schema/${step.id}.json`, "utf8"));
    for (const [option, replaced] of replacements(step.options)) {
      expect(Object.keys(properties ?? {})).toContain(replaced);
      expect(described(properties![option]!)).toContain(`, in place of ${replaced}`);
      expect(written.allOf).toContainEqual({
        not: { required: [option, replaced], properties: { [option]: { not: { type: "null" } } } },
      });
      for (const profile of Object.values(step.profiles) as object[]) {
        expect(option in profile && replaced in profile).toBe(false);
      }
    }
  });

  it.each([
    [{ type: "number" }, "number"],
    [{ type: "integer", minimum: 1 }, "integer of at least 1"],
    [{ type: "number", maximum: 0 }, "number of at most 0"],
    [{ type: "number", exclusiveMinimum: 0 }, "number above 0"],
    [{ type: "number", exclusiveMaximum: 1 }, "number below 1"],
    [{ type: "number", minimum: 0, exclusiveMaximum: 1 }, "number from 0 below 1"],
    [{ type: "integer", minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }, "integer"],
    [{ enum: ["linear", "cubic"] }, "linear, cubic"],
    [{ const: "whole" }, "whole"],
    [{ type: "array", items: { type: "string" } }, "any number of string"],
    [{ type: "array", items: { type: "number" }, minItems: 2, maxItems: 3 }, "2 to 3 of number"],
    [{ type: "array", prefixItems: [{ type: "number" }, { type: "number" }] }, "2 of number"],
    [{ anyOf: [{ type: "number" }, { type: "null" }] }, "number, or null"],
    [{ type: ["number", "null"] }, "number or null"],
    [{}, "any value"],
  ] as const)("%j is “%s”", (schema, words) => {
    expect(expected(schema)).toBe(words);
  });

  it.each(Object.values(steps))("every default of $id is one that the schema takes, and JSON", (step) => {
    const defaults = step.options.parse({});
    expect(JSON.parse(JSON.stringify(defaults))).toEqual(defaults);
    expect(step.options.parse(defaults)).toEqual(defaults);
    for (const profile of Object.keys(step.profiles)) {
      expect(() => step({ profile } as never)).not.toThrow();
    }
  });

  it.each([
    ["4", {}, 4],
    ["4,3,2", {}, [4, 3, 2]],
    ["50", { type: "array" }, [50]],
    [" 1e-3 ", {}, 0.001],
    ["nonzero", {}, "nonzero"],
    ["null", {}, null],
    ["-2", {}, -2],
    ["NaN", {}, "NaN"],
    ["Infinity", {}, "Infinity"],
    ["", {}, ""],
    ["1,,2", {}, [1, "", 2]],
  ] as const)("a flag's text %j of %j is %j", (text, schema, value) => {
    expect(coerce(text, schema)).toEqual(value);
  });
});
