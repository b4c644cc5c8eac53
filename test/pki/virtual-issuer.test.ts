import { X509Certificate } from "node:crypto";
import { createVirtualIssuer, parseCertificate, type VirtualIssuer } from "fleetrig/broker";
import { createRandomSource, FleetrigError } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";

const issuer = (seed = 1): VirtualIssuer =>
  createVirtualIssuer(createRandomSource(seed).stream("certificates"));
const CSR = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";

describe("virtual issuer", () => {
  it("issues the same certificates for the same seed, and others for another", () => {
    const ids = (seed: number): string[] => {
      const virtual = issuer(seed);
      return [
        ...Array.from({ length: 20 }, () => virtual.createKeysAndCertificate().certificateId),
        virtual.certificateFromCsr(CSR).certificateId,
      ];
    };
    expect(ids(1)).toEqual(ids(1));
    expect(new Set([...ids(1), ...ids(2)]).size).toBe(42);
  });

  it("keeps its ids between versions", () => {
    expect(issuer(42).createKeysAndCertificate().certificateId).toMatchInlineSnapshot(
      `"c24b9ba114df70e365745ac48c1efc65a9684c170a7a2ffafde50e8204e6c3f3"`,
    );
  });

  it("issues what reads as a certificate, for OpenSSL too, and verifies with nobody", () => {
    const virtual = issuer();
    const notAfterMs = Date.UTC(2030, 5, 1);
    const made = virtual.createKeysAndCertificate({ commonName: "thing-1", keyType: "rsa-2048", notAfterMs });
    const read = parseCertificate(made.certificatePem);
    expect(read).toMatchObject({ certificateId: made.certificateId, validToMs: notAfterMs, isCa: false });
    expect(read.subject.attributes).toEqual({ CommonName: ["thing-1"] });
    expect(new X509Certificate(made.certificatePem).subject).toBe("CN=thing-1");
    const root = parseCertificate(virtual.caCertificatePem);
    expect(root.isCa).toBe(true);
    expect([read.isSignedBy(root), root.isSignedBy(root)]).toEqual([false, false]);
  });

  it("does not read requests, but wants them in PEM", () => {
    const { certificatePem } = issuer().certificateFromCsr(CSR, { commonName: "thing-2" });
    expect(parseCertificate(certificatePem).subject.text).toBe("CN=thing-2");
    expect(() => issuer().certificateFromCsr("no request")).toThrow(FleetrigError);
  });
});
