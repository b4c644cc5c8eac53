import { LANE, silentProbe, VirtualTime } from "fleetrig/kernel";
import { createFleet, type Edge, edgesTaken, type GroupPlan } from "fleetrig/sim";
import type { AnyStateMachine } from "xstate";
import { BoardMember } from "../../../hil/bridge/board-member.js";
import { CompiledBoard } from "../firmware-app/compiled-board.js";
import type { Deed } from "./path-broker.js";
import { type PathLog, since, type TimedInput } from "./path-log.js";
import { type PathSetting, surroundings } from "./path-setting.js";
import { Subject } from "./subject.js";

/** Boards take microseconds where virtual devices take none: nothing happens to both at the same one. */
export const VIRTUAL: PathSetting = {
  times: {
    gapMs: (input) => (input.do === "send" && input.event.type === "THRESHOLD" ? 2_405.3 : 3.01),
    slackMs: 4.07,
    shortMs: (remainingMs) => remainingMs - 1.5,
    retryMs: 300,
  },
  plan: { updateMs: 10_000.7, applyMs: 700.3, everyMs: 200 },
};

/** What is followed, and how long its start takes. */
export interface PathRun {
  readonly group: GroupPlan;
  readonly inputs: readonly TimedInput[];
  readonly slackMs: number;
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
export function onVirtualDevice(run: PathRun): PathLog {
  const time = new VirtualTime();
  const { broker, diary, random, linkTo } = surroundings(time);
  const parts = { time, random, events: diary, probe: silentProbe, run: "paths", linkFor: linkTo };
  const fleet = createFleet({ groups: [run.group] }, parts);
  const subject = new Subject(fleet.members[0]!, broker, diary);
  return follow({ time, subject, start: () => fleet.start(), close: () => fleet.stop() }, run);
}

/** What the firmware's device logic does on it, compiled with the sanitizers. */
export function onCompiledBoard(run: PathRun): PathLog {
  const { group } = run;
  const time = new VirtualTime();
  const { broker, diary, random, linkTo } = surroundings(time);
  const board = new CompiledBoard(time.lane(900));
  const plan = group.members[0]!;
  const clock = time.lane(LANE.firstDevice);
  const link = linkTo(plan, group, clock);
  const of = { plan, group, clock, events: diary, probe: silentProbe, run: "paths", seed: 77, random, board };
  const member = new BoardMember({ ...of, ...link, path: "bridge" });
  const subject = new Subject(member, broker, diary);
  return follow({ time, subject, start: () => member.start(time.nowUs()), close: () => board.close() }, run);
}

function follow({ time, subject, start, close }: Stage, { inputs, slackMs }: PathRun): PathLog {
  const log: (readonly Deed[])[] = [];
  const pass = (act: () => void, waitMs: number): void => {
    const beganMs = time.nowUs() / 1_000;
    act();
    time.advance(Math.round(waitMs * 1_000));
    log.push(since(beganMs, subject.takeDeeds()));
  };
  pass(start, slackMs);
  for (const { input, waitMs } of inputs) pass(() => subject.do(input), waitMs);
  close();
  return log;
}
