import {
  createRandomSource,
  invariant,
  LANE,
  silentProbe,
  silentSink,
  US_PER_S,
  VirtualTime,
} from "fleetrig/kernel";
import { type Dialer, type Packet, type PacketLink, type PacketReceiver, wireBytes } from "fleetrig/protocol";
import {
  BUILTIN_MODELS,
  createMemoryDialer,
  DeviceGroup,
  type GroupPlan,
  IdentityBook,
  LinkFaults,
  type MemberPlan,
  PERFECT_LINK,
  VirtualDevice,
} from "fleetrig/sim";
import { CaseRun } from "../../scenarios/qualify/case-run.js";
import { findCase } from "../../scenarios/qualify/cases/index.js";
import { TestEndpoint } from "../../scenarios/qualify/endpoint/test-endpoint.js";
import type { Judgement } from "../../scenarios/qualify/judgement.js";
import { type CaseParameters, DEFAULT_PARAMETERS } from "../../scenarios/qualify/parameters.js";

export const SECOND = US_PER_S;

const MEMBER: MemberPlan = { name: "dut-1", ordinal: 0, index: 0, attributes: {}, connectAtUs: 0 };

/** What a device does wrong, or does that ours do not: changes what crosses its link. */
export interface Tamper {
  /** Packets of the device on their way up; `send` may be called later, and again. */
  up?(packet: Packet, send: (packet: Packet) => void): void;
  /** Packets on their way down to the device. */
  down?(packet: Packet, deliver: (packet: Packet) => void): void;
  /** The device ended the connection: @returns false when it does not. */
  ends?(): boolean;
  opened?(): void;
}

export interface DeviceChanges {
  readonly model?: string;
  readonly mqtt?: Partial<GroupPlan["mqtt"]>;
  readonly reconnect?: Partial<GroupPlan["reconnect"]>;
  readonly telemetry?: Partial<GroupPlan["telemetry"][number]> | false;
  readonly settings?: GroupPlan["settings"];
  readonly tamper?: (time: VirtualTime) => Tamper;
  readonly seed?: number;
}

function groupOf({
  model = "temperature-sensor",
  mqtt,
  reconnect,
  telemetry,
  settings,
}: DeviceChanges): GroupPlan {
  return {
    group: "dut",
    model: BUILTIN_MODELS[model]!,
    members: [MEMBER],
    link: { ...PERFECT_LINK, latency: { dist: "constant", value: 5_000 } },
    mqtt: {
      protocolVersion: 4,
      keepAliveS: 30,
      cleanStart: false,
      sessionExpiryS: 3600,
      receiveMaximum: 16,
      will: undefined,
      ...mqtt,
    },
    reconnect: {
      policy: "full-jitter",
      baseUs: SECOND,
      capUs: 60 * SECOND,
      resetAfterUs: 10 * SECOND,
      ...reconnect,
    },
    telemetry:
      telemetry === false
        ? []
        : [
            {
              stream: 0,
              name: "climate",
              everyUs: 5 * SECOND,
              phase: "aligned",
              topic: "lab/{thingName}/climate",
              qos: 1,
              retain: false,
              payload: { seq: "{seq}" },
              ...telemetry,
            },
          ],
    buffer: { capacity: 100, overflow: "drop-oldest" },
    signals: {},
    settings: settings ?? {},
  };
}

function tampered(dialer: Dialer, tamper: Tamper): Dialer {
  return {
    dial: (handlers) =>
      dialer.dial({
        opened: (link) => {
          tamper.opened?.();
          const facade: PacketLink = {
            send: (packet) =>
              tamper.up === undefined ? link.send(packet) : tamper.up(packet, (it) => link.send(it)),
            close: () => (tamper.ends?.() ?? true) && link.close(),
            destroy: () => (tamper.ends?.() ?? true) && link.destroy(),
            bufferedBytes: 0,
            remoteAddress: link.remoteAddress,
          };
          const receiver = handlers.opened(facade);
          const wrapped: PacketReceiver = {
            received: (packet, bytes) =>
              tamper.down === undefined
                ? receiver.received(packet, bytes)
                : tamper.down(packet, (it) => receiver.received(it, bytes)),
            closed: (reason) => receiver.closed(reason),
          };
          return wrapped;
        },
        failed: (reason) => handlers.failed(reason),
      }),
  };
}

/** Runs one case in virtual time against a device with these habits. */
export function qualify(
  id: string,
  changes: DeviceChanges,
  parameters: Partial<CaseParameters> = {},
): Judgement {
  const time = new VirtualTime();
  const found = findCase(id);
  invariant(found !== undefined, `no case ${id}`);
  const endpoint = new TestEndpoint({ time, clock: time.lane(LANE.harness) });
  const random = createRandomSource(changes.seed ?? 7);
  const group = groupOf(changes);
  const compiled = new DeviceGroup(group, {
    random,
    events: silentSink,
    probe: silentProbe,
    run: "r1",
    identities: new IdentityBook(),
  });
  const clock = time.lane(LANE.firstDevice);
  const faults = new LinkFaults({ clock, random: (purpose) => random.stream(purpose) });
  const dialer = createMemoryDialer({
    acceptor: endpoint,
    clock,
    profile: group.link,
    random: random.stream("network"),
    wireBytes,
    version: group.mqtt.protocolVersion,
    faults,
  });
  const tamper = changes.tamper?.(time);
  const device = new VirtualDevice({
    member: MEMBER,
    group: compiled,
    clock,
    link: { dialer: tamper === undefined ? dialer : tampered(dialer, tamper), faults },
  });
  let judgement: Judgement | undefined;
  const run = new CaseRun({
    case: found,
    parameters: { ...DEFAULT_PARAMETERS, ...parameters },
    clock: time.lane(LANE.harness),
    endpoint,
    device: { nudge: () => device.connect() },
    show: () => undefined,
    done: (outcome) => {
      judgement = outcome.judgement;
      time.halt();
    },
  });
  run.start();
  device.start(0);
  time.runUntil(4 * 3_600 * SECOND);
  invariant(judgement !== undefined, `${id} never ended`);
  return judgement;
}

/** A device that ended up deaf to something, a packet type at a time. */
export const never =
  (...types: readonly Packet["type"][]) =>
  (): Tamper => ({
    up: (packet, send) => {
      if (!types.includes(packet.type)) send(packet);
    },
  });

/** A device that does something else than to repeat a packet under its identifier: nothing, unless told otherwise. */
export const insteadOfRepeating =
  (
    type: "publish" | "subscribe",
    change: (packet: Packet, times: number) => Packet | undefined = () => undefined,
  ) =>
  (): Tamper => {
    const seen = new Set<number>();
    let times = 0;
    return {
      opened: () => seen.clear(),
      up: (packet, send) => {
        if (packet.type !== type || packet.packetId === undefined) return send(packet);
        const isAgain = seen.has(packet.packetId);
        if (isAgain) times += 1;
        const sent = isAgain ? change(packet, times) : packet;
        seen.add(packet.packetId);
        if (sent !== undefined) send(sent);
      },
    };
  };

/** A device that subscribes again to everything whenever it has connected. */
export const subscribingAgain = (): Tamper => {
  let first: Packet | undefined;
  let sendUp: (packet: Packet) => void = () => undefined;
  return {
    up: (packet, send) => {
      sendUp = send;
      if (packet.type === "subscribe") first ??= packet;
      send(packet);
    },
    down: (packet, deliver) => {
      deliver(packet);
      if (packet.type === "connack" && first !== undefined) sendUp(first);
    },
  };
};
