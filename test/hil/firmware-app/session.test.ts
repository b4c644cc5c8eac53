import { type JsonObject, VirtualTime } from "fleetrig/kernel";
import { encodePacket, type Packet, PacketDecoder } from "fleetrig/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lacksCompiler } from "../../rigs.js";
import type { BoardListener } from "../../../hil/bridge/member-board.js";
import { fromServer } from "../../protocol/packet-arbitraries.js";
import { CompiledBoard } from "./compiled-board.js";

const S = 1_000_000;
/** Mutated bytes for the client behind its tunnel. */
const FUZZED_BYTES = Number(process.env["FLEETRIG_FIRMWARE_TUNNEL_BYTES"] ?? 100_000);

/** A server at the other end of the tunnel that does what a test says. */
class ScriptedServer implements BoardListener {
  readonly time = new VirtualTime();
  readonly board = new CompiledBoard(this.time.lane(900));
  readonly packets: Packet[] = [];
  connack: JsonObject = {};
  sessionPresent = false;
  isSilent = false;
  private number = 0;
  private decoder: PacketDecoder | undefined;

  constructor(private readonly changes: JsonObject = {}) {
    this.board.listen(this);
  }

  /** Configures the board and powers it on. */
  begin(): this {
    const configuration = {
      thing: "t1",
      path: "bridge",
      model: "shadow-device",
      traceKey: "fleetrig",
      connectAtUs: 0,
      mqtt: { version: 5, keepAliveS: 60, cleanStart: false, sessionExpiryS: 3600, receiveMaximum: 16 },
      reconnect: { policy: "constant", baseUs: S, capUs: S, resetAfterUs: S },
      telemetry: [
        {
          s: 0,
          tag: "r.0.0.",
          everyUs: S,
          offsetUs: S / 2,
          topic: "t",
          qos: 1,
          retain: false,
          payload: "{seq}",
        },
      ],
      ...this.changes,
    };
    this.board.command("configure", configuration);
    this.board.command("start", { at: 0 });
    return this;
  }

  ready(): void {}
  lost(): void {}
  event(): void {}

  network({ net, n }: JsonObject): void {
    if (net !== "dial") return;
    this.number = n as number;
    this.decoder = new PacketDecoder({ role: "server", maxPacketBytes: 100_000 });
    this.board.sendNetwork({ net: "opened", n: this.number });
  }

  networkData(bytes: Uint8Array): void {
    this.decoder?.push(bytes, (packet) => this.received(packet), undefined);
  }

  drop(): void {
    this.board.sendNetwork({ net: "closed", n: this.number, reason: "reset" });
  }

  send(packet: Packet): void {
    this.board.sendNetworkData(encodePacket(packet, this.decoder!.version));
  }

  advance(seconds: number): this {
    this.time.advance(seconds * S);
    return this;
  }

  of<T extends Packet["type"]>(type: T): Extract<Packet, { type: T }>[] {
    return this.packets.filter((packet): packet is Extract<Packet, { type: T }> => packet.type === type);
  }

  /** Telemetry as `id dup`. */
  get telemetry(): readonly string[] {
    return this.of("publish")
      .filter(({ topic }) => topic === "t")
      .map(({ packetId, dup }) => `${packetId} ${dup}`);
  }

  private received(packet: Packet): void {
    this.packets.push(packet);
    const { sessionPresent } = this;
    if (packet.type === "connect")
      this.send({ type: "connack", sessionPresent, reasonCode: 0, ...this.connack });
    if (this.isSilent) return;
    if (packet.type === "subscribe")
      this.send({
        type: "suback",
        packetId: packet.packetId,
        reasonCodes: packet.subscriptions.map(() => 1),
      });
    if (packet.type === "publish" && packet.qos > 0)
      this.send({ type: "puback", packetId: packet.packetId!, reasonCode: 0 });
    if (packet.type === "pingreq") this.send({ type: "pingresp" });
  }
}

