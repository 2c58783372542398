/** What the rounds of a case say: times, and ratios within a round. */
import type { CaseRecord, Row } from "../record.ts";
import { median } from "../statistics.ts";

/** A contender at one amount of work. */
export interface Timing {
  readonly row: Row;
  readonly iterations: number;
  /** Milliseconds of each run of each round. */
  readonly rounds: readonly (readonly number[])[];
  /** Whether they are worked out from smaller amounts, rather than measured. */
  readonly isScaled: boolean;
}

/** All that ran, and a peer that ran too little at the whole amount as well. */
export function timings(each: CaseRecord): Timing[] {
  const measured = each.rows
    .filter(({ reason }) => reason === undefined)
    .map((row) => ({
      row,
      iterations: row.iterations,
      rounds: row.rounds.map((runs) => runs.map(({ ms }) => ms)),
      isScaled: false,
    }));
  const last = measured.filter(({ row }) => row.peer !== undefined && row.difference !== undefined);
  const scaled = last.flatMap((few) => {
    if (few.iterations === each.iterations) return [];
    const one = measured.find(({ row }) => row.peer === few.row.peer && row.threads === few.row.threads);
    return one === undefined || one === few ? [] : [line(one, few, each.iterations)];
  });
  return [...measured, ...scaled];
}

/** On the line through two amounts of work: what comes once, such as set-up, is not multiplied. */
function line(one: Timing, few: Timing, iterations: number): Timing {
  const steps = (iterations - one.iterations) / (few.iterations - one.iterations);
  const rounds = one.rounds.map((runs, round) => {
    const least = median(runs);
    return [least + steps * (median(few.rounds[round]!) - least)];
  });
  return { row: few.row, iterations, rounds, isScaled: true };
}

/** The fastest peer of as many iterations and no more threads than ours. */
export function peerOf(all: readonly Timing[], ours: Timing): Timing | undefined {
  const able = all.filter(
    ({ row, iterations }) =>
      row.peer !== undefined && row.threads <= ours.row.threads && iterations === ours.iterations,
  );
  const ms = ({ rounds }: Timing) => median(rounds.flat());
  return able.reduce<Timing | undefined>((best, each) => (best && ms(best) <= ms(each) ? best : each), undefined);
}

/** How many times as fast, by round, since the machine's state is alike within one. */
export function ratios(peer: Timing, ours: Timing): number[] {
  return ours.rounds.map((runs, round) => median(peer.rounds[round]!) / median(runs));
}

export interface Pair {
  readonly ours: Timing;
  readonly peer: Timing;
}

/** Our widest row of a backend at the whole work, with the peer; undefined where either did not run. */
export function pair(each: CaseRecord, threads: number, backend = "native"): Pair | undefined {
  const all = timings(each);
  // Rows of a number of threads come widest first.
  const ours = all.find(
    ({ row, iterations }) =>
      row.who === `voxnorm ${backend}` && row.threads === threads && iterations === each.iterations,
  );
  const peer = ours && peerOf(all, ours);
  return ours && peer && { ours, peer };
}
