/** How `bin.cts` gets at the program: by its modules. Set-up puts `scripts/lib/bundled-load.cjs` in its place, which is quicker. */
exports.load = () => import("./main.ts");
