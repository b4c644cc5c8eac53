import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createSecureContext, type ConnectionOptions, type TLSSocket } from "node:tls";
import {
  type CertificateNotice,
  type Listener,
  type ListenerOptions,
  openListener,
  type Rejection,
} from "fleetrig/broker";
import { VirtualTime } from "fleetrig/kernel";
import { connectAsync } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { makeAuthority } from "./certificates.js";
import { RecordingAcceptor } from "./recording-acceptor.js";

const authority = makeAuthority("Fleet CA");
const stranger = makeAuthority("Other CA");
const server = authority.issue({ commonName: "broker", names: ["127.0.0.1", "localhost", "a.example.org"] });
const other = authority.issue({ commonName: "other", names: ["b.example.org"] });
const device = authority.issue({ commonName: "thing-7" });

const CONNECT = Buffer.from("100d00044d5154540402003c000161", "hex");

let listener: Listener | undefined;
let folder: string | undefined;
const open: TLSSocket[] = [];
const rejections: Rejection[] = [];
const notices: CertificateNotice[] = [];
const time = new VirtualTime();

async function listen(tls: Partial<NonNullable<ListenerOptions["tls"]>> = {}, more: ListenerOptions = {}) {
  const acceptor = new RecordingAcceptor();
  listener = await openListener(
    { tls: { ...server, ...tls }, ...more },
    {
      acceptor,
      maxPacketBytes: 1_000,
      connectDeadlineMs: 30_000,
      clock: time.lane(1),
      observer: {
        rejected: (rejection) => rejections.push(rejection),
        certificates: (notice) => notices.push(notice),
      },
    },
  );
  return acceptor;
}

/** A client that is connected, or the error that it got instead. */
async function dial(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port: listener!.port, host: "127.0.0.1", ca: authority.cert, ...options });
  open.push(socket);
  socket.on("error", () => undefined);
  await once(socket, "secureConnect");
  return socket;
}

/** What the server answers to CONNECT, or why it does not. */
async function connack(socket: TLSSocket): Promise<string> {
  socket.write(CONNECT);
  return new Promise((resolve) => {
    socket.once("data", (bytes) => resolve(bytes.toString("hex")));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    socket.once("close", () => resolve("closed"));
  });
}

/** Runs the first connection of a client to the point where it could resume. */
async function firstSession(own: ConnectionOptions): Promise<Buffer> {
  const first = await dial(own);
  let ticket: Buffer | undefined;
  // TLS 1.3 sends tickets after the handshake, TLS 1.2 inside it.
  first.on("session", (session: Buffer) => {
    ticket = session;
  });
  expect(await connack(first)).toBe("20020000");
  if (first.getProtocol() === "TLSv1.2") ticket = first.getSession();
  await expect.poll(() => ticket).toBeDefined();
  first.destroy();
  return ticket!;
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once("close", () => resolve());
  });

afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  await listener?.stop();
  listener = undefined;
  rejections.length = 0;
  notices.length = 0;
  if (folder !== undefined) await rm(folder, { recursive: true });
  folder = undefined;
});

const fingerprint = (pem: string) =>
  new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();

