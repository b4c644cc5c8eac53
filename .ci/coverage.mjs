// Runs the compiled tests on the built files, reports what they cover, and holds the folders where a mistake
// would be a wrong verdict above 95 %, lines and branches alike. `--report` takes what a run with
// NODE_V8_COVERAGE=coverage/tmp has left.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { relative } from "node:path";

const RAW = "coverage/tmp";
const GATES = [
  { folder: "broker/kernel", lines: 95, branches: 95 },
  { folder: "broker/protocol", lines: 95, branches: 95 },
  { folder: "broker/engine", lines: 95, branches: 95 },
  { folder: "broker/shadow", lines: 95, branches: 95 },
  { folder: "broker/jobs", lines: 95, branches: 95 },
  { folder: "", lines: 95, branches: 92 },
];

const run = (program, args, env = {}) =>
  spawnSync(program, args, { stdio: "inherit", env: { ...process.env, ...env } }).status ?? 1;

/** Modules loaded from `data:` URLs have source maps that c8 cannot name as files. */
function dropNamelessSourceMaps() {
  for (const name of readdirSync(RAW)) {
    const coverage = JSON.parse(readFileSync(`${RAW}/${name}`, "utf8"));
    const maps = coverage["source-map-cache"] ?? {};
    for (const url of Object.keys(maps)) if (!url.startsWith("file://")) delete maps[url];
    writeFileSync(`${RAW}/${name}`, JSON.stringify(coverage));
  }
}

function isAboveGates() {
  const files = Object.entries(JSON.parse(readFileSync("coverage/coverage-summary.json", "utf8")))
    .filter(([path]) => path !== "total")
    .map(([path, summary]) => ({ path: relative(process.cwd(), path), summary }));
  const percent = (folder, kind) => {
    const within = files.filter(({ path }) => folder === "" || path.startsWith(`${folder}/`));
    const sum = (part) => within.reduce((total, { summary }) => total + summary[kind][part], 0);
    return sum("total") === 0 ? 0 : (100 * sum("covered")) / sum("total");
  };
  let isAbove = true;
  for (const { folder, ...limits } of GATES) {
    for (const [kind, limit] of Object.entries(limits)) {
      const reached = percent(folder, kind);
      const name = (folder === "" ? "everything" : folder).padEnd(16);
      const mark = reached >= limit ? "ok   " : "below";
      process.stdout.write(`${mark} ${name} ${kind.padEnd(8)} ${reached.toFixed(2)} % of ${limit} %\n`);
      isAbove &&= reached >= limit;
    }
  }
  return isAbove;
}

let status = 0;
if (!process.argv.includes("--report")) {
  rmSync("coverage", { recursive: true, force: true });
  status = run("npx", ["vitest", "run", "--project=logic"], { FLEETRIG_DIST: "1", NODE_V8_COVERAGE: RAW });
}
dropNamelessSourceMaps();
status ||= run("npx", ["c8", "report"]);
process.exitCode = status || (isAboveGates() ? 0 : 1);
