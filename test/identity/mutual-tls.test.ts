import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { connect as tlsConnect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { createCertificateAuthority } from "fleetrig/broker";
import { createRandomSource, RealTime } from "fleetrig/kernel";
import { encodePacket } from "fleetrig/protocol";
import { connect, connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { CloudBench } from "../cloud-server/cloud-bench.js";
import { policyText, type Statement } from "./device.js";

interface Identity {
  readonly id: string;
  readonly key: string;
  readonly cert: string;
}

async function deviceWith(bench: CloudBench, ...statements: readonly Statement[]): Promise<Identity> {
  const { identity } = bench.server.cloud;
  const device = await bench.device();
  identity.policies.create(`of-${device.id.slice(0, 8)}`, policyText(...statements));
  identity.attachPolicy(`of-${device.id.slice(0, 8)}`, device.id);
  return device;
}

function optionsOf(bench: CloudBench, { key, cert }: Identity, options: IClientOptions): IClientOptions {
  return { ca: bench.ca, key, cert, servername: "localhost", reconnectPeriod: 0, ...options };
}

async function connected(bench: CloudBench, device: Identity, options: IClientOptions): Promise<MqttClient> {
  const client = await connectAsync(
    `mqtts://127.0.0.1:${bench.port("mqtts")}`,
    optionsOf(bench, device, options),
  );
  // A connection that the cloud ends is an event here, not a failure.
  client.on("error", () => undefined);
  onTestFinished(() => client.endAsync(true));
  return client;
}

/** Resolves once the cloud has closed the connection that it did not accept. */
function refused(bench: CloudBench, device: Identity, options: IClientOptions): Promise<void> {
  const client = connect(`mqtts://127.0.0.1:${bench.port("mqtts")}`, optionsOf(bench, device, options));
  client.on("error", () => undefined);
  onTestFinished(() => client.endAsync(true));
  return new Promise((resolve, reject) => {
    client.once("close", () => resolve());
    client.once("connect", () => reject(new Error("the client was let in")));
  });
}

/** Fails when it takes longer than a second. */
const ended = (client: MqttClient): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the connection is still open")), 1000);
    client.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });

const nextTopic = (client: MqttClient): Promise<string> =>
  new Promise((resolve) => client.once("message", resolve));

