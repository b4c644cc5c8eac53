import { basename, dirname, join } from "node:path";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";

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
  "hil/bench/host-bench",
  "hil/firmware",
  "hil/firmware-app",
  "hil/flash/{microbit,native}",
  "hil/lease",
  "hil/log/real-panics",
  "hil/micropython",
  "hil/model/model-paths",
  "hil/virtual",
  "qualify/{reference-boards,foreign-devices}",
  "cli/board-virtual",
  "soak",
  "usb",
].map(testsOf);

/** Rigs in which boards must keep to real time, many at once or beside the run: they have the machine to themselves. */
const REAL_TIME = ["hil/agreement", "hil/flash/flashable-board", "hil/model/live-paths", "hil/storms"].map(
  testsOf,
);

interface Room {
  readonly maxWorkers: number;
  /** When their turn is, among all projects. */
  readonly groupOrder: number;
}

const rigs = (
  name: string,
  include: string[],
  { maxWorkers, groupOrder }: Room,
): TestProjectConfiguration => ({
  extends: true,
  test: {
    name,
    include,
    pool: "forks",
    maxWorkers,
    env: { NODE_V8_COVERAGE: "" },
    sequence: { groupOrder },
  },
});

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
          exclude: [...RIGS, ...REAL_TIME],
          // Threads that load every module once: loading takes longer than most tests.
          pool: "threads",
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
      rigs("rigs", RIGS, { maxWorkers: 2, groupOrder: 2 }),
      rigs("real-time", REAL_TIME, { maxWorkers: 1, groupOrder: 3 }),
    ],
  },
});
