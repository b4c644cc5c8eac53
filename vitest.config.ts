import { basename, dirname, join } from "node:path";
import { defineConfig } from "vitest/config";

/**
 * With FLEETRIG_DIST=1 the compiled tests run on the built files, which is how c8 counts spawned processes and
 * worker threads too; otherwise everything runs from source.
 */
const onDist = process.env["FLEETRIG_DIST"] === "1";
const conditions = onDist ? [] : ["fleetrig:source"];
const testsOf = (subject: string): string =>
  onDist ? `dist/test/${subject}{/**/*.test.js,.test.js}` : `test/${subject}{/**/*.test.ts,.test.ts}`;

/**
 * Tests of other people's programs, of real processes, and of what a process holds open. Each file has a process of its own, because the serial library's native part ends
 * a process that uses it in a worker thread; what they cover is not counted, because others cover it too.
 */
const RIGS = [
  "browser",
  "clients",
  "differential",
  "docs/readme",
  "embedding/nothing-left",
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
].map(testsOf);

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Compiled tests share the snapshots of their sources.
    resolveSnapshotPath: (testPath, extension) => {
      const source = testPath.replace("/dist/test/", "/test/").replace(/\.js$/, ".ts");
      return join(dirname(source), "__snapshots__", `${basename(source)}${extension}`);
    },
    ...(onDist ? { server: { deps: { external: [/\/dist\/(?!test\/)/] } } } : {}),
    projects: [
      {
        extends: true,
        test: {
          name: "logic",
          include: [testsOf("**")],
          exclude: RIGS,
          // Threads that load every module once: loading takes longer than most tests.
          pool: "threads",
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "rigs",
          include: RIGS,
          pool: "forks",
          env: { NODE_V8_COVERAGE: "" },
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
