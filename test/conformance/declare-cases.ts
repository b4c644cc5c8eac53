import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBroker, MqttBroker } from "fleetrig/broker";
import { createRandomSource, LANE, silentSink, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { encodeBytes } from "./byte-pattern.js";
import { type ConformanceCase, readCaseFiles, type SpecName } from "./case-file.js";
import { byteByByte, type Chunking, cutAt, inOnePiece, MemoryStage } from "./memory-stage.js";
import { type Condition, play } from "./player.js";
import { type Setup, SETUPS } from "./setups.js";
import { parseScript, type SpecVersion, type Step } from "./script.js";
import { SocketStage } from "./socket-stage.js";
import { type Transport, TRANSPORTS } from "./transports.js";

/** Longer scripts are not played once per byte. */
const CUT_BYTES_MAX = 250;

const RANDOMS = createRandomSource(1);
/** Nothing happens by itself. */
const QUIET = { random: RANDOMS, sysIntervalS: 0 };
const RANDOM = RANDOMS.stream("broker");

/** A case makes one script per text of `each`; sockets, where the texts make no difference, play the first. */
const scriptsOf = ({ each, script }: ConformanceCase, version: SpecVersion): Step[][] =>
  each.map((text) =>
    parseScript(
      script.map((line) => line.replaceAll("@", text)),
      version,
    ),
  );

const setupOf = ({ setup }: ConformanceCase): Setup => (setup === undefined ? {} : SETUPS[setup]!);

const unmet = ({ line }: Condition): Error => new Error(`${line}\n  This did not happen.`);

function playInMemory(conformanceCase: ConformanceCase, steps: readonly Step[], chunks: Chunking): void {
  const { profile, limits } = conformanceCase;
  const time = new VirtualTime();
  const clock = time.lane(LANE.broker);
  const options = { events: silentSink, profile, limits, ...setupOf(conformanceCase) };
  const broker = new MqttBroker({ clock, random: RANDOM, ...options });
  for (const condition of play(steps, new MemoryStage(broker, time, chunks)))
    if (!condition.holds()) throw unmet(condition);
}

async function playOver(
  transport: Transport,
  conformanceCase: ConformanceCase,
  steps: readonly Step[],
): Promise<void> {
  const { profile, limits } = conformanceCase;
  const time = new VirtualTime();
  const folder =
    transport.isDurable === true ? mkdtempSync(join(tmpdir(), "fleetrig-conformance-")) : undefined;
  const storage = folder === undefined ? {} : ({ dataDir: folder, durability: "os" } as const);
  const listen = [transport.listen];
  const server = await createBroker({
    ...QUIET,
    ...storage,
    ...setupOf(conformanceCase),
    time,
    profile,
    limits,
    listen,
  });
  const stage = new SocketStage({ server, time }, transport);
  try {
    for (const condition of play(steps, stage)) if (!(await stage.reach(condition))) throw unmet(condition);
  } finally {
    await stage.close();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  }
}

const bytesSent = (steps: readonly Step[]): number =>
  steps.reduce((sum, step) => sum + (step.kind === "send" ? encodeBytes(step.bytes).length : 0), 0);

function playInPieces(conformanceCase: ConformanceCase, steps: readonly Step[]): void {
  playInMemory(conformanceCase, steps, byteByByte);
  const bytes = bytesSent(steps);
  if (bytes > CUT_BYTES_MAX) return;
  for (let at = 1; at < bytes; at += 1) playInMemory(conformanceCase, steps, cutAt(at));
}

/** A case that is known to fail has to fail, so that nobody forgets to say when it passes. */
async function outcome(conformanceCase: ConformanceCase, run: () => unknown): Promise<string> {
  let failure: unknown;
  try {
    await run();
  } catch (error) {
    failure = error;
  }
  const { knownFailure } = conformanceCase;
  if (knownFailure === undefined) return failure === undefined ? "passes" : (failure as Error).message;
  return failure === undefined ? `passes, although it is marked: ${knownFailure}` : "passes";
}

const isAbout = ({ transports }: ConformanceCase, transport: string): boolean =>
  transports === undefined || transports.includes(transport);

/** The same case in every way to play it. */
function declare(each: ConformanceCase, version: SpecVersion): void {
  const scripts = scriptsOf(each, version);
  const declareOne = (way: string, run: () => unknown): void => {
    it(`${each.name} (${way})`, async () => {
      expect(await outcome(each, run)).toBe("passes");
    });
  };
  if (isAbout(each, "memory")) {
    declareOne("memory", () => {
      for (const steps of scripts) playInMemory(each, steps, inOnePiece);
    });
    declareOne("memory, in pieces", () => {
      for (const steps of scripts) playInPieces(each, steps);
    });
  }
  for (const transport of TRANSPORTS)
    if (isAbout(each, transport.name))
      declareOne(transport.name, () => playOver(transport, each, scripts[0]!));
}

/** Declares every case of one specification; each has a test file, so that they are played side by side. */
export function declareCases(name: SpecName): void {
  for (const { name: chapter, cases } of readCaseFiles(name))
    describe(name === "aws" ? `AWS, ${chapter}` : `MQTT ${name}, ${chapter}`, () => {
      for (const each of cases) declare(each, name === "aws" ? each.version : name);
    });
}
