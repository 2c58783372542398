import type { Startup } from "../record.ts";
import { spread, table } from "./format.ts";

export function startupSection({ voxnormMs, nodeMs }: Startup): string {
  const more = voxnormMs.map((ms, i) => ms - nodeMs[i]!);
  const rows = [
    ["`voxnorm --version`", spread(voxnormMs)],
    ["`node -e 0`", spread(nodeMs)],
    ["difference of a pair", spread(more)],
  ];
  return `## Start-up\n\n${table([`whole process, ${voxnormMs.length} in turns`, "ms: median (least–most)"], rows)}`;
}
