/** What every backend does: it runs calls. Which one runs changes the speed, never a byte. */

/** Arrays that cross into Rust. Borrowed until the call's promise settles: do not change or transfer them. */
export type Buffers = Record<string, Float32Array | Uint8Array>;

export interface Progress {
  /** How much of the call is done, 0 to 1. */
  readonly fraction: number;
  /** What the step adds, such as level, iteration and convergence. */
  readonly [fact: string]: unknown;
}

export interface Call {
  /** The id of a step or of a service. */
  readonly step: string;
  /** `run` is fit and apply with the boundary crossed once. */
  readonly phase: "fit" | "apply" | "run";
  /** Plain JSON, complete and already validated. */
  readonly request: object;
  readonly buffers: Buffers;
  /**
   * Where outputs of these names are written rather than into new arrays. Borrowed as `buffers` are, and none of them; but the
   * buffer of the same name may be, which a step then writes to where it can.
   */
  readonly into?: Readonly<Record<string, Float32Array>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface Reply {
  readonly json: Record<string, unknown>;
  readonly buffers: Buffers;
}

/** What this build can do, as it says itself. */
export interface Catalog {
  readonly version: string;
  readonly steps: readonly string[];
  readonly simd: readonly string[];
}

export interface Backend {
  readonly name: "native" | "wasm";
  /** The instruction set in use. */
  readonly simd: string;
  readonly threads: number;
  /** Why one thread runs where more were wanted; absent otherwise. */
  readonly singleThreadReason?: string | undefined;
  readonly catalog: Catalog;
  /** Whether it has the services `deflate.pack` and `deflate.unpack`. */
  readonly hasDeflate?: boolean;
  /**
   * Lets go of an array's memory at once, which nobody uses any more, rather than when the engine collects it: it is empty from
   * then on, as all arrays on the same memory are. Absent where there is no way.
   */
  release?(array: Uint8Array): void;
  /** Rejects with a `VoxnormError`; after any error the next call works. */
  run(call: Call): Promise<Reply>;
  /** Ends workers, so that a process may exit. A call still running rejects with `Cancelled`. */
  close(): Promise<void>;
}

export interface BackendOptions {
  /** Which to load; `auto` tries native, then wasm. `VOXNORM_BACKEND` decides where this is not given. */
  readonly backend?: "auto" | "native" | "wasm" | undefined;
  /** Where it is not given: all cores natively, and up to 8 in WebAssembly, whose threads each take a worker. */
  readonly threads?: number | undefined;
  /** Forces an instruction set; `VOXNORM_SIMD` decides where this is not given. */
  readonly simd?: string | undefined;
}
