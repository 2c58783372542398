/**
 * The backend of callers that name none: loaded at first use, shared by all.
 *
 * Which backends there are depends on where we run, so the entry (`index.ts` or `browser.ts`) says how to load one.
 */
import type { Backend } from "./backend.ts";

let load: (() => Promise<Backend>) | undefined;
let shared: Promise<Backend> | undefined;

export function shareBackend(create: () => Promise<Backend>): void {
  load = create;
}

export function sharedBackend(): Promise<Backend> {
  if (load === undefined) throw new Error("import voxnorm by its entry");
  shared ??= load();
  // A failure to load is not kept: its cause may have been mended by the next call.
  shared.catch(() => {
    shared = undefined;
  });
  return shared;
}
