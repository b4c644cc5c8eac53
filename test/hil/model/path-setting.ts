import { type Clock, createRandomSource, LANE, type RandomSource, type TimeSource } from "fleetrig/kernel";
import { type Dialer, wireBytes } from "fleetrig/protocol";
import {
  createMemoryDialer,
  DeviceWalk,
  type GroupPlan,
  LinkFaults,
  type PathTimes,
  PERFECT_LINK,
} from "fleetrig/sim";
import type { Alphabet } from "./alphabets.js";
import { PathBroker } from "./path-broker.js";
import { DeviceDiary } from "./subject.js";

/** How long everything takes on the paths of a test. */
export interface PathSetting {
  readonly times: PathTimes;
  readonly plan: Parameters<Alphabet["plan"]>[0];
}

const MEMBER = { name: "paths-0", ordinal: 0, index: 0, connectAtUs: 0 } as const;

export function groupOf(alphabet: Alphabet, { plan, times }: PathSetting): GroupPlan {
  const retryUs = times.retryMs * 1_000;
  return {
    group: "paths",
    model: alphabet.model,
    members: [{ ...MEMBER, attributes: alphabet.attributes }],
    link: PERFECT_LINK,
    mqtt: {
      protocolVersion: 5,
      keepAliveS: 3_600,
      cleanStart: false,
      sessionExpiryS: 36_000,
      receiveMaximum: 16,
      will: undefined,
    },
    reconnect: { policy: "constant", baseUs: retryUs, capUs: retryUs, resetAfterUs: 1_000 },
    telemetry: [],
    buffer: { capacity: 100, overflow: "drop-oldest" },
    signals: {},
    settings: {},
    ...alphabet.plan(plan),
  };
}

export function walkOf(alphabet: Alphabet, { plan, times }: PathSetting): DeviceWalk {
  const { settings = {} } = alphabet.plan(plan);
  const input = { thingName: MEMBER.name, attributes: alphabet.attributes, settings };
  return new DeviceWalk(alphabet.model, input, times);
}

/** What a subject lives in: its broker, its diary, and the way between. */
export interface Surroundings {
  readonly broker: PathBroker;
  readonly diary: DeviceDiary;
  readonly random: RandomSource;
  linkTo(
    member: unknown,
    group: GroupPlan,
    clock: Clock,
  ): { readonly dialer: Dialer; readonly faults: LinkFaults };
}

export function surroundings(time: TimeSource): Surroundings {
  const broker = new PathBroker(time.lane(LANE.broker));
  const random = createRandomSource(5);
  return {
    broker,
    diary: new DeviceDiary(),
    random,
    linkTo: (_member, { link }, clock) => {
      const faults = new LinkFaults({ clock, random: (purpose) => random.stream(purpose) });
      const way = { acceptor: broker, clock, profile: link, wireBytes, version: 5, faults } as const;
      return { dialer: createMemoryDialer({ ...way, random: random.stream("network") }), faults };
    },
  };
}
