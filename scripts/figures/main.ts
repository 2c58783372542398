/**
 * `npm run figures`: the pictures of docs/, from real heads and from simulated ones. A picture whose data are not here
 * stays as it is. The chart that the benchmarks draw is written with their tables.
 */
import { existsSync, writeFileSync } from "node:fs";
import { absent } from "../../bench/truth/heads.ts";
import { createBackend } from "../../dist/index.js";
import { head, inputs } from "./head.ts";
import { levels } from "./levels.ts";
import { masks } from "./masks.ts";

const pictures = [
  { name: "n4-head", draw: head, missing: () => inputs.filter((path) => !existsSync(path)) },
  { name: "n4-levels", draw: levels, missing: absent },
  { name: "n4-masks", draw: masks, missing: () => [] },
];

const backend = await createBackend();
for (const { name, draw, missing } of pictures) {
  const file = `docs/figures/${name}.svg`;
  const files = missing();
  if (files.length > 0) console.log(`${file}: left as it is: no such file: ${files.join(", ")}`);
  else {
    writeFileSync(file, await draw(backend));
    console.log(`wrote ${file}`);
  }
}
await backend.close();
