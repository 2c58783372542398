/** What a case is: data, amounts of work, which peers can do it too, and how far from them is too far. */
import type { Mask, Pipeline, PipelineResult, Volume } from "../../dist/index.js";

export interface Case {
  readonly id: string;
  /** For a table's heading: method, data, what is forced. */
  readonly title: string;
  /** Files of the step's inputs, relative to the repository's root; a mask may be the rule `otsu`. */
  readonly inputs: Readonly<Record<string, string>> & { readonly image: string };
  /** What we run; the last is what the title says. */
  readonly ours: readonly Amount[];
  /**
   * What the peers run; they are compared at the last. Where that is less than our last, their time for ours is
   * worked out from the line through theirs, of which there are two then: what comes once is not multiplied.
   */
  readonly theirs: readonly Amount[];
  /** As little work as still shows that it works; also what runs before the clock starts. */
  readonly quick: Amount;
  /** Ids of the peers that can run it. */
  readonly peers: readonly string[];
  /** Turns of everyone where `--rounds` is 5: the shorter, the more, as a busy moment then falls on a smaller part of them. */
  readonly rounds: number;
  /** Whether our instruction sets are timed among themselves, too. */
  readonly hasLevels: boolean;
  /** The output that peers write too, besides the image. */
  readonly compared: string;
  readonly accuracy: Accuracy;
  /** Throws where `result` cannot be what was asked for, peers or not. */
  check(volumes: Volumes, result: PipelineResult): void;
}

/** A pipeline of one step, whose complete options are what the peers get, and how much work it is. */
export interface Amount {
  readonly iterations: number;
  readonly pipeline: Pipeline;
}

export type Volumes = Readonly<Record<string, Mask>> & { readonly image: Volume };

export interface Accuracy {
  /** What the number says, as a table's footnote. */
  readonly title: string;
  readonly unit: string;
  /** Beyond this the two did not do the same work, and no time is worth comparing. */
  readonly most: number;
  difference(volumes: Volumes, ours: Volume, theirs: Float32Array): number;
}
