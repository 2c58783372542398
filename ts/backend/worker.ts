/**
 * What a worker of the WebAssembly backend does, on both platforms: starts the module, then runs one call at a time, or
 * helps another worker with its calls.
 *
 * Arrays come in and go out by transfer. An instance that trapped is not used again: the other side
 * ends this worker when it hears of it.
 */
import * as single from "../wasm/voxnorm.js";
import * as threaded from "../wasm-threads/voxnorm.js";
import type { Buffers } from "./backend.ts";

/** What the main side sends. */
export type Request =
  | { readonly kind: "start"; readonly module: WebAssembly.Module; readonly threads: number }
  | { readonly kind: "help"; readonly module: WebAssembly.Module; readonly memory: WebAssembly.Memory }
  | {
      readonly kind: "call";
      readonly step: string;
      readonly phase: string;
      readonly request: string;
      readonly names: string[];
      readonly buffers: Buffers[string][];
      readonly simd: string;
      readonly wantsProgress: boolean;
    };

/** What the worker sends. */
export type Answer =
  | { readonly kind: "ready"; readonly catalog: string; readonly memory: WebAssembly.Memory | undefined }
  /** About to help; nothing but a trap comes after it. */
  | { readonly kind: "helps" }
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
  let run: (call: CallRequest) => void;
  const handle = (request: Request) => {
    if (request.kind === "start") {
      const { module, threads } = request;
      const glue = threads > 1 ? threaded : single;
      glue.initSync({ module });
      hearPanics(glue);
      const memory = threads > 1 ? threaded.share(threads) : undefined;
      run = (call) => perform(glue, threads, call, post);
      post({ kind: "ready", catalog: glue.catalog(), memory }, []);
    } else if (request.kind === "help") {
      threaded.initSync(request);
      hearPanics(threaded);
      post({ kind: "helps" }, []);
      threaded.serve();
      throw new Error("no thread was wanted");
    } else {
      run(request);
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

function perform(glue: { run: typeof single.run }, threads: number, call: CallRequest, post: Post): void {
  const tell = call.wantsProgress ? (json: string) => post({ kind: "progress", json }, []) : () => {};
  const { step, phase, request, simd } = call;
  const [json, names, buffers] = glue.run(step, phase, request, call.names, call.buffers, simd, threads, tell);
  const transfer = buffers.map((buffer) => buffer.buffer);
  post({ kind: "reply", json, names, buffers }, transfer);
}
