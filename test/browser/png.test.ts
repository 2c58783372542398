/** A picture through the browser's entry, as a bundler makes it: read, standardised, written; as in Node. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { expect, it } from "vitest";
import { createBackend, decode, digest, encode, standardise } from "../../dist/index.js";
import { launch, skipReason } from "./chromium.ts";
import { serve } from "./serve.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

it.skipIf(skipReason)(`reads and writes PNG in Chromium${skipReason ? ` (skipped: ${skipReason})` : ""}`, async () => {
  const bytes = await readFile(path("../cases/colour.png"));
  const backend = await createBackend({ backend: "native" });
  const image = await decode(bytes, { backend });
  const { outputs } = await standardise({ profile: "caffe" }).run({ image }, ["image"], { backend });
  const expected = await digest(outputs.image!, backend);
  const written = Buffer.from(await encode(image, { backend, format: "png" })).toString("base64");
  await backend.close();

  const folder = await mkdtemp(join(tmpdir(), "voxnorm-"));
  const browser = await launch();
  try {
    await writeFile(join(folder, "index.html"), '<!doctype html><script type="module" src="main.js"></script>');
    const entry = path("../../dist/browser.js");
    await writeFile(
      join(folder, "main.js"),
      `import * as voxnorm from ${JSON.stringify(entry)}; globalThis.voxnorm = voxnorm;`,
    );
    const outDir = join(folder, "out");
    await build({
      configFile: false,
      root: folder,
      base: "./",
      logLevel: "warn",
      worker: { format: "es" },
      build: { target: "es2022", outDir },
    });
    const server = await serve(outDir);
    const page = await browser.newPage();
    await page.goto(server.origin);
    await page.waitForFunction("globalThis.voxnorm");
    const found = await page.evaluate(`(async () => {
      const { decode, digest, encode, standardise } = voxnorm;
      const bytes = Uint8Array.from(atob(${JSON.stringify(bytes.toString("base64"))}), (c) => c.charCodeAt(0));
      const image = await decode(bytes);
      const { outputs } = await standardise({ profile: "caffe" }).run({ image });
      const written = await encode(image, { format: "png" });
      const code = await encode(outputs.image, { format: "png" }).catch(({ code }) => code);
      return { digest: await digest(outputs.image), written: btoa(String.fromCharCode(...written)), code };
    })()`);
    expect(found).toEqual({ digest: expected, written, code: "ValueOutOfRange" });
    await server.close();
  } finally {
    await browser.close();
    await rm(folder, { recursive: true });
  }
});
