/** Entry of the worker in a browser. */
import { type Answer, type Request, serve } from "./worker.ts";

// The DOM's types describe the page; a worker's global object is this.
const scope = globalThis as unknown as {
  postMessage(message: Answer, transfer: ArrayBuffer[]): void;
  onmessage: (event: MessageEvent<Request>) => void;
};

const answer = serve((message, transfer) => scope.postMessage(message, transfer));
scope.onmessage = (event) => answer(event.data);
