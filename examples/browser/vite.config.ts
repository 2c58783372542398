/**
 * Serves or builds the example page from the built package, as an installed one would be used.
 *
 * An application that has voxnorm among its `node_modules` needs no Vite options for it: the alias and `fs.allow`
 * stand in for that folder, and the rest is for this page's own strict policy.
 */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

export default defineConfig({
  root: path("."),
  base: "./",
  resolve: { alias: { voxnorm: path("../../dist/browser.js") } },
  // With these headers the page is cross-origin isolated, and WebAssembly runs on threads; without, on one.
  server: { headers: isolation, fs: { allow: [path("../..")] } },
  preview: { headers: isolation },
  worker: { format: "es" },
  // Inlined assets would be data: addresses, which the page's policy forbids.
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
