/**
 * The example page in a real Chromium: the same bytes as natively, nothing sent anywhere, cancel, errors that say
 * what to do.
 *
 * The page is built by Vite from the built package, so this also shows that a bundler finds the worker and the
 * WebAssembly file. Waiting goes by locators, since the page's own policy forbids evaluating strings later on.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createBackend, decode, digest, n4 } from "../../dist/index.js";
import { threadsSkipReason } from "../backend/backends.ts";
import { launch, skipReason } from "./chromium.ts";
import { type Server, serve } from "./serve.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const head = path("../../examples/data/n3_brain.nii.gz");
const headMask = path("../../examples/data/n3_brain_mask.nii.gz");

describe.skipIf(skipReason)(`the example page${skipReason ? ` (skipped: ${skipReason})` : ""}`, () => {
  let folder: string;
  let server: Server;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let requests: string[];
  let complaints: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "voxnorm-"));
    const configFile = path("../../examples/browser/vite.config.ts");
    await build({ configFile, logLevel: "warn", build: { outDir: folder, emptyOutDir: true } });
    server = await serve(folder, { isolated: true });
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1180, height: 900 } });
    [requests, complaints] = [[], []];
    context.on("request", (request) => requests.push(request.url()));
    page = await context.newPage();
    // A violation of the page's policy is reported on the console.
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(server.origin);
  });

  afterEach(async () => {
    const elsewhere = requests.filter((url) => !url.startsWith(`${server.origin}/`) && !url.startsWith("blob:"));
    expect(elsewhere).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  });

  const status = (text: string | RegExp) => page.locator("#status", { hasText: text }).waitFor();

  it("corrects a head to the same bytes as the native backend", async () => {
    await page.getByLabel("Image", { exact: true }).setInputFiles(head);
    await page.getByLabel("From a file").check();
    await page.getByLabel("Mask file").setInputFiles(headMask);
    await page.getByLabel("Shrink factor").fill("3");
    await page.getByRole("button", { name: "Correct" }).click();
    await status("Done.");

    const backend = await createBackend({ backend: "native" });
    const [image, mask] = await Promise.all(
      [head, headMask].map(async (file) => decode(await readFile(file), { backend })),
    );
    const { outputs } = await n4({ shrinkFactor: 3 }).run({ image: image!, mask: mask! }, ["image"], { backend });
    const expected = await digest(outputs.image!, backend);
    const facts = page.locator("#facts");
    expect(await facts.locator("dd").last().textContent()).toBe(expected);
    const cores = threadsSkipReason ? 1 : Math.min(8, availableParallelism());
    expect(await facts.textContent()).toContain(`wasm, simd128, ${cores} thread${cores === 1 ? "" : "s"}`);
    expect(await facts.textContent()).toMatch(/reading, .* correcting, .* writing/);

    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Download the corrected image" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("n3_brain_n4.nii.gz");
    const downloaded = await decode(await readFile(await download.path()), { backend });
    expect(await digest(downloaded, backend)).toBe(expected);
    expect(downloaded.grid).toEqual(image!.grid);
    await backend.close();
  });

  it("shows nine planes with their sides, and turns them round with the convention", async () => {
    await page.getByRole("button", { name: "try the example head" }).click();
    await status("Ready.");
    await page.getByRole("button", { name: "Correct" }).click();
    await status("Done.");
    expect(await page.locator("#planes canvas[role=img]").count()).toBe(9);

    const axial = page.locator("#axial-before");
    /** The red bytes of one row, from a function in the page: nothing in it may need a module. */
    const reds = () =>
      axial.evaluate((canvas: HTMLCanvasElement) => {
        const { data } = canvas.getContext("2d")!.getImageData(0, 50, canvas.width, 1);
        return [...data].filter((_, i) => i % 4 === 0);
      });
    const sides = async () => axial.locator("xpath=..").locator("span").allTextContents();
    const radiological = await reds();
    expect(await sides()).toEqual(["R", "L", "A", "P"]);
    await page.getByLabel("Left and right").selectOption("neurological");
    expect(await sides()).toEqual(["L", "R", "A", "P"]);
    expect(await reds()).toEqual(radiological.toReversed());
    expect(radiological).not.toEqual(radiological.toReversed());

    const slider = page.getByLabel("Axial", { exact: true });
    await slider.focus();
    await slider.press("ArrowRight");
    expect(await slider.getAttribute("aria-valuetext")).toBe("20.0 mm S");
    expect(await axial.getAttribute("aria-label")).toBe("Before, axial, 20.0 mm S");
    expect(await reds()).not.toEqual(radiological.toReversed());
  });

  it("is cancelled at once, by keyboard too, and then works again", async () => {
    await page.getByLabel("Image", { exact: true }).setInputFiles(head);
    await page.getByLabel("None: every voxel").check();
    await page.getByLabel("Shrink factor").fill("1");
    await page.getByLabel("Iterations a level").fill("1000");
    await page.getByRole("button", { name: "Correct" }).press("Enter");
    await status(/level \d, iteration/);
    const start = performance.now();
    await page.getByRole("button", { name: "Cancel" }).press("Space");
    await status("Cancelled.");
    expect(performance.now() - start).toBeLessThan(1000);
    expect(await page.locator("#error").isHidden()).toBe(true);

    await page.getByLabel("Shrink factor").fill("4");
    await page.getByLabel("Iterations a level").fill("5");
    await page.getByRole("button", { name: "Correct" }).press("Enter");
    await status("Done.");
  });

  it("explains a file that is no image, with code and advice", async () => {
    const junk = { name: "notes.nii", mimeType: "text/plain", buffer: Buffer.from("not an image") };
    await page.getByLabel("Image", { exact: true }).setInputFiles(junk);
    await page.getByRole("button", { name: "Correct" }).click();
    await status("Failed.");
    const alert = await page.getByRole("alert").textContent();
    expect(alert).toMatch(/UnknownFormat.*notes\.nii: expected one of nifti.*Choose a NIfTI file/s);
  });

  it("explains a damaged file and a missing one", async () => {
    await page.getByRole("button", { name: "Correct" }).click();
    await status("Failed.");
    expect(await page.getByRole("alert").textContent()).toMatch(/MissingInput.*Choose a file/s);

    const half = (await readFile(head)).subarray(0, 1_000_000);
    const cut = { name: "cut.nii.gz", mimeType: "application/gzip", buffer: half };
    await page.getByLabel("Image", { exact: true }).setInputFiles(cut);
    await page.getByRole("button", { name: "Correct" }).click();
    await page.locator("#error-code", { hasText: "Truncated" }).waitFor();
    expect(await page.locator("#error-advice").textContent()).toMatch(/copy or download it again/);
  });
});
