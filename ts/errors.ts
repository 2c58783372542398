/**
 * Errors: one class, a stable code, the facts in `detail`, the cause kept.
 *
 * The sentence says what was expected, of what, and what came: `n4: shrinkFactor: expected ≥ 1, got 0`.
 * The table below is the one list of codes; the Rust half uses the same names, and the command line
 * derives its exit code from `kind`.
 */
export const errorCodes = {
  Cancelled: { kind: "interrupted", meaning: "The caller's signal stopped the computation" },
  Internal: { kind: "internal", meaning: "A defect of voxnorm; please report it" },
  BackendUnavailable: { kind: "internal", meaning: "No backend could be loaded; the message lists each attempt" },
  UnknownStep: { kind: "call", meaning: "No step has that id" },
  BadOption: { kind: "call", meaning: "An option is unknown, of the wrong type or out of its range" },
  BadFitted: { kind: "call", meaning: "The fitted values given are not what the step fits" },
  MissingInput: { kind: "call", meaning: "A required input was not given" },
  UnsupportedSimd: { kind: "call", meaning: "The processor lacks the instruction set asked for" },
  UnsafeOutput: { kind: "call", meaning: "An output would overwrite an input, another output or a link" },
  NoThreads: { kind: "limit", meaning: "The system refused to start the threads" },
  TooLarge: { kind: "limit", meaning: "A file, its image or their number is beyond a limit, which an option raises" },
  NotFound: { kind: "input", meaning: "The file does not exist or may not be read" },
  ReadFailed: { kind: "input", meaning: "The file could not be read to its end, or changed meanwhile" },
  UnknownFormat: { kind: "input", meaning: "The content is of no format that voxnorm reads" },
  BadHeader: { kind: "input", meaning: "The header contradicts itself or the format" },
  UnsupportedType: { kind: "input", meaning: "The voxels are stored as a type that voxnorm does not read" },
  SeveralVolumes: { kind: "input", meaning: "The file holds several volumes; `readVolumes` and `decodeAll` read them" },
  Truncated: { kind: "input", meaning: "The file holds fewer bytes than its header declares" },
  TrailingData: { kind: "input", meaning: "The file holds more bytes than its header declares" },
  BadGzip: { kind: "input", meaning: "The gzip stream is damaged" },
  BadPng: { kind: "input", meaning: "A PNG's chunks or its packed pixels are damaged" },
  ValueOutOfRange: {
    kind: "input",
    meaning: "A stored value does not fit in single precision, or a voxel in the file to write",
  },
  BadVolume: { kind: "input", meaning: "The voxels do not match the shape, or the axes depend on each other" },
  GridMismatch: { kind: "input", meaning: "Two volumes that must share a grid do not" },
  EmptyMask: { kind: "input", meaning: "The mask selects no voxel" },
  NotFinite: { kind: "input", meaning: "Voxels that would be used are NaN or infinite" },
  TooFewValues: {
    kind: "input",
    meaning: "Voxels that would be used have fewer different values than the method needs",
  },
  ConstantImage: { kind: "input", meaning: "All voxels that would be used are equal" },
  NotPositive: { kind: "input", meaning: "Voxels are too small for the formula, such as 0 for a logarithm" },
  NoSpread: { kind: "input", meaning: "The voxels differ, but what measures by how much is 0, as most are equal" },
  BadScale: { kind: "input", meaning: "A number that the method divides by is 0 or negative" },
  WriteFailed: { kind: "disk", meaning: "The output could not be written; nothing was left behind" },
} as const satisfies Record<string, { kind: ErrorKind; meaning: string }>;

export type ErrorKind = "call" | "input" | "limit" | "disk" | "internal" | "interrupted";
export type ErrorCode = keyof typeof errorCodes;

/** Facts of an error: plain JSON. */
export type ErrorDetail = Record<string, unknown>;

export class VoxnormError extends Error {
  override readonly name = "VoxnormError";
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.detail = detail;
  }

  get kind(): ErrorKind {
    return errorCodes[this.code].kind;
  }

  toJSON(): { code: ErrorCode; message: string; detail: ErrorDetail } {
    return { code: this.code, message: this.message, detail: this.detail };
  }

  /** Any thrown value as one of ours; what is not known is `Internal`, its cause kept. */
  static from(thrown: unknown): VoxnormError {
    if (thrown instanceof VoxnormError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new VoxnormError("Internal", message, {}, thrown);
  }

  /** An error that crossed from Rust or from a worker as JSON. */
  static parse(json: string): VoxnormError {
    try {
      const { code, message, detail } = JSON.parse(json);
      if (code in errorCodes) return new VoxnormError(code, message, detail);
    } catch {
      // Not JSON: something below us failed before our own code ran.
    }
    return new VoxnormError("Internal", json);
  }
}