describe.skipIf(lacksCompiler)("the firmware's MQTT session", () => {
  it("has no more in flight than the server takes [MQTT-3.3.4-7]", () => {
    const server = new ScriptedServer();
    server.connack = { receiveMaximum: 3 };
    server.isSilent = true;
    server.begin().advance(8);
    expect(server.of("publish")).toHaveLength(3);
  });

  it.each([true, false])(
    "sends unacknowledged messages again with the same identifiers, as repetitions when the session is there: %s",
    (sessionPresent) => {
      const server = new ScriptedServer();
      server.isSilent = true;
      server.begin().advance(3);
      const first = server.telemetry;
      expect(first).toHaveLength(3);
      server.sessionPresent = sessionPresent;
      server.isSilent = false;
      server.drop();
      server.advance(1.2);
      const ids = first.map((each) => each.split(" ")[0]);
      expect(server.telemetry.slice(3, 6)).toEqual(ids.map((id) => `${id} ${sessionPresent}`));
      expect(server.of("connect")).toHaveLength(2);
    },
  );

  it.each([
    { sessionPresent: false, does: "subscribes again" },
    { sessionPresent: true, does: "does not subscribe again" },
  ])("$does with session present: $sessionPresent", ({ sessionPresent }) => {
    const server = new ScriptedServer();
    server.begin().advance(1);
    const before = server.of("subscribe");
    server.sessionPresent = sessionPresent;
    server.drop();
    server.advance(2);
    const filters = server.of("subscribe").flatMap(({ subscriptions }) => subscriptions);
    expect(filters.length).toBe((sessionPresent ? 1 : 2) * before.flatMap((one) => one.subscriptions).length);
  });

  it.each([
    { version: 4, repeated: 3 },
    { version: 5, repeated: 0 },
  ])(
    "repeats a PUBLISH without PUBACK on the standing connection, with MQTT version $version: $repeated times",
    (mqtt) => {
      const plan = { version: mqtt.version, keepAliveS: 60, sessionExpiryS: 3600, publishRetryUs: 4 * S };
      const server = new ScriptedServer({ mqtt: plan, model: "temperature-sensor" });
      server.connack = { receiveMaximum: 1 };
      server.isSilent = true;
      server.begin().advance(13);
      const first = server.telemetry.filter(
        (each) => each.split(" ")[0] === server.telemetry[0]!.split(" ")[0],
      );
      expect(first.map((each) => each.split(" ")[1])).toEqual([
        "false",
        ...Array.from({ length: mqtt.repeated }, () => "true"),
      ]);
      expect(server.of("connect")).toHaveLength(1);
    },
  );

  it("asks again for subscriptions that nobody answers, under the same identifier [MQTT-2.3.1-3]", () => {
    const server = new ScriptedServer({ telemetry: [] });
    server.isSilent = true;
    server.begin().advance(25);
    const subscribes = server.of("subscribe");
    expect(subscribes.length).toBe(3);
    expect(new Set(subscribes.map(({ packetId }) => packetId)).size).toBe(1);
  });

  it("is told of its will, its limits and its trace", () => {
    const server = new ScriptedServer({
      mqtt: {
        version: 5,
        keepAliveS: 33,
        cleanStart: false,
        sessionExpiryS: 7,
        receiveMaximum: 9,
        will: { topic: "gone/t1", payload: "gone", qos: 1, retain: true, delayS: 5 },
      },
    });
    server.begin().advance(1);
    expect(server.of("connect")[0]).toMatchObject({
      clientId: "t1",
      keepAliveS: 33,
      sessionExpiryS: 7,
      receiveMaximum: 9,
      maximumPacketBytes: 32_768,
      will: { topic: "gone/t1", qos: 1, retain: true, delayS: 5 },
    });
    const [message] = server.of("publish").filter(({ topic }) => topic === "t");
    expect(message?.userProperties).toEqual([["fleetrig", "r.0.0.0"]]);
  });

  it("acknowledges a message that is too long for it, and reads on behind it", () => {
    const server = new ScriptedServer({ telemetry: [] });
    server.begin().advance(1);
    const long = { type: "publish", topic: "x", qos: 1, retain: false, dup: false } as const;
    server.send({ ...long, packetId: 77, payload: Buffer.alloc(50_000, "x") });
    server.send({ ...long, packetId: 78, payload: Buffer.from("short") });
    server.advance(1);
    expect(server.of("puback").map(({ packetId }) => packetId)).toEqual([77, 78]);
    expect(server.of("connect")).toHaveLength(1);
  });

  it.each([
    [
      "QoS 2",
      {
        type: "publish",
        topic: "x",
        qos: 2,
        retain: false,
        dup: false,
        packetId: 1,
        payload: Buffer.alloc(1),
      },
      "qos-not-supported",
    ],
    ["DISCONNECT", { type: "disconnect", reasonCode: 0x8e }, "sessionTakenOver"],
  ] as const)("ends a connection on %s", (_name, packet, reason) => {
    const server = new ScriptedServer({ telemetry: [] });
    server.begin().advance(1);
    server.send(packet);
    server.advance(0.1);
    expect(server.board.events.at(-1)).toMatchObject({ ev: "connection", kind: "lost", reason });
  });

  it("tells a refusal by its name, and tries again", () => {
    const server = new ScriptedServer({ telemetry: [] });
    server.connack = { reasonCode: 0x87 };
    server.begin().advance(3.5);
    const refused = server.board.events.filter(({ kind }) => kind === "refused");
    expect(refused.length).toBeGreaterThan(1);
    expect(refused[0]).toMatchObject({ reason: "notAuthorized" });
  });

  it(`survives ${FUZZED_BYTES.toLocaleString("en")} mutated bytes behind its tunnel`, () => {
    const server = new ScriptedServer();
    server.begin().advance(1);
    let bytes = 0;
    const mutation = fc.record({ at: fc.nat(), to: fc.nat(255) });
    const step = fc.tuple(fromServer(5), fc.array(mutation, { maxLength: 4 }));
    for (const [packet, mutations] of fc.sample(step, { numRuns: FUZZED_BYTES / 40, seed: 5 })) {
      const wire = Buffer.from(encodePacket(packet, 5));
      for (const { at, to } of mutations) wire[at % wire.length] = to;
      server.board.sendNetworkData(wire);
      bytes += wire.length;
      if (server.board.events.at(-1)?.["kind"] !== "open") server.advance(2);
    }
    expect(bytes).toBeGreaterThan(FUZZED_BYTES);
    let answer: unknown;
    server.board.command("echo", { data: "alive" }, (came) => (answer = came));
    server.advance(1);
    expect(answer).toEqual({ ok: true, value: "alive" });
  });
});
