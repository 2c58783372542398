/**
 * What a worker of the WebAssembly backend does, on both platforms: starts the module, then runs one call at a time, or
 * helps another worker with its calls.
 *
 * Where memory is shared, the other side writes arrays into the module's memory and reads them there; else copies
 * come and go by transfer. An instance that trapped is not used again: the other side ends this worker when it hears of it.
 */
import * as single from "../wasm/voxnorm.js";
import * as threaded from "../wasm-threads/voxnorm.js";
import type { Buffers } from "./backend.ts";

/** What the main side sends. */
export type Request =
  /** `threads` is undefined for the module whose memory is not shared. */
  | { readonly kind: "start"; readonly module: WebAssembly.Module; readonly threads: number | undefined }
  | { readonly kind: "help"; readonly module: WebAssembly.Module; readonly memory: WebAssembly.Memory }
  /** Asks for room for the buffers of the next call: so many elements of so many bytes. */
  | {
      readonly kind: "reserve";
      readonly lengths: Uint32Array;
      readonly sizes: Uint32Array;
      /** What is to be put there; undefined where the other side does it. */
      readonly buffers: Buffers[string][] | undefined;
    }
  | {
      readonly kind: "call";
      readonly step: string;
      readonly phase: string;
      readonly request: string;
      readonly names: string[];
      readonly simd: string;
      readonly wantsProgress: boolean;
    };

/** What the worker sends. */
export type Answer =
  | { readonly kind: "ready"; readonly catalog: string; readonly memory: WebAssembly.Memory | undefined }
  /** About to help; nothing but a trap comes after it. */
  | { readonly kind: "helps" }
  /** `places` are there for shared memory only. */
  | { readonly kind: "reserved"; readonly places: Buffers[string][] | undefined }
  | { readonly kind: "progress"; readonly json: string }
  | { readonly kind: "reply"; readonly json: string; readonly names: string[]; readonly buffers: Buffers[string][] }
  /** The call failed in order; `json` is the error. */
  | { readonly kind: "error"; readonly json: string }
  /** The instance is broken. */
  | { readonly kind: "trap"; readonly message: string };

type Post = (answer: Answer, transfer: ArrayBuffer[]) => void;

export function serve(post: Post): (request: Request) => void {
  let panic: string | undefined;
  const hearPanics = (module: typeof single | typeof threaded) =>
    module.onPanic((message) => {
      panic = message;
    });
  let glue: typeof single | typeof threaded;
  let threads: number | undefined;
  const handle = (request: Request) => {
    if (request.kind === "start") {
      threads = request.threads;
      glue = threads === undefined ? single : threaded;
      glue.initSync(request);
      hearPanics(glue);
      const memory = threads === undefined ? undefined : threaded.share(threads);
      post({ kind: "ready", catalog: glue.catalog(), memory }, []);
    } else if (request.kind === "help") {
      threaded.initSync(request);
      hearPanics(threaded);
      post({ kind: "helps" }, []);
      threaded.serve();
      throw new Error("no thread was wanted");
    } else if (request.kind === "reserve") {
      const places: Buffers[string][] = glue.reserve(request.lengths, request.sizes);
      request.buffers?.forEach((buffer, i) => {
        places[i]!.set(buffer);
      });
      post({ kind: "reserved", places: request.buffers ? undefined : places }, []);
    } else {
      perform(glue, threads, request, post);
    }
  };
  return (request) => {
    try {
      handle(request);
    } catch (error) {
      // Rust's own errors are strings; anything else came from the engine.
      if (typeof error === "string") post({ kind: "error", json: error }, []);
      else post({ kind: "trap", message: panic ?? String(error) }, []);
    }
  };
}

type CallRequest = Extract<Request, { kind: "call" }>;

function perform(glue: typeof single, threads: number | undefined, call: CallRequest, post: Post): void {
  const { step, phase, request, names, simd } = call;
  const tell = call.wantsProgress ? (json: string) => post({ kind: "progress", json }, []) : () => {};
  const [json, outputs, places] = glue.run(step, phase, request, names, simd, threads ?? 1, tell);
  if (threads === undefined) {
    const buffers = places.map((place) => place.slice());
    const transfer = buffers.map(({ buffer }) => buffer as ArrayBuffer);
    post({ kind: "reply", json, names: outputs, buffers }, transfer);
  } else {
    post({ kind: "reply", json, names: outputs, buffers: places }, []);
  }
}
