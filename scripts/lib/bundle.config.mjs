/**
 * The command in one file, which starts sooner than 150 modules (`docs/design/files.md`). A script rather than a module, as
 * V8 keeps the compiled code of scripts: see `bundled-main.mjs`.
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
