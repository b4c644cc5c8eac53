import { MqttBroker } from "fleetrig/broker";
import {
  type Clock,
  createRandomSource,
  type JsonObject,
  LANE,
  Random,
  type RunEvent,
  VirtualTime,
} from "fleetrig/kernel";
import { wireBytes } from "fleetrig/protocol";
import {
  BUILTIN_MODELS,
  createMemoryDialer,
  type GroupPlan,
  LinkFaults,
  type MemberPlan,
  PERFECT_LINK,
} from "fleetrig/sim";
import { BoardMember } from "../../../hil/bridge/board-member.js";
import type { BoardListener, CommandAnswer, MemberBoard } from "../../../hil/bridge/member-board.js";
import { emptyMemory, LoopbackFirmware } from "../fixtures/loopback-firmware.js";

export const SECOND = 1_000_000;
export const MS = 1_000;

const MEMBER: MemberPlan = {
  name: "r-01",
  ordinal: 3,
  index: 1,
  attributes: { site: "nord" },
  connectAtUs: 0,
};

/** A group of sensors with one stream, every second. */
export function sensors(changes: Partial<GroupPlan> = {}): GroupPlan {
  return {
    group: "sensors",
    model: BUILTIN_MODELS["temperature-sensor"]!,
    members: [MEMBER],
    link: PERFECT_LINK,
    mqtt: {
      protocolVersion: 5,
      keepAliveS: 30,
      cleanStart: false,
      sessionExpiryS: 3600,
      receiveMaximum: 16,
      will: { topic: "gone/{thingName}", payload: "gone", qos: 1, retain: false, delayS: 0 },
    },
    reconnect: { policy: "constant", baseUs: SECOND, capUs: SECOND, resetAfterUs: SECOND },
    telemetry: [
      {
        stream: 7,
        name: "climate",
        everyUs: SECOND,
        phase: "aligned",
        topic: "{site}/{thingName}/t",
        qos: 1,
        retain: false,
        payload: { t: "{state.temperature}", seq: "{seq}", at: "{now}", text: "n{seq}" },
      },
    ],
    buffer: { capacity: 100, overflow: "drop-oldest" },
    signals: {},
    settings: {},
    ...changes,
  };
}

/** A board as its member sees it, with the firmware of the fixtures behind a line that takes 2 ms each way. */
export class LineBoard implements MemberBoard {
  readonly memory = emptyMemory();
  readonly controls = {} as MemberBoard["controls"];
  readonly givenUp: string[] = [];
  firmware: LoopbackFirmware;
  pendingBytes = 0;
  private listener: BoardListener | undefined;
  private isUp = false;
  private bootUs = 0;
  /** Counts sessions: what belongs to an older one is lost on the way. */
  private session = 0;

  constructor(private readonly clock: Clock) {
    this.firmware = this.boot();
  }

  listen(listener: BoardListener): void {
    this.listener = listener;
    this.isUp = true;
    listener.ready(this.firmware.thing, true);
  }

  command(op: string, args: JsonObject, answered?: (answer: CommandAnswer) => void): void {
    this.down(() => {
      const answer = this.firmware.command(op, args);
      this.up(() =>
        answered?.(
          answer.ok
            ? { ok: true, value: answer.value }
            : { ok: false, error: answer.error, message: answer.message ?? "" },
        ),
      );
    });
  }

  toHostUs(boardUs: number): number {
    return boardUs + this.bootUs;
  }

  toBoardUs(hostUs: number): number {
    return hostUs - this.bootUs;
  }

  setFault(): boolean {
    return false;
  }

  giveUp(reason: string): void {
    this.givenUp.push(reason);
  }

  sendNetwork(message: JsonObject): void {
    this.down(() => this.firmware.network(message));
  }

  sendNetworkData(bytes: Uint8Array): void {
    this.pendingBytes += bytes.length;
    this.down(() => {
      this.pendingBytes -= bytes.length;
      this.firmware.networkData(bytes);
    });
  }

  /** What the firmware would say by itself. */
  says(event: JsonObject): void {
    this.listener!.event(event);
  }

