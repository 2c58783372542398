/** Ours and the peers' corrections of heads whose field is known, each with the settings that a user would get. */
import { join } from "node:path";
import { type Backend, n4, pipeline } from "../../dist/index.js";
import { scratch } from "../files.ts";
import type { Environment } from "../peers/environment.ts";
import { type Peer, peers } from "../peers/index.ts";
import type { TruthRecord, TruthRow } from "../record.ts";
import { enter, run } from "../run-case.ts";
import { figures } from "./figures.ts";
import { absent, type SimulatedHead, simulatedHeads, storedStrength } from "./heads.ts";

interface Method {
  readonly name: string;
  readonly options: Parameters<typeof n4>[0];
  /** In place of the brain's mask; no mask is `null`. */
  readonly rule?: "otsu" | null;
  /** The peer that does the same. */
  readonly peer?: string;
  /** Whether the peer runs it on every head, or on the stored one only. */
  readonly isQuick?: boolean;
}

const methods: readonly Method[] = [
  { name: "shrink factor 4", options: {}, peer: "simpleitk-n4", isQuick: true },
  { name: "shrink factor 2", options: { shrinkFactor: 2 }, peer: "simpleitk-n4", isQuick: false },
  // ITK takes minutes.
  { name: "shrink factor 1", options: { shrinkFactor: 1 } },
  { name: "3 levels", options: { iterations: [50, 50, 50] }, peer: "simpleitk-n4", isQuick: true },
  { name: "2 levels", options: { iterations: [50, 50] }, peer: "simpleitk-n4", isQuick: true },
  { name: "4 × 50 iterations", options: { convergenceThreshold: 0 }, peer: "simpleitk-n4", isQuick: true },
  {
    name: "ANTs' recipe -s 4 -b [200]",
    options: { profile: "antspyx", splineDistance: 200 },
    peer: "antspyx-n4",
    isQuick: true,
  },
  { name: "the voxels by Otsu's rule", options: {}, rule: "otsu" },
  { name: "without a mask", options: {}, rule: null },
];

export async function truth(
  environment: Environment,
  backend: Backend,
  isQuick: boolean,
  say: (line: string) => void,
): Promise<TruthRecord> {
  const files = absent();
  if (files.length > 0) return { rows: [], reason: `no such file: ${files.join(", ")}` };
  const rows: TruthRow[] = [];
  for (const head of await simulatedHeads(isQuick ? [storedStrength] : [0, 20, 40, 60, 100], backend)) {
    const { strength, truth, image } = head;
    say(`a field of ${strength} %`);
    const nothing = new Float32Array(image.data.length);
    rows.push({ strength, who: "", method: "uncorrected", figures: figures(truth, nothing) });
    const theirs = new Map<Method, TruthRow>();
    for (const peer of peers) {
      const due = methods.filter((each) => each.peer === peer.id && (each.isQuick || strength === storedStrength));
      for (const [method, row] of await ofPeer(peer, isQuick ? due.slice(0, 1) : due, head, environment)) {
        theirs.set(method, row);
      }
    }
    for (const method of methods) {
      rows.push(await own(method, head, backend));
      const row = theirs.get(method);
      if (row) rows.push(row);
    }
  }
  return { rows };
}

async function own({ name, options, rule }: Method, head: SimulatedHead, backend: Backend): Promise<TruthRow> {
  const { strength, image, mask: brain, truth } = head;
  const mask = rule === undefined ? brain : rule;
  const { outputs } = await n4(options).run({ image, ...(mask ? { mask } : {}) }, ["logField"], { backend });
  return { strength, who: "voxnorm", method: name, figures: figures(truth, outputs.logField!.data) };
}

async function ofPeer(
  peer: Peer,
  due: readonly Method[],
  { strength, truth, paths }: SimulatedHead,
  environment: Environment,
): Promise<[Method, TruthRow][]> {
  const field = join(scratch, `truth-${peer.id}.f32`);
  const entrant = await enter(peer, environment, { inputs: paths, threads: 2, field });
  const who = entrant.process ? `${peer.name} ${entrant.process.version}` : peer.name;
  const rows: [Method, TruthRow][] = [];
  try {
    for (const method of due) {
      const row = { strength, who, method: method.name };
      await run(entrant, { pipeline: pipeline([n4(method.options)]) });
      const { process, reason = "" } = entrant;
      if (process === undefined || reason !== "") rows.push([method, { ...row, reason }]);
      else rows.push([method, { ...row, figures: figures(truth, await process.field()) }]);
    }
  } finally {
    entrant.process?.close();
  }
  return rows;
}
