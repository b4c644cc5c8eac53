// Holds the coverage of the folders where a mistake would be a wrong verdict above 95 %, lines and branches alike.
// Reads what c8's json-summary reporter wrote.
import { readFileSync } from "node:fs";
import { relative } from "node:path";

const GATES = [
  { folder: "broker/kernel", lines: 95, branches: 95 },
  { folder: "broker/protocol", lines: 95, branches: 95 },
  { folder: "broker/shadow", lines: 95, branches: 95 },
  { folder: "broker/jobs", lines: 95, branches: 95 },
  { folder: "", lines: 95, branches: 92 },
];

const files = Object.entries(JSON.parse(readFileSync("coverage/coverage-summary.json", "utf8")))
  .filter(([path]) => path !== "total")
  .map(([path, summary]) => ({ path: relative(process.cwd(), path), summary }));

const percent = (folder, kind) => {
  const within = files.filter(({ path }) => path.startsWith(folder === "" ? "" : `${folder}/`));
  const total = within.reduce((sum, { summary }) => sum + summary[kind].total, 0);
  const covered = within.reduce((sum, { summary }) => sum + summary[kind].covered, 0);
  return total === 0 ? 0 : (100 * covered) / total;
};

let isBelow = false;
for (const { folder, ...limits } of GATES) {
  for (const [kind, limit] of Object.entries(limits)) {
    const reached = percent(folder, kind);
    const name = folder === "" ? "everything" : folder;
    process.stdout.write(`${reached >= limit ? "ok   " : "below"} ${name.padEnd(16)} ${kind.padEnd(8)} ${reached.toFixed(2)} % of ${limit} %\n`);
    isBelow ||= reached < limit;
  }
}
process.exitCode = isBelow ? 1 : 0;
