/** Entry of the worker thread in Node. */
import { parentPort } from "node:worker_threads";
import { serve } from "./worker.ts";

const port = parentPort!;
port.on(
  "message",
  serve((message, transfer) => port.postMessage(message, transfer)),
);
