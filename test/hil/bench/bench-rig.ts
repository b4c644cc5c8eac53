import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, type BoardDoor, createHostBench, type VirtualBoardKind } from "fleetrig/hil";
import { atHostTurnEnd, createRandomSource, RealTime } from "fleetrig/kernel";
import { SocketLink, WriteBatch } from "fleetrig/protocol";
import type { FleetMember, GroupPlan } from "fleetrig/sim";
import { FIRMWARE_BUILDS } from "../../rigs.js";
import { sensors } from "../bridge/member-rig.js";
import { BoardFleet } from "../fixtures/board-fleet.js";

/** A bench of this machine with virtual boards, in real time, and the embedded broker. */
export class BenchRig extends BoardFleet<RealTime> {
  readonly members: FleetMember[] = [];
  private ordinals = 0;
  private readonly endings: (() => void)[] = [];

  private constructor(readonly failures: unknown[] = []) {
    super(new RealTime((error) => failures.push(error)));
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
      this.members.push(this.seat({ bench: this.opened, board: claim.board, group, plan, door }));
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
}
