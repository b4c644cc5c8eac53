import { createSign, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { US_PER_S } from "fleetrig/kernel";
import type { LinkPeer } from "fleetrig/protocol";
import type { AccessSettings, HookFunction } from "fleetrig/broker";
import {
  Device,
  type DeviceExtras,
  peerWith,
  policyText,
  type Statement,
  startAccess,
} from "../identity/device.js";

const NOT_AUTHORIZED = 0x87;
const FUNCTION = { authorizerFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:auth" };
const UNSIGNED = { ...FUNCTION, signingDisabled: true };
const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
const SIGNED = {
  ...FUNCTION,
  tokenKeyName: "token",
  tokenSigningPublicKeys: { k1: keys.publicKey.export({ type: "spki", format: "pem" }).toString() },
};
const signatureOf = (token: string): string =>
  createSign("sha256").update(token).sign(keys.privateKey, "base64");

const ALL: Statement = ["Allow", "*", "*"];
const answerWith = (statements: readonly Statement[], extras: object = {}) => ({
  isAuthenticated: true,
  principalId: "device1",
  policyDocuments: [policyText(...statements)],
  disconnectAfterInSeconds: 3_600,
  refreshAfterInSeconds: 300,
  ...extras,
});

/** The peer of a client on port 443 that means custom authentication. */
const ALPN: LinkPeer = { transport: "tls", localPort: 443, serverName: "iot.example", alpn: "mqtt" };
const upgraded = (target: string, headers: Readonly<Record<string, string>> = {}): LinkPeer => ({
  transport: "wss",
  localPort: 443,
  upgrade: { target, headers: new Map(Object.entries(headers)) },
});

interface Bench extends ReturnType<typeof startAccess> {
  readonly seen: unknown[];
  /** What the function does from now on. */
  answers: unknown;
  client(clientId: string, extras?: DeviceExtras): Device;
}

/** A cloud with the authorizer `A`, which is nobody's default. */
async function benchWith(
  authorizer: object = UNSIGNED,
  settings: Partial<AccessSettings> = { openListeners: "none" },
): Promise<Bench> {
  const seen: unknown[] = [];
  const auth: HookFunction = (event) => {
    seen.push(event);
    return typeof bench.answers === "function" ? (bench.answers as () => unknown)() : bench.answers;
  };
  const world = startAccess(settings, { hooks: { auth } });
  await world.ok("POST", "/authorizer/A", authorizer);
  const bench: Bench = {
    ...world,
    seen,
    answers: answerWith([ALL]),
    client: (clientId, extras = {}) => new Device(world.cloud, clientId, { keepAliveS: 0, ...extras }),
  };
  return bench;
}

const NAMED = { username: "u?x-amz-customauthorizer-name=A" } as const;
const advanceS = ({ time }: Bench, seconds: number): void => time.advance(seconds * US_PER_S);

describe("custom authorizers on MQTT connections (B8)", () => {
  it("are asked with what came in CONNECT", async () => {
    const bench = await benchWith();
    const device = bench.client("c1", { ...NAMED, password: Buffer.from("pw"), peer: ALPN });
    expect(device.connack).toBe(0);
    expect(bench.seen).toEqual([
      {
        signatureVerified: false,
        protocols: ["tls", "mqtt"],
        protocolData: {
          tls: { serverName: "iot.example" },
          mqtt: { username: NAMED.username, password: "cHc=", clientId: "c1" },
        },
        connectionMetadata: { id: expect.any(String) },
      },
    ]);
    expect(bench.cloud.access!.principalOf("c1")?.principalIdentifier).toBe("device1");
  });

  it("say what the client may do", async () => {
    const bench = await benchWith();
    bench.answers = answerWith([
      ["Allow", "Connect", "client/c1"],
      ["Allow", "Publish", "topic/a"],
    ]);
    const device = bench.client("c1", NAMED);
    expect([device.publish("a"), device.isOpen]).toEqual([0, true]);
    expect(device.publish("b")).toBe(NOT_AUTHORIZED);
    expect(bench.client("c2", NAMED).connack).toBe(NOT_AUTHORIZED);
  });

  it.each<[what: string, answer: unknown]>([
    ["says no", { isAuthenticated: false }],
    ["throws", () => JSON.parse("{") as unknown],
    ["answers nonsense", { isAuthenticated: true }],
    ["gives no policy", answerWith([], { policyDocuments: [] })],
  ])("let nobody in when the function %s", async (_, answer) => {
    const bench = await benchWith();
    bench.answers = answer;
    expect(bench.client("c1", NAMED).connack).toBe(NOT_AUTHORIZED);
  });

  it("may take their time, up to five seconds", async () => {
    const bench = await benchWith();
    let settle: (answer: unknown) => void = () => undefined;
    bench.answers = () => new Promise((resolve) => (settle = resolve));
    const device = bench.client("c1", NAMED);
    expect([device.connack, device.isOpen]).toEqual([undefined, true]);
    settle(answerWith([ALL]));
    await Promise.resolve();
    expect(device.connack).toBe(0);
    const late = bench.client("c2", NAMED);
    advanceS(bench, 5);
    expect(late.connack).toBe(NOT_AUTHORIZED);
    settle(answerWith([ALL]));
    await Promise.resolve();
    expect(late.isOpen).toBe(false);
  });

  it("are nobody's where the client has a certificate, a signature or a port of its own", async () => {
    const bench = await benchWith(UNSIGNED, { openListeners: "loopback" });
    await bench.ok("POST", "/default-authorizer", { authorizerName: "A" });
    const certificate = await bench.certificate(ALL);
    expect(bench.client("c1", { ...NAMED, peer: peerWith(certificate.certificatePem) }).connack).toBe(0);
    expect(bench.client("c2", { username: "plain" }).connack).toBe(0);
    expect(bench.seen).toEqual([]);
  });

  it.each<[what: string, extras: DeviceExtras]>([
    ["the application protocol mqtt", { peer: ALPN }],
    ["an unsigned WebSocket", { peer: upgraded("/mqtt") }],
  ])("have a default for clients with %s", async (_, extras) => {
    const bench = await benchWith();
    expect(bench.client("c1", extras).connack).toBe(NOT_AUTHORIZED);
    await bench.ok("POST", "/default-authorizer", { authorizerName: "A" });
    expect(bench.client("c1", extras).connack).toBe(0);
  });

  it("have a default per domain, which may be the only one that counts there", async () => {
    const bench = await benchWith();
    const domain = { domainName: "iot.example", serverCertificateArns: [], serviceType: "DATA" };
    const authorizerConfig = { defaultAuthorizerName: "A", allowAuthorizerOverride: false };
    await bench.ok("POST", "/domainConfigurations/d1", { ...domain, authorizerConfig });
    expect(bench.client("c1", { peer: ALPN }).connack).toBe(0);
    const unknown = "?x-amz-customauthorizer-name=B";
    expect(bench.client("c2", { peer: ALPN, username: unknown }).connack).toBe(0);
    const elsewhere = { ...ALPN, serverName: "other.example" };
    expect(bench.client("c3", { peer: elsewhere }).connack).toBe(NOT_AUTHORIZED);
  });

  it("are not asked while they are inactive, or unknown", async () => {
    const bench = await benchWith();
    expect(bench.client("c1", { username: "?x-amz-customauthorizer-name=B" }).connack).toBe(NOT_AUTHORIZED);
    await bench.ok("PUT", "/authorizer/A", { status: "INACTIVE" });
    expect(bench.client("c1", NAMED).connack).toBe(NOT_AUTHORIZED);
    expect(bench.seen).toEqual([]);
  });
});

describe("signed tokens", () => {
  const query = (token: string, signature: string): string =>
    `x-amz-customauthorizer-name=A&token=${token}&x-amz-customauthorizer-signature=${signature}`;
  const good = signatureOf("t1");
  const encoded = encodeURIComponent(good);

  it.each<[where: string, extras: DeviceExtras]>([
    ["the user name", { username: `u?${query("t1", encoded)}` }],
    ["the user name, not encoded", { username: `?${query("t1", good)}` }],
    ["the query of a WebSocket", { peer: upgraded(`/mqtt?${query("t1", encoded)}`) }],
    [
      "headers of a WebSocket",
      {
        peer: upgraded("/mqtt", {
          token: "t1",
          "x-amz-customauthorizer-name": "A",
          "x-amz-customauthorizer-signature": good,
        }),
      },
    ],
  ])("are taken from %s", async (_, extras) => {
    const bench = await benchWith(SIGNED);
    expect(bench.client("c1", extras).connack).toBe(0);
    expect(bench.seen).toMatchObject([{ token: "t1", signatureVerified: true }]);
  });

  it.each([
    ["no token", "x-amz-customauthorizer-name=A"],
    ["no signature", "x-amz-customauthorizer-name=A&token=t1"],
    ["another signature", query("t2", encoded)],
    ["a broken signature", query("t1", "%%%")],
  ])("keep the function from being asked with %s", async (_, text) => {
    const bench = await benchWith(SIGNED);
    expect(bench.client("c1", { username: `u?${text}` }).connack).toBe(NOT_AUTHORIZED);
    expect(bench.seen).toEqual([]);
    expect(bench.cloud.access!.denials.list()).toMatchObject([{ outcome: "credentials", clientId: "c1" }]);
  });
});

describe("lifetimes of custom authorization", () => {
  it("end the connection after disconnectAfterInSeconds, whatever refreshes say", async () => {
    const bench = await benchWith();
    bench.answers = answerWith([ALL], { disconnectAfterInSeconds: 900 });
    const device = bench.client("c1", NAMED);
    bench.answers = answerWith([ALL], { disconnectAfterInSeconds: 86_400 });
    advanceS(bench, 899);
    expect([device.isOpen, bench.seen.length]).toEqual([true, 3]);
    advanceS(bench, 1);
    expect([device.isOpen, device.goodbye]).toEqual([false, NOT_AUTHORIZED]);
    advanceS(bench, 3_600);
    expect(bench.seen).toHaveLength(3);
  });

  it("tell the world that the time is up", async () => {
    const bench = await benchWith();
    const watcher = new Device(bench.cloud, "watcher", { peer: ALPN, ...NAMED, keepAliveS: 0 });
    watcher.subscribe("$aws/events/presence/disconnected/c1");
    bench.answers = answerWith([ALL], { disconnectAfterInSeconds: 300 });
    bench.client("c1", NAMED);
    bench.answers = answerWith([ALL]);
    advanceS(bench, 300);
    const event = watcher.packets.find((packet) => packet.type === "publish");
    expect(JSON.parse(Buffer.from(event!.payload).toString())).toMatchObject({
      disconnectReason: "CUSTOMAUTH_TTL_EXPIRATION",
      principalIdentifier: "device1",
    });
  });

  it("bring new policies after refreshAfterInSeconds, without a new CONNECT", async () => {
    const bench = await benchWith();
    bench.answers = answerWith([["Allow", "*", ["client/c1", "topic/a"]]]);
    const device = bench.client("c1", { ...NAMED, password: Buffer.from("pw") });
    bench.answers = answerWith([["Allow", "*", ["client/c1", "topic/b"]]], { refreshAfterInSeconds: 600 });
    expect(device.publish("a")).toBe(0);
    advanceS(bench, 300);
    expect(bench.seen).toHaveLength(2);
    expect(bench.seen[1]).toMatchObject({
      protocolData: { mqtt: { username: NAMED.username, password: "cHc=" } },
    });
    expect(device.publish("b")).toBe(0);
    expect(device.publish("a")).toBe(NOT_AUTHORIZED);
    advanceS(bench, 599);
    expect(bench.seen).toHaveLength(2);
  });

  it.each<[what: string, answer: unknown, isOpen: boolean]>([
    ["ends when the function says no", { isAuthenticated: false }, false],
    ["ends when the function answers nonsense", "nonsense", false],
    ["goes on when the function is out of order", () => JSON.parse("{") as unknown, true],
  ])("%s", async (_, answer, isOpen) => {
    const bench = await benchWith();
    const device = bench.client("c1", NAMED);
    bench.answers = answer;
    advanceS(bench, 301);
    expect(device.isOpen).toBe(isOpen);
  });

  it("end when the authorizer is switched off", async () => {
    const bench = await benchWith();
    const device = bench.client("c1", NAMED);
    await bench.ok("PUT", "/authorizer/A", { status: "INACTIVE" });
    advanceS(bench, 301);
    expect(device.isOpen).toBe(false);
  });

  it("belong to the connection, not to the client id", async () => {
    const bench = await benchWith();
    bench.client("c1", NAMED);
    bench.client("c1", NAMED);
    expect(bench.seen).toHaveLength(2);
    advanceS(bench, 300);
    expect(bench.seen).toHaveLength(3);
  });
});
