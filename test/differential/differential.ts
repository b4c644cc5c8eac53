import { compare, type Difference, describeStep } from "./comparison.js";
import { hasMosquitto, startMosquitto, startOwn } from "./contestants.js";
import { explain } from "./freedoms.js";
import { play } from "./player.js";
import { drawScript, type Script } from "./script.js";

/**
 * `npm run differential`: `--sessions` scripts (default 1000) of `--seed` (default 1) from `--first` (default 0), played
 * to mosquitto and to our broker, `--parallel` (default 8) at a time. Every difference is explained by a rule in
 * freedoms.ts, or the run ends with 1. `--verbose` prints explained ones too.
 */
const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};

const seed = Number(option("seed") ?? 1);
const sessions = Number(option("sessions") ?? 1_000);
const first = Number(option("first") ?? 0);
const parallel = Number(option("parallel") ?? 8);
const isVerbose = process.argv.includes("--verbose");
const SHOWN_MAX = Number(option("shown") ?? 10);
const REPORT_EVERY = 500;

function show(index: number, script: Script, difference: Difference): void {
  const { kind, step, slot, theirs, ours } = difference;
  console.log(`\nnpm run differential -- --seed ${seed} --first ${index} --sessions 1`);
  console.log(`${kind} at step ${step}, slot ${slot}\n  mosquitto: ${theirs}\n  ours:      ${ours}`);
  const until = step < 0 ? script.steps.length - 1 : step;
  for (const [at, one] of script.steps.entries())
    if (at <= until) console.log(`  ${at} ${describeStep(one)}`);
}

if (!hasMosquitto()) {
  console.log("FAILED: /usr/sbin/mosquitto is not installed");
  process.exit(1);
}
const [theirs, ours] = await Promise.all([startMosquitto(), startOwn()]);
const explained = new Map<string, number>();
let unexplained = 0;
let steps = 0;
let next = first;
const startedMs = performance.now();

async function work(): Promise<void> {
  while (next < first + sessions) {
    const index = next;
    next += 1;
    const script = drawScript(seed, index);
    const [their, our] = await Promise.all([play(script, theirs.port), play(script, ours.port)]);
    steps += script.steps.length;
    const found = explain(script, compare(script, their, our), { theirs: their, ours: our });
    for (const { difference, rule } of found) {
      if (rule !== undefined) explained.set(rule, (explained.get(rule) ?? 0) + 1);
      else unexplained += 1;
      if (isVerbose || (rule === undefined && unexplained <= SHOWN_MAX)) show(index, script, difference);
    }
    if ((index - first) % REPORT_EVERY === REPORT_EVERY - 1)
      console.log(`${index + 1 - first} sessions, ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  }
}

await Promise.all(Array.from({ length: parallel }, () => work()));
await Promise.all([theirs.stop(), ours.stop()]);
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
console.log(`\n${sessions} sessions with ${steps} steps: ${seconds} s`);
for (const [rule, count] of [...explained].sort(([a], [b]) => (a < b ? -1 : 1)))
  console.log(`${String(count).padStart(6)} x ${rule}`);
console.log(`${unexplained} differences are not explained`);
process.exit(unexplained > 0 ? 1 : 0);
