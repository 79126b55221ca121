/**
 * Builds every page into `dist/`: hashed assets, no inline script or style (the CSP forbids them), a `.gz` beside
 * each text.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const PAGES = [
  ...["index", "login", "setup", "password", "docs", "404"],
  ...["lane", "menu", "demo", "cashier"],
  ...["garage", "zone", "alarms", "sessions", "access", "port"],
  "history",
  ...["gym", "coach", "machine", "workouts", "upkeep"],
];
const PACKED = /\.(html|js|css|svg|json|txt)$/;
/** Smaller files do not gain a round trip by packing. */
const PACK_FROM_BYTES = 1024;

/**
 * What this many pages share comes as one file, not as one for each set of pages that share it: a third fewer requests
 * for a page, of the same bytes. uPlot stays with the pages that draw, and styles keep their files and their order.
 */
const COMMON_FROM_PAGES = 8;
const NOT_COMMON = /uplot|\.css$/i;

/** Writes `<file>.gz` (level 9, no time stamp: the build is reproducible) next to every text file of the build. */
function precompress(): Plugin {
  let outDir = "dist";
  return {
    name: "kangle-precompress",
    apply: "build",
    configResolved: (config) => {
      outDir = resolve(config.root, config.build.outDir);
    },
    closeBundle: () => {
      for (const entry of readdirSync(outDir, { recursive: true, encoding: "utf8" })) {
        const path = join(outDir, entry);
        if (!PACKED.test(path) || statSync(path).size < PACK_FROM_BYTES) continue;
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION }));
      }
    },
  };
}

export default defineConfig({
  base: "/",
  plugins: [precompress()],
  server: { host: "127.0.0.1", proxy: { "/api": "http://127.0.0.1:8080" } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
    rolldownOptions: {
      input: Object.fromEntries(PAGES.map((page) => [page, resolve(import.meta.dirname, `${page}.html`)])),
      output: {
        codeSplitting: {
          groups: [
            { name: "common", minShareCount: COMMON_FROM_PAGES, test: (id: string) => !NOT_COMMON.test(id) },
          ],
        },
      },
    },
  },
});