  /** The cable is pulled; the board goes on. */
  unplug(): void {
    this.session += 1;
    this.isUp = false;
    this.pendingBytes = 0;
    this.listener!.lost("detached");
  }

  plugIn(): void {
    this.isUp = true;
    this.firmware.sessionLost();
    this.listener!.ready(this.firmware.thing, false);
  }

  /** It restarts, and says hello `afterUs` later. */
  restart(afterUs = 50 * MS): void {
    this.session += 1;
    this.isUp = false;
    this.pendingBytes = 0;
    this.firmware.halt();
    this.listener!.lost("restarted");
    this.clock.after(afterUs, () => {
      this.firmware = this.boot();
      this.isUp = true;
      this.listener!.ready(this.firmware.thing, true);
    });
  }

  private boot(): LoopbackFirmware {
    this.bootUs = this.clock.nowUs();
    return new LoopbackFirmware({
      clock: this.clock,
      random: createRandomSource(5),
      memory: this.memory,
      output: {
        event: (event) => this.up(() => this.listener?.event(event)),
        network: (message) => this.up(() => this.listener?.network(message)),
        networkData: (bytes) => this.up(() => this.listener?.networkData(bytes)),
      },
    });
  }

  private down(deliver: () => void): void {
    this.cross(deliver);
  }

  private up(deliver: () => void): void {
    this.cross(deliver);
  }

  private cross(deliver: () => void): void {
    const { session } = this;
    if (!this.isUp) return;
    this.clock.after(2 * MS, () => {
      if (this.session === session) deliver();
    });
  }
}

/** One board as a member, on the embedded broker in memory, in virtual time. */
export class MemberRig {
  readonly time = new VirtualTime();
  readonly events: RunEvent[] = [];
  readonly probe: string[] = [];
  readonly sentAt = new Map<number, { dueUs: number; sentUs: number }>();
  readonly received: { topic: string; text: string }[] = [];
  readonly broker: MqttBroker;
  readonly faults: LinkFaults;
  readonly board: LineBoard;
  readonly member: BoardMember;

  constructor(group: GroupPlan = sensors()) {
    const plan = group.members[0]!;
    const clock = this.time.lane(LANE.firstDevice + plan.ordinal);
    this.broker = new MqttBroker({
      clock: this.time.lane(LANE.broker),
      random: Random.seeded("broker"),
      events: { emit: (event) => this.events.push(event) },
      profile: "oasis",
    });
    this.broker.addHooks({
      message: (message) => {
        this.received.push({ topic: message.topic, text: Buffer.from(message.payload).toString() });
        return "broker";
      },
    });
    const random = createRandomSource(9);
    this.faults = new LinkFaults({ clock, random: (purpose) => random.stream(purpose) });
    this.board = new LineBoard(this.time.lane(900));
    this.member = new BoardMember({
      plan,
      group,
      clock,
      events: { emit: (event) => this.events.push(event) },
      probe: {
        sent: (_s, _t, q, dueUs, sentUs) => {
          this.probe.push(`sent ${q}`);
          this.sentAt.set(q, { dueUs, sentUs });
        },
        acked: (_s, _t, q) => this.probe.push(`acked ${q}`),
        retransmitted: (_s, _t, q) => this.probe.push(`again ${q}`),
        discarded: (_s, _t, q) => this.probe.push(`discarded ${q}`),
        received: () => undefined,
        ruleOutput: () => undefined,
      },
      run: "r1",
      seed: 77,
      random,
      path: "bridge",
      board: this.board,
      faults: this.faults,
      dialer: createMemoryDialer({
        acceptor: this.broker,
        clock,
        profile: group.link,
        random: random.stream("network"),
        wireBytes,
        version: group.mqtt.protocolVersion,
        faults: this.faults,
      }),
    });
  }

  /** Configured, started and connected. */
  online(): this {
    this.time.advance(100 * MS);
    this.member.start(this.time.nowUs());
    this.time.advance(100 * MS);
    return this;
  }

  typesOf(prefix: string): string[] {
    return this.events.filter(({ type }) => type.startsWith(prefix)).map(({ type }) => type);
  }

  find<T extends RunEvent["type"]>(type: T): Extract<RunEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);
  }
}
