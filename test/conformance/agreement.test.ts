/** The published figures are what the cases show. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createBackend } from "../../dist/index.js";
import { agreementPage, path } from "./agreement-page.ts";
import { findCases } from "./cases.ts";

const found = findCases();
const absent = found.flatMap((each) => each.absent);
const reason = absent.length > 0 ? ` (skipped: ${absent.join(", ")} absent)` : "";

it.skipIf(reason)(`docs/agreement.md says what the cases show${reason}`, { timeout: 300_000 }, async () => {
  const backend = await createBackend({ backend: "native" });
  const page = await agreementPage(found, backend);
  await backend.close();
  expect(readFileSync(path, "utf8")).toBe(page);
});
