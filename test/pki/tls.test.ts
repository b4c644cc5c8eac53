import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type TLSSocket } from "node:tls";
import {
  type CertificateAndKeys,
  type CertificateAuthority,
  createCertificateAuthority,
  createVirtualIssuer,
  type IssuedCertificate,
  type KeyType,
  parseCertificate,
} from "fleetrig/broker";
import { createRandomSource, RealTime } from "fleetrig/kernel";
import { afterEach, describe, expect, it } from "vitest";

const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

const source = createRandomSource(1);
const authority = (keyType: KeyType, name = "root"): CertificateAuthority =>
  createCertificateAuthority({ clock: new RealTime(), random: source.stream(name), keyType });

/** A server that tells the id of the certificate it was shown, or why it would not let it in. */
async function serve(
  ca: CertificateAuthority,
  own: CertificateAndKeys,
  trust = ca.caCertificatePem,
): Promise<number> {
  const { certificatePem: cert, keyPair } = own;
  const options = { cert, key: keyPair.privateKeyPem, ca: trust, requestCert: true };
  const server = createServer({ ...options, rejectUnauthorized: false }, (socket) => {
    socket.on("error", () => socket.destroy());
    const { certificateId } = parseCertificate(socket.getPeerX509Certificate()!.raw);
    socket.end(socket.authorized ? certificateId : String(socket.authorizationError));
  });
  server.on("tlsClientError", () => undefined);
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

interface Device {
  readonly ca: string;
  readonly certificate: IssuedCertificate;
  readonly serverName?: string;
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3";
}

/** What the server says, or the code of the failure. */
function say(
  port: number,
  { ca, certificate, serverName = "iot.example", ...versions }: Device,
): Promise<string> {
  return new Promise((resolve) => {
    const { certificatePem: cert, keyPair } = certificate;
    const key = keyPair?.privateKeyPem;
    let socket: TLSSocket;
    try {
      socket = connect({ port, host: "127.0.0.1", servername: serverName, ca, cert, key, ...versions });
    } catch (error) {
      resolve((error as NodeJS.ErrnoException).code ?? "unknown");
      return;
    }
    let heard = "";
    socket.on("data", (data: Buffer) => (heard += data.toString()));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown"));
    socket.on("close", () => resolve(heard));
  });
}

const NAMES = { names: ["iot.example"], addresses: ["127.0.0.1"] };

describe("issued certificates in TLS", () => {
  const kinds = (["ec-p256", "rsa-2048"] as const).flatMap((ca) =>
    (["ec-p256", "rsa-2048"] as const).flatMap((leaf) =>
      (["TLSv1.2", "TLSv1.3"] as const).map((version) => [ca, leaf, version] as const),
    ),
  );

  it.each(kinds)(
    "authority %s, device %s, %s: both sides let each other in",
    async (caType, keyType, version) => {
      const ca = authority(caType);
      const port = await serve(ca, ca.issueServerCertificate({ ...NAMES, keyType }));
      const certificate = await ca.createKeysAndCertificate({ keyType });
      ca.stop();
      const device = { ca: ca.caCertificatePem, certificate, minVersion: version, maxVersion: version };
      expect(await say(port, device)).toBe(certificate.certificateId);
    },
  );

  it("are refused under another authority, even of the same name", async () => {
    const [ca, foreign] = [authority("ec-p256"), authority("ec-p256", "foreign")];
    const port = await serve(ca, ca.issueServerCertificate(NAMES));
    const stranger = foreign.issueCertificate({ subject: { CommonName: "AWS IoT Certificate" } });
    expect(await say(port, { ca: ca.caCertificatePem, certificate: stranger })).toMatch(/SIGNATURE/);
    const known = ca.issueCertificate({ subject: { CommonName: "x" } });
    // A server in the name of the authority, signed by another.
    expect(await say(port, { ca: foreign.caCertificatePem, certificate: known })).toMatch(
      /SIGNATURE|SELF_SIGNED/,
    );
  });

  it("are refused when they are over, for other names, or in the place of a server's", async () => {
    const ca = authority("ec-p256");
    const { caCertificatePem } = ca;
    const port = await serve(ca, ca.issueServerCertificate(NAMES));
    const over = ca.issueCertificate({ subject: { CommonName: "x" }, notAfterMs: Date.now() - 60_000 });
    expect(await say(port, { ca: caCertificatePem, certificate: over })).toBe("CERT_HAS_EXPIRED");
    const good = ca.issueCertificate({ subject: { CommonName: "x" } });
    const elsewhere = { ca: caCertificatePem, certificate: good, serverName: "other.example" };
    expect(await say(port, elsewhere)).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    const asServer = await serve(ca, ca.issueServerCertificate(NAMES));
    const server = ca.issueServerCertificate(NAMES);
    expect(await say(asServer, { ca: caCertificatePem, certificate: server })).toBe("INVALID_PURPOSE");
  });

  it("work with an intermediate authority that the device sends along", async () => {
    const root = authority("ec-p256");
    const line = root.issueCertificate({ subject: { CommonName: "line" }, purpose: "authority" });
    const below = createCertificateAuthority({
      clock: new RealTime(),
      random: source.stream("line"),
      saved: { certificatePem: line.certificatePem, privateKeyPem: line.keyPair.privateKeyPem },
    });
    const port = await serve(root, root.issueServerCertificate(NAMES));
    const leaf = below.issueCertificate({ subject: { CommonName: "robot" } });
    const chain = { ...leaf, certificatePem: leaf.certificatePem + line.certificatePem };
    expect(await say(port, { ca: root.caCertificatePem, certificate: chain })).toBe(leaf.certificateId);
    expect(await say(port, { ca: root.caCertificatePem, certificate: leaf })).toBe(
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    );
  });

  it("never let a virtual certificate in: it has no key", async () => {
    const ca = authority("ec-p256");
    const virtual = createVirtualIssuer(source.stream("virtual"));
    const port = await serve(ca, ca.issueServerCertificate(NAMES), virtual.caCertificatePem);
    const certificate = virtual.createKeysAndCertificate();
    expect(await say(port, { ca: ca.caCertificatePem, certificate })).toMatch(/^ERR_OSSL/);
  });
});
