import { basename, dirname, join } from "node:path";
import { defineConfig } from "vitest/config";

/**
 * With FLEETRIG_DIST=1 the compiled tests run on the built files, which is how c8 counts spawned processes and
 * worker threads too; otherwise everything runs from source.
 */
const onDist = process.env["FLEETRIG_DIST"] === "1";
const conditions = onDist ? [] : ["fleetrig:source"];

/**
 * Tests of other people's programs and of real processes, which take minutes and cover nothing that others do not: the suite proper has run them,
 * the coverage run leaves them out. The serial library's native part ends the process when it is used in a worker thread, as those of the
 * coverage run are.
 */
const RIGS = [
  "browser",
  "clients",
  "differential",
  "docs/readme",
  "hil/agreement",
  "hil/bench/host-bench",
  "hil/firmware",
  "hil/firmware-app",
  "hil/flash/{flashable-board,microbit,native}",
  "hil/lease",
  "hil/log/real-panics",
  "hil/micropython",
  "hil/model",
  "hil/storms",
  "hil/virtual",
  "qualify/{reference-boards,foreign-devices}",
  "cli/board-virtual",
  "soak",
  "usb",
].map((subject) => `dist/test/${subject}{/**,.test.js}`);

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: onDist ? ["dist/test/**/*.test.js"] : ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**", ...(onDist ? RIGS : [])],
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
