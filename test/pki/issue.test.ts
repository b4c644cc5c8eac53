import { createCertificateAuthority, createVirtualIssuer, parseCertificate } from "fleetrig/broker";
import { createRandomSource, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";

const random = createRandomSource(7).stream("serials");
const ca = createCertificateAuthority({ clock: new VirtualTime(), random });

describe("CertificateAuthority", () => {
  it("issues what it can read back", () => {
    const root = parseCertificate(ca.caCertificatePem);
    expect(root).toMatchObject({
      isCa: true,
      keyType: "ec",
      keyBits: 256,
      subject: { text: "CN=fleetrig Local Root CA,O=fleetrig" },
    });
    const made = ca.issueCertificate({ subject: { Country: "DE", CommonName: "a+b" } });
    const leaf = parseCertificate(made.certificatePem);
    expect(leaf.certificateId).toBe(made.certificateId);
    expect(leaf.isSignedBy(root)).toBe(true);
    expect(leaf.subject.attributes).toEqual({ Country: ["DE"], CommonName: ["a+b"] });
    const v = createVirtualIssuer(random).createKeysAndCertificate();
    const read = parseCertificate(v.certificatePem);
    expect(read.subject.attributes.CommonName).toEqual(["AWS IoT Certificate"]);
    expect(read.isSignedBy(root)).toBe(false);
    ca.stop();
  });
});
