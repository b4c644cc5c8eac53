import { type Listener, openListener } from "fleetrig/broker";
import { VirtualTime } from "fleetrig/kernel";
import type { Packet, PacketLink } from "fleetrig/protocol";
import { connectAsync, type MqttClient } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { RecordingAcceptor } from "./recording-acceptor.js";

/** Just enough of a broker to keep a client busy: acknowledges everything and echoes every PUBLISH. */
function echo(packet: Packet, link: PacketLink): void {
  switch (packet.type) {
    case "connect":
      return link.send({ type: "connack", sessionPresent: false, reasonCode: 0 });
    case "subscribe":
      return link.send({ type: "suback", packetId: packet.packetId, reasonCodes: [1] });
    case "unsubscribe":
      return link.send({ type: "unsuback", packetId: packet.packetId, reasonCodes: [0] });
    case "publish":
      link.send({ type: "puback", packetId: packet.packetId ?? 0, reasonCode: 0 });
      return link.send({ ...packet, packetId: 77 });
    default:
  }
}

let listener: Listener | undefined;
let client: MqttClient | undefined;

afterEach(async () => {
  client?.end(true);
  await listener?.stop();
});

describe.each([4, 5] as const)("openListener with the mqtt client, version %i", (protocolVersion) => {
  it("understands the client and is understood by it", async () => {
    const acceptor = new RecordingAcceptor(echo);
    listener = await openListener(
      { port: 0 },
      {
        acceptor,
        maxPacketBytes: 100_000,
        connectDeadlineMs: 10_000,
        clock: new VirtualTime().lane(1),
      },
    );
    client = await connectAsync(`mqtt://127.0.0.1:${listener.port}`, { protocolVersion, reconnectPeriod: 0 });
    const echoed = new Promise<string>((resolve) => {
      client?.on("message", (topic, payload) => resolve(`${topic} ${payload.toString()}`));
    });
    await client.subscribeAsync("dt/#", { qos: 1 });
    await client.publishAsync("dt/ä", "hello", { qos: 1 });
    expect(await echoed).toBe("dt/ä hello");
    await client.unsubscribeAsync("dt/#");
    await client.endAsync();
    const recorder = await acceptor.untilAccepted();
    expect(await recorder.untilClosed()).toEqual(["closed"]);
    expect(recorder.packets.map((packet) => packet.type)).toEqual([
      "connect",
      "subscribe",
      "publish",
      "puback",
      "unsubscribe",
      "disconnect",
    ]);
  });
});
