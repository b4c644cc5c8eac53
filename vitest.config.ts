import { basename, dirname, join } from "node:path";
import { defineConfig } from "vitest/config";

/**
 * With FLEETRIG_DIST=1 the compiled tests run on the built files, which is how c8 counts spawned processes and
 * worker threads too; otherwise everything runs from source.
 */
const onDist = process.env["FLEETRIG_DIST"] === "1";
const conditions = onDist ? [] : ["fleetrig:source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: onDist ? ["dist/test/**/*.test.js"] : ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    pool: onDist ? "threads" : "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    // Compiled tests share the snapshots of their sources.
    resolveSnapshotPath: (testPath, extension) => {
      const source = testPath.replace("/dist/test/", "/test/").replace(/\.js$/, ".ts");
      return join(dirname(source), "__snapshots__", `${basename(source)}${extension}`);
    },
    ...(onDist ? { server: { deps: { external: [/\/dist\/(?!test\/)/] } } } : {}),
  },
});
