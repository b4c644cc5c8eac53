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
    ...(onDist ? { server: { deps: { external: [/\/dist\/(?!test\/)/] } } } : {}),
  },
});