describe("devices over mutual TLS", () => {
  it.each([4, 5] as const)("are held to their policies at level %d", async (protocolVersion) => {
    const bench = await CloudBench.open();
    const device = await deviceWith(
      bench,
      ["Allow", "Connect", "client/${iot:Certificate.Subject.CommonName}"],
      ["Allow", "Connect", "client/d1"],
      ["Allow", ["Publish", "Receive"], "topic/dt/*"],
      ["Allow", "Subscribe", "topicfilter/dt/*"],
    );
    const client = await connected(bench, device, { protocolVersion, clientId: "d1" });
    await connected(bench, device, { protocolVersion, clientId: "AWS IoT Certificate" });
    await refused(bench, device, { protocolVersion, clientId: "d2" });
    await client.subscribeAsync("dt/#", { qos: 1 });
    const topic = nextTopic(client);
    await client.publishAsync("dt/1", "x", { qos: 1 });
    expect(await topic).toBe("dt/1");
    const closing = protocolVersion === 4 ? ended(client) : undefined;
    const refusal = client.publishAsync("other", "x", { qos: 1 });
    if (protocolVersion === 5) await expect(refusal).rejects.toMatchObject({ code: 0x87 });
    else refusal.catch(() => undefined);
    await closing;
  });

  it.each([4, 5] as const)(
    "are cut off within a second of revocation at level %d",
    async (protocolVersion) => {
      const bench = await CloudBench.open();
      const device = await deviceWith(bench, ["Allow", "*", "*"]);
      const client = await connected(bench, device, { protocolVersion, clientId: "d1" });
      const closed = ended(client);
      bench.server.cloud.identity.certificates.update(device.id, "REVOKED");
      await closed;
      await refused(bench, device, { protocolVersion, clientId: "d1" });
    },
  );

  it("rotate their certificate without a gap", async () => {
    const bench = await CloudBench.open();
    const [old, fresh] = [
      await deviceWith(bench, ["Allow", "*", "*"]),
      await deviceWith(bench, ["Allow", "*", "*"]),
    ];
    const session = {
      protocolVersion: 5,
      clientId: "d1",
      clean: false,
      properties: { sessionExpiryInterval: 60 },
    } as const;
    const first = await connected(bench, old, session);
    await first.subscribeAsync("t", { qos: 1 });
    const second = await connected(bench, fresh, session);
    const topic = nextTopic(second);
    bench.server.cloud.identity.certificates.update(old.id, "INACTIVE");
    bench.server.cloud.broker.publish({ topic: "t", payload: "x", qos: 1 });
    expect(await topic).toBe("t");
  });

  it("of a CA that registers its devices are let in on their second try once activated", async () => {
    const bench = await CloudBench.open();
    const { identity } = bench.server.cloud;
    const time = new RealTime();
    onTestFinished(() => time.stop());
    const authority = createCertificateAuthority({
      clock: time,
      random: createRandomSource(9).stream("own"),
    });
    identity.authorities.register({
      caCertificate: authority.caCertificatePem,
      certificateMode: "SNI_ONLY",
      setAsActive: true,
      allowAutoRegistration: true,
    });
    const made = authority.issueCertificate({ subject: { CommonName: "d1" } });
    const device = { id: made.certificateId, cert: made.certificatePem, key: made.keyPair.privateKeyPem };
    const asClient = { protocolVersion: 4, clientId: "d1" } as const;
    await refused(bench, device, asClient);
    expect(identity.certificates.get(device.id).status).toBe("PENDING_ACTIVATION");
    identity.policies.create("p", policyText(["Allow", "*", "*"]));
    identity.attachPolicy("p", device.id);
    identity.certificates.update(device.id, "ACTIVE");
    await connected(bench, device, asClient);
  });
});

describe("a resumed TLS session", () => {
  async function opened(options: ConnectionOptions): Promise<TLSSocket> {
    const socket = tlsConnect(options);
    socket.on("error", () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, "secureConnect");
    return socket;
  }

  /** Type of the packet that answers a CONNECT; undefined when the connection is closed instead. */
  async function answerTo(socket: TLSSocket): Promise<number | undefined> {
    const connect = {
      type: "connect",
      protocolVersion: 4,
      clientId: "d1",
      cleanStart: true,
      keepAliveS: 60,
    } as const;
    socket.write(encodePacket(connect, 4));
    const [bytes] = (await Promise.race([once(socket, "data"), once(socket, "close")])) as [Buffer | boolean];
    return Buffer.isBuffer(bytes) ? bytes[0]! >> 4 : undefined;
  }

  it.each(["TLSv1.2", "TLSv1.3"] as const)("is no way around a revocation under %s", async (version) => {
    const bench = await CloudBench.open();
    const { key, cert, id } = await deviceWith(bench, ["Allow", "*", "*"]);
    const options = {
      host: "127.0.0.1",
      port: bench.port("mqtts"),
      servername: "localhost",
      ca: bench.ca,
      key,
      cert,
      minVersion: version,
      maxVersion: version,
    };
    const first = tlsConnect(options);
    onTestFinished(() => void first.destroy());
    const [session] = (await once(first, "session")) as [Buffer];
    // Node tells from inside OpenSSL, which cannot write in the same breath.
    await turn();
    expect(await answerTo(first)).toBe(2);
    const resumed = await opened({ ...options, session });
    expect([resumed.isSessionReused(), await answerTo(resumed)]).toEqual([true, 2]);
    bench.server.cloud.identity.certificates.update(id, "REVOKED");
    const late = await opened({ ...options, session });
    expect([late.isSessionReused(), await answerTo(late)]).toEqual([true, undefined]);
  });
});
