import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { type CertificateAndKeys, createCertificateAuthority, type IssuedCertificate } from "fleetrig/broker";
import { createRandomSource, RealTime } from "fleetrig/kernel";
import { encodePacket, type Packet, PacketDecoder } from "fleetrig/protocol";
import { createFaultProxy, type FaultProxy } from "fleetrig/sim";
import { connect, type MqttClient } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";

const random = createRandomSource(1);
const time = new RealTime();
const clock = time.lane(1);
const ca = createCertificateAuthority({ clock: time, random: random.stream("ca"), keyType: "ec-p256" });
const own: CertificateAndKeys = ca.issueServerCertificate({ names: ["localhost"] });
const board = await ca.createKeysAndCertificate();
const stranger = await ca.createKeysAndCertificate();
const pems = ({ certificatePem, keyPair }: CertificateAndKeys | IssuedCertificate) => ({
  certificatePem,
  keyPem: keyPair!.privateKeyPem,
});

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A broker that lets everybody in, and notes who came and what was published. */
class TlsBroker {
  readonly clients: (string | undefined)[] = [];
  readonly published: string[] = [];
  private readonly sockets = new Set<TLSSocket>();
  private readonly server: Server = createServer(
    { cert: pems(own).certificatePem, key: pems(own).keyPem, ca: ca.caCertificatePem, requestCert: true },
    (socket) => this.serve(socket),
  );

  async listen(): Promise<number> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    closing.push(() => {
      for (const socket of this.sockets) socket.destroy();
      return new Promise((resolve) => this.server.close(resolve));
    });
    return (this.server.address() as AddressInfo).port;
  }

  private serve(socket: TLSSocket): void {
    this.sockets.add(socket);
    socket.on("error", () => undefined);
    this.clients.push(socket.getPeerX509Certificate()?.fingerprint256);
    const decoder = new PacketDecoder({ role: "server", maxPacketBytes: 100_000 });
    const answer = (packet: Packet): void => void socket.write(encodePacket(packet, 4));
    socket.on("data", (bytes) =>
      decoder.push(bytes, (packet) => {
        if (packet.type === "connect") answer({ type: "connack", sessionPresent: false, reasonCode: 0 });
        if (packet.type !== "publish") return;
        this.published.push(Buffer.from(packet.payload).toString());
        if (packet.qos === 1) answer({ type: "puback", packetId: packet.packetId!, reasonCode: 0 });
      }),
    );
  }
}

async function startProxy(): Promise<{ proxy: FaultProxy; broker: TlsBroker }> {
  const broker = new TlsBroker();
  const to = { host: "127.0.0.1", port: await broker.listen() };
  const proxy = await createFaultProxy({
    port: 0,
    to,
    clock,
    random,
    tls: { server: pems(own), client: pems(board), caPem: ca.caCertificatePem, serverName: "localhost" },
  });
  closing.push(() => proxy.stop());
  return { proxy, broker };
}

function client({ port }: FaultProxy, as: IssuedCertificate | undefined): MqttClient {
  const made = connect({
    protocol: "mqtts",
    host: "127.0.0.1",
    port,
    servername: "localhost",
    ca: ca.caCertificatePem,
    clientId: "r-01",
    reconnectPeriod: 0,
    ...(as !== undefined && { cert: pems(as).certificatePem, key: pems(as).keyPem }),
  });
  made.on("error", () => undefined);
  closing.push(() => made.endAsync(true));
  return made;
}

const heard = (device: MqttClient, event: "connect" | "close"): Promise<void> =>
  new Promise((resolve) => device.once(event, () => resolve()));

describe("a proxy that ends TLS on both sides", () => {
  it("is the client to the broker, and carries what it sends", async () => {
    const { proxy, broker } = await startProxy();
    const device = client(proxy, board);
    await heard(device, "connect");
    await device.publishAsync("t", "one", { qos: 1 });
    expect(broker.clients).toEqual([new X509Certificate(board.certificatePem).fingerprint256]);
    expect(broker.published).toEqual(["one"]);
  });

  it("has the faults that read packets", async () => {
    const { proxy, broker } = await startProxy();
    const device = client(proxy, board);
    await heard(device, "connect");
    const fault = proxy.apply({ fault: "link.drop-publish", detail: { count: 1 } });
    device.publish("t", "dropped");
    await device.publishAsync("t", "two", { qos: 1 });
    fault.clear();
    expect(broker.published).toEqual(["two"]);
    const closed = heard(device, "close");
    proxy.apply({ fault: "link.reset", client: "r-*" });
    await closed;
  });

  it.each([
    ["another certificate", stranger],
    ["none", undefined],
  ])("lets nobody in who shows %s", async (_, as) => {
    const { proxy, broker } = await startProxy();
    const device = client(proxy, as);
    await heard(device, "close");
    expect(device.connected).toBe(false);
    expect(broker.clients).toEqual([]);
  });
});
