/**
 * What the worker of the WebAssembly backend does, on both platforms: starts the module, runs one call at a time.
 *
 * Arrays come in as clones and go out by transfer. An instance that trapped is not used again: the other side
 * ends this worker when it hears of it.
 */
import { catalog, initSync, onPanic, run } from "../wasm/voxnorm.js";
import type { Buffers } from "./backend.ts";

/** What the main side sends. */
export type Request =
  | { readonly kind: "start"; readonly module: WebAssembly.Module }
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
  | { readonly kind: "ready"; readonly catalog: string }
  | { readonly kind: "progress"; readonly json: string }
  | { readonly kind: "reply"; readonly json: string; readonly names: string[]; readonly buffers: Buffers[string][] }
  /** The call failed in order; `json` is the error. */
  | { readonly kind: "error"; readonly json: string }
  /** The instance is broken. */
  | { readonly kind: "trap"; readonly message: string };

type Post = (answer: Answer, transfer: ArrayBuffer[]) => void;

export function serve(post: Post): (request: Request) => void {
  let panic: string | undefined;
  return (request) => {
    try {
      if (request.kind === "start") {
        initSync({ module: request.module });
        onPanic((message) => {
          panic = message;
        });
        post({ kind: "ready", catalog: catalog() }, []);
      } else {
        perform(request, post);
      }
    } catch (error) {
      // Rust's own errors are strings; anything else came from the engine.
      if (typeof error === "string") post({ kind: "error", json: error }, []);
      else post({ kind: "trap", message: panic ?? String(error) }, []);
    }
  };
}

function perform(call: Extract<Request, { kind: "call" }>, post: Post): void {
  const tell = call.wantsProgress ? (json: string) => post({ kind: "progress", json }, []) : () => {};
  const { step, phase, request, simd } = call;
  const [json, names, buffers] = run(step, phase, request, call.names, call.buffers, simd, tell);
  const transfer = buffers.map((buffer) => buffer.buffer);
  post({ kind: "reply", json, names, buffers }, transfer);
}
