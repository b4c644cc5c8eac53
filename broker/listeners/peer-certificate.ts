import type { TLSSocket } from "node:tls";
import { parseGmtTime } from "fleetrig/kernel";
import type { LinkPeer, PeerCertificate } from "fleetrig/protocol";

/** What a finished handshake tells about the client; on resumed sessions the certificate comes from the first. */
export function securedFacts(secured: TLSSocket): Partial<LinkPeer> {
  const { servername, alpnProtocol } = secured as TLSSocket & { servername?: string | false | null };
  const certificate = peerCertificate(secured);
  return {
    isResumed: secured.isSessionReused(),
    ...(typeof servername === "string" && { serverName: servername }),
    ...(typeof alpnProtocol === "string" && { alpn: alpnProtocol }),
    ...(certificate !== undefined && { certificate, isVerified: secured.authorized }),
  };
}

function peerCertificate(secured: TLSSocket): PeerCertificate | undefined {
  const certificate = secured.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  // The parsed form: names may hold line breaks, commas and NUL, so nothing is cut out of their text.
  const { subject } = certificate.toLegacyObject() as { subject?: { CN?: string | string[] } };
  const commonName = subject?.CN;
  return {
    raw: new Uint8Array(certificate.raw),
    fingerprint256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    serialNumber: certificate.serialNumber,
    subject: certificate.subject ?? "",
    issuer: certificate.issuer ?? "",
    validFromMs: parseGmtTime(certificate.validFrom),
    validToMs: parseGmtTime(certificate.validTo),
    ...(typeof commonName === "string" && { commonName }),
  };
}
