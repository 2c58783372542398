/** A real Chromium, where the machine has one. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const places = [
  process.env.CHROMIUM_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

export const chromiumPath = places.find((path) => path !== undefined && path !== "" && existsSync(path));

/** Why the browser's tests do not run; continuous integration must have one, so there they run and fail. */
export const skipReason =
  chromiumPath === undefined && !process.env.CI ? "no Chromium: install one or set CHROMIUM_PATH" : undefined;

export function launch(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(`expected Chromium at CHROMIUM_PATH or one of ${places.join(", ")}`);
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
