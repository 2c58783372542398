/**
 * The command in one file, which starts sooner than 150 modules (`docs/design/files.md`). A script rather than a module, as
 * V8 keeps the compiled code of scripts: see `bundled-load.cjs`.
 */
import { defineConfig } from "vite";

/** A function as Node makes of a script, and in ASCII: text of one byte a character is read without decoding. */
const asScript = {
  name: "as-script",
  generateBundle(_, files) {
    const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
    for (const file of Object.values(files)) {
      const text = file.code.replace(/[^\0-\x7f]/g, escaped);
      file.code = `(function (exports, require, module, __filename, __dirname) {${text}\n})`;
    }
  },
};

export default defineConfig({
  logLevel: "warn",
  plugins: [asScript],
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
