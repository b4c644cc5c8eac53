import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MqttBroker } from "fleetrig/broker";
import { type Bench, type BoardDoor, createHostBench, type VirtualBoardKind } from "fleetrig/hil";
import {
  atHostTurnEnd,
  createRandomSource,
  LANE,
  parseTraceTag,
  Random,
  RealTime,
  type RunEvent,
  TRACE_PROPERTY,
} from "fleetrig/kernel";
import { SocketLink, wireBytes, WriteBatch } from "fleetrig/protocol";
import { createMemoryDialer, type FleetMember, type GroupPlan, LinkFaults } from "fleetrig/sim";
import { FIRMWARE_BUILDS } from "../../rigs.js";
import { sensors } from "../bridge/member-rig.js";

/** A bench of this machine with virtual boards, in real time, and the embedded broker. */
export class BenchRig {
  readonly time = new RealTime((error) => this.failures.push(error));
  readonly failures: unknown[] = [];
  readonly events: RunEvent[] = [];
  /** Arrivals per message, `ordinal/sequence`. */
  readonly arrived = new Map<string, number>();
  readonly acked = new Set<string>();
  readonly sent = new Set<string>();
  readonly discarded = new Set<string>();
  /** Messages that arrived with two contents. */
  readonly reused = new Set<string>();
  private readonly texts = new Map<string, string>();
  readonly members: FleetMember[] = [];
  readonly faults: LinkFaults[] = [];
  readonly broker: MqttBroker;
  private ordinals = 0;

  private readonly endings: (() => void)[] = [];

  private constructor() {
    this.broker = new MqttBroker({
      clock: this.time.lane(LANE.broker),
      random: Random.seeded("broker"),
      events: { emit: () => undefined },
      profile: "oasis",
    });
    this.broker.addHooks({
      message: (message) => {
        const tag = parseTraceTag(message.userProperty(TRACE_PROPERTY) ?? "");
        if (tag !== undefined) {
          const key = `${tag.thing}/${tag.sequence}`;
          const text = Buffer.from(message.payload).toString();
          this.arrived.set(key, (this.arrived.get(key) ?? 0) + 1);
          if ((this.texts.get(key) ?? text) !== text) this.reused.add(key);
          this.texts.set(key, text);
        }
        return "broker";
      },
    });
  }

  private opened!: Bench;

  static async open(): Promise<BenchRig> {
    const folder = mkdtempSync(join(tmpdir(), "fleetrig-bench-"));
    const rig = new BenchRig();
    rig.opened = await createHostBench({
      time: rig.time,
      random: createRandomSource(4),
      events: { emit: (event) => rig.events.push(event) },
      stateFolder: folder,
      temporaryFolder: folder,
      buildFolder: FIRMWARE_BUILDS,
      hostName: "test",
      purpose: "test",
    });
    rig.endings.push(() => rmSync(folder, { recursive: true, force: true }));
    return rig;
  }

  async close(): Promise<void> {
    for (const member of this.members) member.stop();
    await this.opened.close();
    this.time.stop();
    for (const end of this.endings) end();
  }

  /** What members send unless they are told otherwise. */
  readonly usualTelemetry = sensors().telemetry.map((stream) => ({ ...stream, everyUs: 200_000 }));

  /** Claims virtual boards and makes them members. */
  async claim(
    kinds: readonly VirtualBoardKind[],
    changes: Partial<GroupPlan> = {},
    door?: BoardDoor,
  ): Promise<void> {
    const group = sensors({
      members: kinds.map((kind, index) => ({
        name: `${kind}-${index}`,
        ordinal: index,
        index,
        attributes: { site: "nord" },
        connectAtUs: 0,
      })),
      telemetry: this.usualTelemetry,
      reconnect: { policy: "constant", baseUs: 100_000, capUs: 100_000, resetAfterUs: 1_000_000 },
      ...changes,
    });
    const claims = await this.opened.claim(
      kinds.map((kind, index) => ({
        thing: group.members[index]!.name,
        select: { virtual: kind },
        path: door === undefined ? ("bridge" as const) : ("direct" as const),
        profile: kind === "micropython" ? "micropython" : "fleetrig",
      })),
    );
    for (const claim of claims) {
      if (claim.board === undefined) throw new Error(`${claim.thing}: ${claim.reason}`);
      const plan = group.members[this.ordinals]!;
      this.ordinals += 1;
      const clock = this.time.lane(LANE.firstDevice + plan.ordinal);
      const random = createRandomSource(9);
      const faults = new LinkFaults({ clock, random: (purpose) => random.stream(`${plan.name}/${purpose}`) });
      this.faults.push(faults);
      this.members.push(
        this.opened.member(claim.board, {
          plan,
          group,
          clock,
          events: { emit: (event) => this.events.push(event) },
          probe: {
            sent: (_s, thing, q) => this.sent.add(`${thing}/${q}`),
            acked: (_s, thing, q) => this.acked.add(`${thing}/${q}`),
            retransmitted: () => undefined,
            discarded: (_s, thing, q) => this.discarded.add(`${thing}/${q}`),
            received: () => undefined,
            ruleOutput: () => undefined,
          },
          run: "r1",
          seed: 1 + plan.ordinal,
          dialer: createMemoryDialer({
            acceptor: this.broker,
            clock,
            profile: group.link,
            random: random.stream(`${plan.name}/network`),
            wireBytes,
            version: 5,
            faults,
          }),
          faults,
          ...(door !== undefined && { door }),
        }),
      );
    }
  }

  start(): void {
    for (const member of this.members) member.start(this.time.nowUs());
  }

  /** A plain door to the broker. */
  async listen(): Promise<BoardDoor> {
    const server = createServer({ noDelay: true });
    const batch = new WriteBatch(atHostTurnEnd);
    server.on("connection", (stream) => {
      stream.on("error", () => stream.destroy());
      const link = new SocketLink(
        { role: "server", batch, maxPacketBytes: 262_144, linger: () => stream.destroySoon() },
        { stream, remoteAddress: "127.0.0.1" },
      );
      link.attach(this.broker.accept(link));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.endings.push(() => server.close());
    return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  }

  /** Waits until it is so. @throws when it does not come */
  async until(what: string, isSo: () => boolean, withinMs = 15_000): Promise<void> {
    const untilUs = this.time.nowUs() + withinMs * 1000;
    while (!isSo()) {
      if (this.time.nowUs() > untilUs) {
        throw new Error(`not in time: ${what}; ${JSON.stringify(this.events.slice(-10))}`);
      }
      await this.pause(5);
    }
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.time.lane(998).after(ms * 1000, resolve));
  }

  find<T extends RunEvent["type"]>(type: T): Extract<RunEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);
  }

  get lost(): string[] {
    return [...this.acked].filter((key) => !this.arrived.has(key));
  }

  /** Messages up to the last of each member that never arrived, and that no board gave up. */
  get skipped(): string[] {
    const last = new Map<string, number>();
    for (const key of this.arrived.keys()) {
      const [ordinal, sequence] = key.split("/") as [string, string];
      last.set(ordinal, Math.max(last.get(ordinal) ?? 0, Number(sequence)));
    }
    return [...last].flatMap(([ordinal, sequence]) =>
      Array.from({ length: sequence }, (_, index) => `${ordinal}/${index + 1}`).filter(
        (key) => !this.arrived.has(key) && !this.discarded.has(key),
      ),
    );
  }
}
