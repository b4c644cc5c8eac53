import { createRandomSource, LANE, silentProbe, VirtualTime } from "fleetrig/kernel";
import { wireBytes } from "fleetrig/protocol";
import {
  createFleet,
  createMemoryDialer,
  type Edge,
  edgesTaken,
  type GroupPlan,
  LinkFaults,
  type PathTimes,
  PERFECT_LINK,
} from "fleetrig/sim";
import type { AnyStateMachine } from "xstate";
import { BoardMember } from "../../../hil/bridge/board-member.js";
import { CompiledBoard } from "../firmware-app/compiled-board.js";
import type { Alphabet } from "./alphabets.js";
import { type PathLog, type TimedInput } from "./path-log.js";
import { type Deed, PathBroker } from "./path-broker.js";
import { DeviceDiary, Subject } from "./subject.js";

/** Boards take microseconds where virtual devices take none: nothing happens to both at the same one. */
export const VIRTUAL_TIMES: PathTimes = {
  gapMs: (input) => (input.do === "send" && input.event.type === "THRESHOLD" ? 2_405.3 : 3.01),
  slackMs: 4.07,
  shortMs: (remainingMs) => remainingMs - 1.5,
  retryMs: 300,
};

export const VIRTUAL_PLAN = { updateMs: 10_000.7, applyMs: 700.3, everyMs: 200 };

export function groupOf(alphabet: Alphabet, plan: Parameters<Alphabet["plan"]>[0], thing: string): GroupPlan {
  return {
    group: "paths",
    model: alphabet.model,
    members: [{ name: thing, ordinal: 0, index: 0, attributes: alphabet.attributes, connectAtUs: 0 }],
    link: PERFECT_LINK,
    mqtt: {
      protocolVersion: 5,
      keepAliveS: 3_600,
      cleanStart: false,
      sessionExpiryS: 36_000,
      receiveMaximum: 16,
      will: undefined,
    },
    reconnect: { policy: "constant", baseUs: 300_000, capUs: 300_000, resetAfterUs: 1_000 },
    telemetry: [],
    buffer: { capacity: 100, overflow: "drop-oldest" },
    signals: {},
    settings: {},
    ...alphabet.plan(plan),
  };
}

/** A machine that tells which of its transitions were taken, by a device that knows nothing of it. */
export function watched(machine: AnyStateMachine, taken: (edge: Edge) => void): AnyStateMachine {
  return Object.assign(Object.create(machine) as AnyStateMachine, {
    transition: (...args: Parameters<AnyStateMachine["transition"]>) => {
      for (const edge of edgesTaken(machine, args[0], args[1])) taken(edge);
      return machine.transition(...args);
    },
  });
}

interface Stage {
  readonly time: VirtualTime;
  readonly subject: Subject;
  start(): void;
  close(): void;
}

/** What a virtual device does on a path: the reference. */
export function onVirtualDevice(group: GroupPlan, inputs: readonly TimedInput[]): PathLog {
  const time = new VirtualTime();
  const { broker, diary, random, linkTo } = surroundings(time);
  const parts = { time, random, events: diary, probe: silentProbe, run: "paths", linkFor: linkTo };
  const fleet = createFleet({ groups: [group] }, parts);
  const subject = new Subject(fleet.members[0]!, broker, diary);
  return follow({ time, subject, start: () => fleet.start(), close: () => fleet.stop() }, inputs);
}

/** What the firmware's device logic does on it, compiled with the sanitizers. */
export function onCompiledBoard(group: GroupPlan, inputs: readonly TimedInput[]): PathLog {
  const time = new VirtualTime();
  const { broker, diary, random, linkTo } = surroundings(time);
  const board = new CompiledBoard(time.lane(900));
  const plan = group.members[0]!;
  const clock = time.lane(LANE.firstDevice);
  const member = new BoardMember({
    plan,
    group,
    clock,
    events: diary,
    probe: silentProbe,
    run: "paths",
    seed: 77,
    random,
    path: "bridge",
    board,
    ...linkTo(plan, group, clock),
  });
  const subject = new Subject(member, broker, diary);
  return follow(
    { time, subject, start: () => member.start(time.nowUs()), close: () => board.close() },
    inputs,
  );
}

function surroundings(time: VirtualTime) {
  const broker = new PathBroker(time.lane(LANE.broker));
  const diary = new DeviceDiary(time.lane(LANE.broker));
  const random = createRandomSource(5);
  const linkTo = (_member: unknown, { link }: GroupPlan, clock: ReturnType<VirtualTime["lane"]>) => {
    const faults = new LinkFaults({ clock, random: (purpose) => random.stream(purpose) });
    const network = random.stream("network");
    const dialer = createMemoryDialer({
      acceptor: broker,
      clock,
      profile: link,
      random: network,
      wireBytes,
      version: 5,
      faults,
    });
    return { dialer, faults };
  };
  return { broker, diary, random, linkTo };
}

function follow({ time, subject, start, close }: Stage, inputs: readonly TimedInput[]): PathLog {
  const log: (readonly Deed[])[] = [];
  const pass = (waitMs: number): void => {
    time.advance(Math.round(waitMs * 1_000));
    log.push(subject.takeDeeds());
  };
  start();
  pass(VIRTUAL_TIMES.slackMs);
  for (const { input, waitMs } of inputs) {
    subject.do(input);
    pass(waitMs);
  }
  close();
  return log;
}
