/** What a case is: data, the work, which peers can do it too, and how far from them is too far. */
import type { Pipeline, PipelineResult, Volume } from "../../dist/index.js";

export interface Case {
  /** The name of its file. */
  readonly id: string;
  /** For a table's heading: method, data, what is forced. */
  readonly title: string;
  /** The files of the step's inputs, relative to the repository's root. */
  readonly inputs: Readonly<Record<string, string>> & { readonly image: string };
  /** One step; its complete options are what the peers get. */
  readonly pipeline: Pipeline;
  /** The same with as little work as still shows that it works. */
  readonly quickPipeline: Pipeline;
  /** Ids of the peers that can run it. */
  readonly peers: readonly string[];
  /** The output that peers write too, besides the image. */
  readonly compared: string;
  readonly accuracy: Accuracy;
  /** Throws where `result` cannot be what was asked for, peers or not. */
  check(volumes: Volumes, result: PipelineResult): void;
}

export type Volumes = Readonly<Record<string, Volume>> & { readonly image: Volume };

export interface Accuracy {
  /** What the number says, as a table's footnote. */
  readonly title: string;
  readonly unit: string;
  /** Beyond this the two did not do the same work, and no time is worth comparing. */
  readonly most: number;
  difference(volumes: Volumes, ours: Volume, theirs: Float32Array): number;
}
