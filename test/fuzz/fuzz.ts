import { mkdirSync, writeFileSync } from "node:fs";
import { describeAction, playSession, profileOf, replay, shrink } from "./fuzz-session.js";
import { FuzzStage } from "./fuzz-stage.js";
import { playRequests } from "./requests/play-requests.js";
import { cutSession } from "./split-points.js";

/**
 * `npm run fuzz`: sessions from `--seed` (default 1) until `--packets` (default 1e6) were sent, half of them on a
 * broker that has served the ones before; then short sessions, each cut at every point of its bytes, until there were
 * `--cuts` (default 2e4); then `--requests` (default 1e5) to the cloud's APIs. Ends with 1 at the first complaint, which it prints with the line that brings it back and
 * the shortest script that has it; the same is in out/fuzz.txt. `--session N` plays that session alone.
 */
const SHARED_EVERY = 2;
/** Shared brokers are looked at this often; the first time the heap is still growing into its code. */
const HEAP_EVERY_SESSIONS = 20;
const HEAP_READINGS_MIN = 20;
const HEAP_GROWTH_MAX_BYTES_PER_SESSION = 1_000;
/** No input may keep the broker busy for longer. */
const PIECE_MAX_MS = 50;
/** From here on it is looked at again: what does not come again when it is replayed was the machine's fault. */
const SUSPICIOUS_MS = 5;
const REPLAYS = 3;
const REPORT_EVERY_MS = 10_000;

const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};

const seed = Number(option("seed") ?? 1);
const packetsWanted = Number(option("packets") ?? 1e6);
const cutsWanted = Number(option("cuts") ?? 2e4);
const requestsWanted = Number(option("requests") ?? 1e5);

function fail(index: number, isShared: boolean): never {
  const command = `npm run fuzz -- --seed ${seed} --session ${index}`;
  const session = playSession(seed, index);
  const profile = profileOf(index);
  const lines = [`FAILED: ${command}`, `profile ${profile}`, ...session.complaints];
  if (session.complaints.length === 0)
    lines.push(isShared ? "only on a broker that has served other sessions" : "only once");
  else {
    const shortest = shrink(session.actions, profile);
    lines.push("shortest script:", ...shortest.map(describeAction), ...replay(shortest, profile));
  }
  mkdirSync("out", { recursive: true });
  writeFileSync("out/fuzz.txt", `${lines.join("\n")}\n`);
  console.log(lines.join("\n"));
  process.exit(1);
}

/** The slowest piece of input of a session that seemed too slow, by the processor's time and at its best of several. */
function quickestWorstMs(index: number): number {
  const replays = Array.from({ length: REPLAYS }, () => {
    const stage = new FuzzStage(profileOf(index));
    stage.nowMs = () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    };
    return playSession(seed, index, stage).worstMs;
  });
  return Math.min(...replays);
}

/** One shared broker per profile, and the heap while they serve. */
class SharedBrokers {
  private readonly stages = [new FuzzStage("oasis"), new FuzzStage("aws")] as const;
  private readonly heaps: number[] = [];
  private sessions = 0;

  stage(index: number): FuzzStage {
    this.sessions += 1;
    if (this.sessions % HEAP_EVERY_SESSIONS === 0 && globalThis.gc !== undefined) {
      globalThis.gc();
      this.heaps.push(process.memoryUsage().heapUsed);
    }
    return this.stages[index % 2 === 0 ? 0 : 1];
  }

  /** Least-squares slope without the first half; undefined when there are too few readings. */
  growthPerSession(): number | undefined {
    const heaps = this.heaps.slice(Math.floor(this.heaps.length / 2));
    if (heaps.length < HEAP_READINGS_MIN) return undefined;
    const middle = (heaps.length - 1) / 2;
    const mean = heaps.reduce((sum, heap) => sum + heap, 0) / heaps.length;
    let slope = 0;
    let spread = 0;
    for (const [at, heap] of heaps.entries()) {
      slope += (at - middle) * (heap - mean);
      spread += (at - middle) ** 2;
    }
    return slope / spread / HEAP_EVERY_SESSIONS;
  }
}

function playSessions(): void {
  const shared = new SharedBrokers();
  const startedMs = performance.now();
  let reportedMs = startedMs;
  let packets = 0;
  let worstMs = 0;
  let index = 0;
  for (; packets < packetsWanted; index += 1) {
    const isShared = index % (2 * SHARED_EVERY) < 2;
    const session = playSession(seed, index, isShared ? shared.stage(index) : undefined);
    packets += session.packets;
    if (session.complaints.length > 0) {
      console.log(session.complaints.join("\n"));
      fail(index, isShared);
    }
    if (session.worstMs > Math.max(worstMs, SUSPICIOUS_MS))
      worstMs = Math.max(worstMs, Math.min(session.worstMs, quickestWorstMs(index)));
    if (worstMs > PIECE_MAX_MS) {
      console.log(`FAILED: session ${index} keeps the broker busy for ${worstMs.toFixed(1)} ms at a time`);
      process.exit(1);
    }
    if (performance.now() - reportedMs < REPORT_EVERY_MS) continue;
    reportedMs = performance.now();
    console.log(
      `${packets} packets, ${index + 1} sessions, ${((reportedMs - startedMs) / 1000).toFixed(0)} s`,
    );
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const growth = shared.growthPerSession();
  console.log(
    `${packets} packets in ${index} sessions without a complaint: ${seconds.toFixed(1)} s, ` +
      `slowest input ${worstMs.toFixed(1)} ms, heap ${growth === undefined ? "not measured" : `${growth.toFixed(0)} bytes per session on shared brokers`}`,
  );
  if (growth !== undefined && growth > HEAP_GROWTH_MAX_BYTES_PER_SESSION) {
    console.log(`FAILED: the heap grows by more than ${HEAP_GROWTH_MAX_BYTES_PER_SESSION} bytes per session`);
    process.exit(1);
  }
}

function playCuts(): void {
  const startedMs = performance.now();
  let cuts = 0;
  let index = 0;
  for (; cuts < cutsWanted; index += 1) {
    const { count, difference } = cutSession(seed, index);
    cuts += count;
    if (difference === undefined) continue;
    console.log(`FAILED: seed ${seed}, short session ${index}: ${difference}`);
    process.exit(1);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(`${cuts} cuts of ${index} sessions change nothing: ${seconds.toFixed(1)} s`);
}

async function sendRequests(): Promise<void> {
  const startedMs = performance.now();
  const { requests, worstMs, complaint } = await playRequests(seed, requestsWanted);
  if (complaint !== undefined) {
    console.log(`FAILED: ${complaint}`);
    process.exit(1);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(
    `${requests} requests without a complaint: ${seconds.toFixed(1)} s, slowest ${worstMs.toFixed(1)} ms`,
  );
}

const only = option("session");
if (only === undefined) {
  playSessions();
  playCuts();
  await sendRequests();
} else {
  const session = playSession(seed, Number(only));
  if (session.complaints.length > 0) fail(Number(only), false);
  console.log(
    `${session.packets} packets without a complaint, slowest input ${session.worstMs.toFixed(1)} ms`,
  );
}
