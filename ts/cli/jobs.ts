/** Several jobs at once, but not too many; and how all of them are stopped. */

/**
 * Does `work` for each item, in order, `atOnce` at a time. A failure of `work` is its own business: it ends the rest
 * where it throws.
 */
export async function atMost<T>(
  atOnce: number,
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  // All workers draw from one iterator, and so nothing is done twice and the order is kept.
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}

export interface Interruption {
  readonly signal: AbortSignal;
  /** What came, if anything did. */
  readonly caught: NodeJS.Signals | undefined;
  /** Leaves signals to the system again. */
  end(): void;
}

/** Turns the first SIGINT or SIGTERM into an abort; the second one ends the process. */
export function interruption(): Interruption {
  const controller = new AbortController();
  let caught: NodeJS.Signals | undefined;
  const interrupt = (signal: NodeJS.Signals) => {
    caught = signal;
    controller.abort();
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  return {
    signal: controller.signal,
    get caught() {
      return caught;
    },
    end() {
      process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    },
  };
}
