/**
 * The command in one file: Node spends 150 ms of processor time on finding and reading 150 modules (half of them zod's
 * messages in other languages), and half of that on one.
 *
 * A script rather than a module, since V8 keeps the compiled code of scripts: see `bundled-main.mjs`.
 */
import { defineConfig } from "vite";

export default defineConfig({
  logLevel: "warn",
  ssr: { noExternal: true },
  build: {
    ssr: "dist/cli/main.js",
    target: "node20",
    minify: false,
    rolldownOptions: {
      output: {
        minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
        format: "cjs",
        entryFileNames: "command.cjs",
        codeSplitting: false,
      },
    },
  },
});
