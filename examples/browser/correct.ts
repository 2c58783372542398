/** What this page is about: file in, N4, file out, with the time of each part. */
import { type Backend, decode, digest, encode, n4, type Progress, type Volume } from "voxnorm";

export interface Choices {
  readonly image: File;
  readonly mask: "whole" | "otsu" | File;
  readonly shrinkFactor: number;
  /** One number a level. */
  readonly iterations: number[];
}

export interface Correction {
  readonly before: Volume;
  readonly field: Volume;
  readonly after: Volume;
  /** The corrected image as `.nii.gz`. */
  readonly file: Uint8Array<ArrayBuffer>;
  /** Of the corrected image. */
  readonly digest: string;
  readonly fieldRange: [number, number];
  readonly coefficientOfVariation: { before: number; after: number };
  /** What each level took. */
  readonly iterations: number[];
  /** Milliseconds. */
  readonly times: { decode: number; compute: number; encode: number };
}

/** Tells what is being done, and of the correction how far it is. */
export type Tell = (phase: "Reading" | "Correcting" | "Writing", progress?: Progress) => void;

export async function correct(
  { image, mask, shrinkFactor, iterations }: Choices,
  context: { backend: Backend; signal: AbortSignal },
  tell: Tell,
): Promise<Correction> {
  tell("Reading");
  const start = performance.now();
  const before = await read(image, context);
  const region = mask instanceof File ? await read(mask, context) : mask;
  const decoded = performance.now();

  tell("Correcting");
  const { outputs, measures, fitted } = await n4({ shrinkFactor, iterations }).run(
    { image: before, mask: region === "whole" ? undefined : region },
    ["image", "field"],
    { ...context, onProgress: (progress) => tell("Correcting", progress) },
  );
  const computed = performance.now();

  tell("Writing");
  // The header of what was read goes with the result, so that it is written as the original was.
  const after: Volume = { ...outputs.image!, meta: before.meta };
  const file = await encode(after, { gzip: true });
  const encoded = performance.now();
  return {
    before,
    field: outputs.field!,
    after,
    file: file as Uint8Array<ArrayBuffer>,
    digest: await digest(after, context.backend),
    fieldRange: measures.fieldRange as Correction["fieldRange"],
    coefficientOfVariation: measures.coefficientOfVariation as Correction["coefficientOfVariation"],
    iterations: fitted.levels.map((level) => level.iterations),
    times: { decode: decoded - start, compute: computed - decoded, encode: encoded - computed },
  };
}

async function read(file: File, context: { backend: Backend; signal: AbortSignal }): Promise<Volume> {
  return decode(new Uint8Array(await file.arrayBuffer()), { ...context, source: file.name });
}
