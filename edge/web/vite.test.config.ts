/** Bundles the unit tests for Node, which runs them with its own test runner: `npm test`. */
import { readdirSync } from "node:fs";
import { defineConfig } from "vite";

export default defineConfig({
  ssr: { noExternal: true },
  build: {
    ssr: true,
    target: "node20",
    outDir: "node_modules/.test-build",
    emptyOutDir: true,
    minify: false,
    rolldownOptions: {
      input: Object.fromEntries(
        readdirSync("test")
          .filter((name) => name.endsWith(".test.ts"))
          .map((name) => [name.replace(/\.ts$/, ""), `test/${name}`]),
      ),
      output: { entryFileNames: "[name].mjs", chunkFileNames: "chunk-[hash].mjs" },
    },
  },
});
