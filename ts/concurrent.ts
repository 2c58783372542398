/** Work whose order does not matter, on as many threads as the caller granted. */

/** Does all `works` and settles once none is under way: at once, or in turn where the caller granted one thread. */
export async function settleAll<T>(
  threads: number,
  works: readonly (() => Promise<T>)[],
): Promise<PromiseSettledResult<T>[]> {
  if (threads > 1) return Promise.allSettled(works.map((work) => work()));
  const results: PromiseSettledResult<T>[] = [];
  for (const work of works) results.push(...(await Promise.allSettled([work()])));
  return results;
}

/** What all `works` resolve to. Where several fail, the first in order tells. */
export async function all<T extends readonly unknown[]>(
  threads: number,
  works: readonly [...{ [K in keyof T]: () => Promise<T[K]> }],
): Promise<T> {
  const results = (await settleAll<unknown>(threads, works)).map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
  return results as unknown as T;
}
