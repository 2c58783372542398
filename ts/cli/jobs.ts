/** Several jobs at once, but not too many; and how all of them are stopped. */

/** What jobs share, such as memory. */
export interface Room<T> {
  readonly budget: number;
  cost(item: T): Promise<number>;
}

/**
 * Does `work` for each item, in order: at most `atOnce` at a time, and no more than there is room for, though always
 * one. A failure of `work` is its own business: it ends the rest where it throws.
 */
export async function atMost<T>(
  atOnce: number,
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
  { budget, cost }: Room<T> = { budget: 0, cost: async () => 0 },
): Promise<void> {
  const running = new Map<Promise<void>, number>();
  const used = () => [...running.values()].reduce((sum, each) => sum + each, 0);
  for (const [index, item] of items.entries()) {
    const own = atOnce > 1 ? await cost(item) : 0;
    while (running.size >= atOnce || (running.size > 0 && used() + own > budget)) await Promise.race(running.keys());
    const job = work(item, index).finally(() => running.delete(job));
    running.set(job, own);
  }
  await Promise.all(running.keys());
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