describe("TLS listener", () => {
  it("serves an ordinary client and names itself mqtts", async () => {
    await listen();
    expect(listener!.endpoint.url).toBe(`mqtts://127.0.0.1:${listener!.port}`);
    const client = await connectAsync(listener!.endpoint.url, { ca: authority.cert, reconnectPeriod: 0 });
    await client.endAsync();
  });

  it("refuses everything below TLS 1.2, and speaks 1.2 and 1.3", async () => {
    await listen();
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    await expect(dial(old)).rejects.toMatchObject({ code: /SSL/ });
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const socket = await dial({ minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
      expect(await connack(socket)).toBe("20020000");
    }
    await expect.poll(() => listener!.counts().dropped.handshake).toBe(1);
  });

  it.each([
    ["TLSv1.2", "localhost"],
    ["TLSv1.3", "localhost"],
    ["TLSv1.2", "b.example.org"],
    ["TLSv1.3", "b.example.org"],
  ] as const)(
    "knows a client by its certificate, also when the session is resumed (%s, %s)",
    async (version, servername) => {
      const certificates = [{ serverNames: ["b.example.org"], ...other }];
      const acceptor = await listen({ ca: authority.cert, clientCertificates: "require", certificates });
      const own = { ...device, minVersion: version, maxVersion: version, servername };
      const session = await firstSession(own);
      const second = await dial({ ...own, session });
      expect(await connack(second)).toBe("20020000");
      expect(second.isSessionReused()).toBe(true);
      const peers = acceptor.recorders.map(({ link }) => link.peer);
      expect(peers.map((peer) => peer?.isResumed)).toEqual([false, true]);
      for (const peer of peers)
        expect(peer).toMatchObject({
          transport: "tls",
          localPort: listener!.port,
          isVerified: true,
          certificate: {
            commonName: "thing-7",
            fingerprint256: fingerprint(device.cert),
            issuer: "CN=Fleet CA",
            subject: "CN=thing-7",
          },
        });
      // OpenSSL does not tell the name of a resumed TLS 1.2 session.
      const resumedName = version === "TLSv1.3" ? servername : undefined;
      expect(peers.map((peer) => peer?.serverName)).toEqual([servername, resumedName]);
      expect(peers[1]!.certificate!.validToMs).toBeGreaterThan(Date.now());
      expect(Buffer.from(peers[1]!.certificate!.raw).equals(new X509Certificate(device.cert).raw)).toBe(true);
    },
  );

  it.each([
    ["no certificate", {}],
    ["a certificate of another authority", stranger.issue({ commonName: "thing-7" })],
    ["an expired certificate", authority.issue({ commonName: "thing-7", days: -1 })],
  ])("turns away %s where certificates are required", async (_, own) => {
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const acceptor = await listen({ ca: authority.cert, clientCertificates: "require" });
      const outcome = await dial({ ...own, minVersion: version, maxVersion: version })
        .then(connack)
        .catch((error: NodeJS.ErrnoException) => error.code ?? "");
      expect(outcome).toMatch(/SSL|closed|ECONNRESET/);
      await expect.poll(() => rejections.map(({ reason }) => reason)).toEqual(["handshake"]);
      expect(acceptor.recorders).toEqual([]);
      rejections.length = 0;
      await listener!.stop();
    }
  });

  it("lets strangers in where certificates are only requested, and says that they are unverified", async () => {
    const acceptor = await listen({ ca: authority.cert, clientCertificates: "request" });
    await connack(await dial(stranger.issue({ commonName: "thing-8" })));
    await connack(await dial());
    expect(acceptor.recorders[0]!.link.peer).toMatchObject({
      isVerified: false,
      certificate: { commonName: "thing-8" },
    });
    expect(acceptor.recorders[1]!.link.peer?.certificate).toBeUndefined();
  });

  it("chooses the certificate by server name: hook, exact name, wildcard, default", async () => {
    const third = authority.issue({ commonName: "third" });
    await listen({
      certificates: [
        { serverNames: ["b.example.org"], ...other },
        { serverNames: ["*.wild.org"], ...third },
      ],
      secureContextFor: (name) => (name === "hook.org" ? createSecureContext(third) : undefined),
    });
    const subjects = [];
    for (const servername of ["a.example.org", "B.example.org", "x.wild.org", "x.y.wild.org", "hook.org"]) {
      const socket = await dial({ servername, checkServerIdentity: () => undefined });
      subjects.push(socket.getPeerCertificate().subject.CN);
    }
    expect(subjects).toEqual(["broker", "other", "third", "broker", "third"]);
  });

  it("agrees on an application protocol, and refuses when there is none in common (RFC 7301)", async () => {
    const acceptor = await listen();
    const aws = await dial({ ALPNProtocols: ["x-amzn-mqtt-ca"] });
    expect(aws.alpnProtocol).toBe("x-amzn-mqtt-ca");
    await connack(aws);
    expect(acceptor.recorders[0]!.link.peer?.alpn).toBe("x-amzn-mqtt-ca");
    await expect(dial({ ALPNProtocols: ["h2"] })).rejects.toMatchObject({ code: /ALPN|ALERT/ });
    await listener!.stop();
    const offers: unknown[] = [];
    await listen({
      alpnFor: (offer) => {
        offers.push(offer);
        return offer.protocols[1];
      },
    });
    const chosen = await dial({ ALPNProtocols: ["x", "y"], servername: "localhost" });
    expect(chosen.alpnProtocol).toBe("y");
    expect(offers).toEqual([{ serverName: "localhost", protocols: ["x", "y"] }]);
  });

  it.each([
    ["a key that belongs to another certificate", { key: authority.key }],
    ["a certificate that is none", { cert: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" }],
    ["a file that is missing", { cert: "/nowhere/cert.pem" }],
    [
      "an authority file without a certificate",
      { ca: Buffer.from(""), clientCertificates: "require" as const },
    ],
    ["no authority for clients' certificates", { clientCertificates: "require" as const }],
    ["a revocation list that is none", { ca: authority.cert, crl: "-----BEGIN nothing" }],
  ])("does not open with %s", async (_, tls) => {
    await expect(listen(tls)).rejects.toMatchObject({ code: "LISTENER_CERTIFICATE_INVALID" });
  });

  it("closes a handshake that does not end in time, with half a packet or none", async () => {
    await listen({ handshakeDeadlineS: 3 });
    const socket = connectTcp({ port: listener!.port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write(Buffer.from("160301", "hex"));
    await expect.poll(() => listener!.connections()).toBe(1);
    time.advance(3_000_000);
    await closed(socket);
    expect(rejections).toMatchObject([{ reason: "deadline" }]);
    await expect.poll(() => listener!.connections()).toBe(0);
  });

  it("lets handshakes wait for their turn beyond the cap, and serves all of them", async () => {
    const acceptor = await listen({ maxHandshakes: 2 });
    const all = await Promise.all(Array.from({ length: 40 }, () => dial()));
    expect(await Promise.all(all.map(connack))).toEqual(Array(40).fill("20020000"));
    expect(acceptor.recorders).toHaveLength(40);
  });

  it("counts what is no TLS at all as a failed handshake", async () => {
    await listen();
    const socket = connectTcp({ port: listener!.port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    socket.write(CONNECT);
    await closed(socket);
    expect(rejections).toMatchObject([{ reason: "handshake", detail: expect.stringContaining("SSL") }]);
  });
});

describe("TLS listener, reload", () => {
  const subject = async () =>
    (await dial({ checkServerIdentity: () => undefined })).getPeerCertificate().subject.CN;

  async function files() {
    folder = await mkdtemp(join(tmpdir(), "fleetrig-tls-"));
    const paths = { key: join(folder, "key.pem"), cert: join(folder, "cert.pem") };
    await writeFile(paths.key, server.key);
    await writeFile(paths.cert, server.cert);
    return paths;
  }

  it("serves the new certificate to new connections and keeps the live ones", async () => {
    const paths = await files();
    await listen(paths);
    const live = await dial();
    await connack(live);
    await writeFile(paths.cert, other.cert);
    await listener!.reload();
    expect(await subject()).toBe("other");
    live.write(Buffer.from("c000", "hex"));
    expect((await once(live, "data")).toString()).toBe(Buffer.from("d000", "hex").toString());
  });

  it("keeps the old one when the new one cannot be used, and says so", async () => {
    const paths = await files();
    await listen(paths);
    await writeFile(paths.cert, server.cert.slice(0, 200));
    await expect(listener!.reload()).rejects.toMatchObject({ code: "LISTENER_CERTIFICATE_INVALID" });
    expect(await subject()).toBe("broker");
  });

  it("notices changed files when asked to watch them, good ones and bad ones", async () => {
    const paths = await files();
    await listen({ ...paths, watchS: 5 });
    await writeFile(paths.cert, "broken");
    time.advance(5_000_000);
    await expect
      .poll(() => notices)
      .toMatchObject([{ outcome: "kept", error: { code: "LISTENER_CERTIFICATE_INVALID" } }]);
    await writeFile(paths.cert, other.cert);
    time.advance(5_000_000);
    await expect.poll(() => notices[1]).toEqual({ outcome: "reloaded" });
    expect(await subject()).toBe("other");
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "resumes across a reload of the same authorities, and not across one of others (%s)",
    async (version) => {
      folder = await mkdtemp(join(tmpdir(), "fleetrig-tls-"));
      const ca = join(folder, "ca.pem");
      await writeFile(ca, authority.cert);
      await listen({ ca, clientCertificates: "require" });
      const own = { ...device, minVersion: version, maxVersion: version };
      const session = await firstSession(own);
      await listener!.reload();
      const second = await dial({ ...own, session });
      await connack(second);
      expect(second.isSessionReused()).toBe(true);
      await writeFile(ca, authority.cert + stranger.cert);
      await listener!.reload();
      const third = await dial({ ...own, session });
      expect(await connack(third)).toBe("20020000");
      expect(third.isSessionReused()).toBe(false);
      await writeFile(ca, stranger.cert);
      await listener!.reload();
      const refused = await dial({ ...own, session })
        .then(connack)
        .catch(() => "refused");
      expect(refused).not.toBe("20020000");
    },
  );
});
