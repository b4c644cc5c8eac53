import { defineConfig } from "vitest/config";

/** With FLEETRIG_DIST=1 the tests run on the built files, which is how c8 measures spawned processes too. */
const onDist = process.env["FLEETRIG_DIST"] === "1";
const conditions = onDist ? [] : ["fleetrig:source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    pool: onDist ? "threads" : "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    ...(onDist ? { server: { deps: { external: [/\/dist\//] } } } : {}),
  },
});
