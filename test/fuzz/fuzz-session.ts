import { createRandomSource, type Random, US_PER_MS, US_PER_S } from "fleetrig/kernel";
import type { Profile } from "fleetrig/protocol";
import { type Action, FuzzStage } from "./fuzz-stage.js";
import { mutate } from "./mutation.js";
import { type Level, PacketGrammar } from "./packet-grammar.js";

/**
 * A fuzzed session: a few clients that connect, send packets, break off and come back, drawn from `seed/index`. How much
 * of it is spoilt is drawn too: a session in which everything is wrong ends early, one in which nothing is finds little.
 */
export interface FuzzedSession {
  readonly actions: readonly Action[];
  readonly packets: number;
  readonly worstMs: number;
  /** What went wrong, with the last action. */
  readonly complaints: readonly string[];
}

const ADVANCES_US = [
  US_PER_MS,
  100 * US_PER_MS,
  US_PER_S,
  6 * US_PER_S,
  16 * US_PER_S,
  40 * US_PER_S,
  400 * US_PER_S,
];
const SHORT_ACTIONS = 12;
const SHORT_BYTES_MAX = 200;
const LEVELS: readonly Level[] = [3, 4, 4, 4, 5, 5, 5, 5, 5];

export const profileOf = (index: number): Profile => (index % 2 === 0 ? "oasis" : "aws");

/** Draws and plays one session. @param stage One that is used again; default: a new broker. */
export function playSession(
  seed: number,
  index: number,
  stage: FuzzStage = new FuzzStage(profileOf(index)),
): FuzzedSession {
  return play(new Author(createRandomSource(seed).stream(`session/${index}`), stage), stage);
}

/** A short session with small packets, in which nobody stops reading: for what is played again and again. */
export function playShortSession(seed: number, index: number): FuzzedSession {
  const stage = new FuzzStage(profileOf(index));
  const random = createRandomSource(seed).stream(`short/${index}`);
  return play(new Author(random, stage, SHORT_ACTIONS), stage);
}

function play(author: Author, stage: FuzzStage): FuzzedSession {
  const actions: Action[] = [];
  stage.worstMs = 0;
  let complaints: readonly string[] = [];
  for (let rest = author.length; rest > 0 && complaints.length === 0; rest -= 1) {
    const action = author.next();
    actions.push(action);
    complaints = stage.perform(action);
  }
  if (complaints.length === 0) complaints = stage.aftermath();
  return { actions, packets: author.packets, worstMs: stage.worstMs, complaints };
}

/** Plays what was drawn before. @returns the complaints. */
export function replay(actions: readonly Action[], profile: Profile): readonly string[] {
  const stage = new FuzzStage(profile);
  for (const action of actions) {
    const complaints = stage.perform(action);
    if (complaints.length > 0) return complaints;
  }
  return stage.aftermath();
}

/** Leaves out whatever the complaint does not need. */
export function shrink(actions: readonly Action[], profile: Profile): readonly Action[] {
  let kept = actions;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let at = 0; at < kept.length; ) {
      const shorter = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (replay(shorter, profile).length > 0) kept = shorter;
      else at += size;
    }
  return kept;
}

/** One line of a failure report. */
export function describeAction(action: Action): string {
  if (action.kind === "advance") return `advance ${action.us / US_PER_S} s`;
  const { kind, at } = action;
  if (kind !== "send") return `${kind} ${at}`;
  const hex = action.bytes.toString("hex");
  return `send ${at} ${hex.length > 2_000 ? `${hex.slice(0, 2_000)}... (${action.bytes.length} bytes)` : hex} in ${[...action.pieces, "rest"].join("+")}`;
}

/** Decides what happens next, knowing which connections are open. */
class Author {
  readonly length: number;
  packets = 0;
  private readonly grammar: PacketGrammar;
  private readonly connections: number;
  private readonly mutationRate: number;
  private readonly levels: Level[] = [];
  private readonly isSplit: boolean;
  /** Connections that have been opened and lack their CONNECT. */
  private fresh: number | undefined;

  constructor(
    private readonly random: Random,
    private readonly stage: FuzzStage,
    private readonly shortActions?: number,
  ) {
    this.mutationRate = random.pick([0, 0.01, 0.05, 0.2, 0.6]);
    this.grammar = new PacketGrammar(random, random.pick([0, 0.2, 1]));
    this.connections = 1 + random.below(5);
    this.length = shortActions ?? random.pick([20, 100, 200, 400]);
    this.isSplit = shortActions === undefined && random.chance(0.5);
  }

  private get isShort(): boolean {
    return this.shortActions !== undefined;
  }

  next(): Action {
    const { random, stage, fresh } = this;
    if (fresh !== undefined) {
      this.fresh = undefined;
      return this.greet(fresh);
    }
    const at = random.below(this.connections);
    if (!stage.isOpen(at) || random.chance(0.01)) {
      this.fresh = at;
      return { kind: "open", at };
    }
    const kind = random.fraction();
    if (kind < 0.03) return { kind: "advance", us: random.pick(ADVANCES_US) };
    if (kind < 0.05)
      return { kind: random.pick(this.isShort ? ["end", "reset"] : ["end", "reset", "stall", "drain"]), at };
    if (kind < 0.3) {
      const answers = this.answers(at);
      if (answers.length > 0) return this.sending(at, answers);
    }
    return this.sending(at, this.some(at));
  }

  private greet(at: number): Action {
    const { random, grammar } = this;
    const level = random.pick(LEVELS);
    this.levels[at] = level;
    const first = random.chance(0.03) ? grammar.any(level) : grammar.connect(level);
    return this.sending(at, random.chance(0.2) ? [first, grammar.any(level)] : [first]);
  }

  private some(at: number): Buffer[] {
    const { random, grammar } = this;
    const count = random.chance(0.02) ? 1 + random.below(64) : 1 + random.below(4);
    return Array.from({ length: count }, () => grammar.any(this.levels[at] ?? 5));
  }

  /** What a well-behaved client would acknowledge now, or some of it. */
  private answers(at: number): Buffer[] {
    const owed = this.stage.lines[at]!.record.owed.splice(0, 1 + this.random.below(20));
    return owed.map(({ type, packetId }) => this.grammar.acknowledge(type, 4, packetId));
  }

  private sending(at: number, frames: readonly Buffer[]): Action {
    const { random } = this;
    this.packets += frames.length;
    const spoilt = frames.map((one) => (random.chance(this.mutationRate) ? mutate(one, random) : one));
    const joined = Buffer.concat(spoilt);
    const bytes = this.isShort ? joined.subarray(0, SHORT_BYTES_MAX) : joined;
    return { kind: "send", at, bytes, pieces: this.pieces(bytes.length) };
  }

  private pieces(length: number): readonly number[] {
    const { random } = this;
    if (!this.isSplit || random.chance(0.5)) return [];
    if (random.chance(0.1) && length < 2_000) return Array.from({ length }, () => 1);
    return Array.from({ length: 1 + random.below(4) }, () => 1 + random.below(Math.max(1, length)));
  }
}
