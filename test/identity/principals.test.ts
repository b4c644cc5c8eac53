import {
  type Identification,
  type Principal,
  type PrincipalSource,
  principalWithDocuments,
} from "fleetrig/broker";
import { US_PER_S } from "fleetrig/kernel";
import type { LinkPeer } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Device, policyText, startAccess } from "./device.js";

const BAD_CREDENTIALS = 0x86;
const NOT_AUTHORIZED = 0x87;
const FRIEND = principalWithDocuments("friend", [policyText(["Allow", "*", "*"])]);

/** Knows clients by their user names. */
const sourceOf = (answer: (username: string | undefined) => Identification | "none"): PrincipalSource => ({
  identify: ({ username }) => answer(username),
});

const byName = (principal: Principal): PrincipalSource =>
  sourceOf((username) => (username === principal.principalIdentifier ? { principal } : "none"));

describe("sources of principals", () => {
  it("are asked in their order before certificates and open listeners", () => {
    const world = startAccess();
    const asked: string[] = [];
    for (const name of ["first", "second"])
      world.cloud.access!.addSource(
        sourceOf((username) => {
          asked.push(name);
          return username === name ? { principal: { ...FRIEND, principalIdentifier: name } } : "none";
        }),
      );
    const principals = ["second", "first", "nobody"].map((username, n) => {
      const device = new Device(world.cloud, `d${n}`, { username });
      expect(device.connack).toBe(0);
      return world.cloud.access!.principalOf(`d${n}`)?.principalIdentifier;
    });
    expect(principals).toEqual(["second", "first", undefined]);
    expect(asked).toEqual(["first", "second", "first", "first", "second"]);
  });

  it("may take their time, and pass the question on", () => {
    const world = startAccess();
    const waiting: ((answer: Identification | "none") => void)[] = [];
    world.cloud.access!.addSource({ identify: (_, __, settle) => (waiting.push(settle), "later") });
    world.cloud.access!.addSource(byName(FRIEND));
    const [known, passed, refused] = ["friend", "friend", "eve"].map(
      (username, n) => new Device(world.cloud, `d${n}`, { username }),
    );
    expect([known, passed, refused].map((device) => device!.connack)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    waiting[0]!({ principal: { ...FRIEND, principalIdentifier: "early" } });
    waiting[1]!("none");
    waiting[2]!({ refuse: BAD_CREDENTIALS, explanation: "The token is wrong.", principalIdentifier: "eve" });
    expect([known, passed, refused].map((device) => device!.connack)).toEqual([0, 0, BAD_CREDENTIALS]);
    expect(world.cloud.access!.principalOf("d0")?.principalIdentifier).toBe("early");
    expect(world.cloud.access!.denials.list()).toMatchObject([
      { clientId: "d2", principal: "eve", reason: "The token is wrong.", outcome: "credentials" },
    ]);
  });

  it("that refuse are final: no open listener lets the client in", () => {
    const world = startAccess();
    world.cloud.access!.addSource(sourceOf(() => ({ refuse: NOT_AUTHORIZED, explanation: "No." })));
    expect(new Device(world.cloud, "d1").connack).toBe(NOT_AUTHORIZED);
  });
});

describe("principals of sources", () => {
  it("need iot:Connect, and are held to their documents", () => {
    const world = startAccess();
    const text = policyText(["Allow", "Connect", "client/d1"], ["Allow", "Publish", "topic/${iot:ClientId}"]);
    world.cloud.access!.addSource(byName(principalWithDocuments("own", [text])));
    const device = new Device(world.cloud, "d1", { username: "own" });
    expect([device.connack, device.publish("d1"), device.publish("d2")]).toEqual([0, 0, NOT_AUTHORIZED]);
    expect(new Device(world.cloud, "d2", { username: "own" }).connack).toBe(NOT_AUTHORIZED);
  });

  it("with a document that cannot be read do not come in", () => {
    const world = startAccess();
    world.cloud.access!.addSource(byName(principalWithDocuments("own", ["{"])));
    expect(new Device(world.cloud, "d1", { username: "own" }).connack).toBe(NOT_AUTHORIZED);
    expect(world.cloud.access!.denials.list()[0]!.reason).toContain("cannot be used");
  });

  it("are limited by their boundary as well", () => {
    const world = startAccess();
    const inner = principalWithDocuments("b", [
      policyText(["Allow", ["Connect", "Publish"], ["client/*", "topic/a"]]),
    ]);
    const boundary = () => inner.policies(undefined);
    world.cloud.access!.addSource(byName({ ...FRIEND, principalIdentifier: "own", boundary }));
    const device = new Device(world.cloud, "d1", { username: "own" });
    expect([device.publish("a"), device.publish("b")]).toEqual([0, NOT_AUTHORIZED]);
  });

  it("are asked again when they say that they have changed", () => {
    const world = startAccess();
    let document = policyText(["Allow", "*", "*"]);
    let refusal: string | undefined;
    const principal: Principal = {
      principalIdentifier: "own",
      target: undefined,
      policies: () => principalWithDocuments("own", [document]).policies(undefined),
      refusal: () => refusal,
    };
    world.cloud.access!.addSource(byName(principal));
    const device = new Device(world.cloud, "d1", { username: "own" });
    expect(device.publish("a")).toBe(0);
    document = policyText(["Allow", "Connect", "*"]);
    expect(device.publish("b")).toBe(0);
    world.cloud.access!.principalChanged("own");
    expect(device.publish("a")).toBe(NOT_AUTHORIZED);
    refusal = "It was taken back.";
    world.cloud.access!.principalChanged("own");
    world.time.advance(1);
    expect(device.isOpen).toBe(false);
  });

  it("end when they expire, and not after a take-over", () => {
    const world = startAccess();
    const own = (atS: number) => ({
      ...FRIEND,
      principalIdentifier: `until-${atS}`,
      expiresAtUs: atS * US_PER_S,
    });
    for (const atS of [300, 900]) world.cloud.access!.addSource(byName(own(atS)));
    const [first, second] = [
      new Device(world.cloud, "d1", { username: "until-300", keepAliveS: 1200 }),
      new Device(world.cloud, "d2", { username: "until-300", keepAliveS: 1200 }),
    ];
    const third = new Device(world.cloud, "d2", { username: "until-900", keepAliveS: 1200 });
    world.time.advance(299 * US_PER_S);
    expect([first.isOpen, second.isOpen, third.isOpen]).toEqual([true, false, true]);
    world.time.advance(2 * US_PER_S);
    expect([first.isOpen, third.isOpen]).toEqual([false, true]);
    const reasons = world.events.flatMap((event) =>
      event.type === "broker.disconnected" ? [event.reason] : [],
    );
    expect(reasons).toEqual(["DUPLICATE_CLIENTID", "CUSTOMAUTH_TTL_EXPIRATION"]);
  });

  it("may be whoever signed the request of a WebSocket", () => {
    const world = startAccess();
    const arn = "arn:aws:iam::000000000000:user/u";
    const peer: LinkPeer = { transport: "wss", credentials: { accessKeyId: "AKIA", arn } };
    const device = new Device(world.cloud, "d1", { peer });
    expect([device.connack, device.publish("a")]).toEqual([0, 0]);
    expect(world.cloud.access!.principalOf("d1")?.principalIdentifier).toBe(arn);
  });
});

describe("open listeners", () => {
  const tcp = (localPort: number, extras: Partial<LinkPeer> = {}): LinkPeer => ({
    transport: "tcp",
    localPort,
    ...extras,
  });
  const NEAR = "127.0.0.1:5";
  const FAR = "10.0.0.1:5";

  it.each([
    { open: "loopback", peer: undefined, from: NEAR, isLetIn: true },
    { open: "loopback", peer: tcp(1883), from: NEAR, isLetIn: true },
    { open: "loopback", peer: tcp(1883), from: "[::ffff:127.0.0.1]:5", isLetIn: true },
    { open: "loopback", peer: tcp(1883), from: "[::1]:5", isLetIn: true },
    { open: "loopback", peer: tcp(1883), from: FAR, isLetIn: false },
    { open: "loopback", peer: tcp(1883), from: "127.0.0.1.example.org:5", isLetIn: false },
    { open: "loopback", peer: tcp(1883, { proxiedFrom: FAR }), from: NEAR, isLetIn: false },
    { open: "loopback", peer: { transport: "unix" }, from: "/run/s", isLetIn: true },
    { open: "loopback", peer: { transport: "tls" }, from: NEAR, isLetIn: false },
    { open: "all", peer: tcp(1883), from: FAR, isLetIn: true },
    { open: "all", peer: { transport: "wss" }, from: FAR, isLetIn: false },
    { open: [1884], peer: tcp(1884), from: FAR, isLetIn: true },
    { open: [1884], peer: tcp(1883), from: NEAR, isLetIn: false },
    { open: "none", peer: undefined, from: NEAR, isLetIn: false },
  ] as const)("$open: $peer from $from: $isLetIn", ({ open, peer, from, isLetIn }) => {
    const world = startAccess({ openListeners: open });
    const device = new Device(world.cloud, "d1", {
      remoteAddress: from,
      ...(peer !== undefined && { peer }),
    });
    expect(device.connack).toBe(isLetIn ? 0 : NOT_AUTHORIZED);
    expect(device.publish("t")).toBe(isLetIn ? 0 : undefined);
  });

  it("do not make a client free that takes over the id of one", async () => {
    const world = startAccess();
    const certificate = await world.certificate(["Allow", "Connect", "*"]);
    expect(new Device(world.cloud, "d1").publish("t")).toBe(0);
    expect(world.device("d1", certificate).publish("t")).toBe(NOT_AUTHORIZED);
    expect(new Device(world.cloud, "d1").publish("t")).toBe(0);
  });
});

describe("denials", () => {
  it("are kept, the latest first, as many as are wanted; all are events", async () => {
    const world = startAccess({ keptDenials: 3 });
    const device = world.device("d1", await world.certificate(["Allow", "Connect", "*"]));
    for (let n = 0; n < 5; n += 1) device.publish(`t/${n}`);
    const { denials } = world.cloud.access!;
    expect(denials.list().map(({ resource }) => resource.slice(-3))).toEqual(["t/4", "t/3", "t/2"]);
    expect(denials.count).toBe(5);
    expect(world.events.filter(({ type }) => type === "access.denied")).toHaveLength(5);
  });
});
