import { X509Certificate } from "node:crypto";
import { createCertificateAuthority, parseCertificate, parseCertificateBundle } from "fleetrig/broker";
import { createRandomSource, FleetrigError, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { craft, ecKey, extension, name, OID, oid, type Parts, period, rsaKey, text, tlv } from "./crafted.js";

function refused(call: () => unknown): FleetrigError {
  try {
    call();
  } catch (error) {
    if (error instanceof FleetrigError) return error;
    throw error;
  }
  throw new TypeError("it was taken");
}

const reasonFor = (input: string | Uint8Array): string => {
  const error = refused(() => parseCertificate(input));
  expect(error.code).toBe("PKI_CERTIFICATE_INVALID");
  expect(error.context).toEqual({ awsError: "CertificateValidationException", httpStatus: 400 });
  return error.sentence.replace("The certificate cannot be used: ", "");
};

const pem = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString("base64")}\n-----END CERTIFICATE-----\n`;

const valid = craft({});

describe("hostile PEM", () => {
  it.each([
    ["", "it is empty."],
    ["garbage", 'it has no PEM block "CERTIFICATE".'],
    [pem(valid).replaceAll("CERTIFICATE", "TRUSTED CERTIFICATE"), 'it has no PEM block "CERTIFICATE".'],
    [pem(valid).replaceAll("CERTIFICATE", "PRIVATE KEY"), 'it has no PEM block "CERTIFICATE".'],
    [pem(valid).replace(/-----END.*/, ""), "its PEM has no end line that belongs to its first line."],
    [
      pem(valid).replace("END CERTIFICATE", "END KEY"),
      "its PEM has no end line that belongs to its first line.",
    ],
    [pem(valid).replace("\n", "\nProc-Type: 4,ENCRYPTED\n\n"), "its PEM is no base64."],
    [pem(valid).replace("\nMI", "\nM*"), "its PEM is no base64."],
    [pem(new Uint8Array()), "its PEM is no base64."],
    ["A".repeat(65_537), "it is longer than 65536 bytes."],
  ])("%# is refused", (input, reason) => {
    expect(reasonFor(input)).toBe(reason);
  });

  it("takes time that grows with its length only", () => {
    const texts = [
      "-----BEGIN ".repeat(5_900),
      "-----BEGIN CERTIFICATE-----\n".repeat(2_300),
      `-----BEGIN CERTIFICATE-----${" ".repeat(65_000)}`,
      "-----BEGIN X-----".repeat(3_800),
    ];
    const startedMs = performance.now();
    for (const one of texts) reasonFor(one);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  it("has no more certificates in a bundle than chains may be long", () => {
    const error = refused(() => parseCertificateBundle(pem(Buffer.of(0x30, 0)).repeat(101)));
    expect(error.sentence).toContain("more than 100 certificates");
    expect(refused(() => parseCertificateBundle("x".repeat(65_537))).code).toBe("PKI_CERTIFICATE_INVALID");
  });
});

const indefinite = Buffer.concat([Buffer.of(0x30, 0x80), valid.subarray(4), Buffer.of(0, 0)]);
const longLength = Buffer.concat([Buffer.of(0x30, 0x83, 0, ...valid.subarray(2, 4)), valid.subarray(4)]);
const usage = extension(OID.keyUsage, tlv(0x03, [7, 0x80]));
const san = (...names: readonly Uint8Array[]): Parts => ({
  extensions: [extension(OID.subjectAltName, tlv(0x30, ...names))],
});
const nested = (depth: number): Buffer => (depth === 0 ? Buffer.of(5, 0) : tlv(0x30, nested(depth - 1)));

describe("hostile DER", () => {
  it("takes the one that is in order", () => {
    expect(parseCertificate(valid).subject.text).toBe("CN=subject");
  });

  it.each([
    ["bytes after the certificate", Buffer.concat([valid, Buffer.of(0)])],
    ["a cut-off certificate", valid.subarray(0, -1)],
    ["an indefinite length", indefinite],
    ["a length longer than needed", longLength],
    ["a length of four bytes", Buffer.concat([Buffer.of(0x30, 0x84, 0, 0), valid.subarray(2)])],
    ["a tag of several bytes", tlv(0x30, [0x1f, 0x81, 0x01, 0x00])],
    ["no more than a sequence", Buffer.of(0x30, 0)],
    ["version 4", craft({ version: tlv(0xa0, tlv(0x02, [3])) })],
    ["a version of many bytes", craft({ version: tlv(0xa0, tlv(0x02, [1, 2, 3, 4, 5])) })],
    ["an empty serial number", craft({ serial: tlv(0x02) })],
    ["a serial number with needless zeros", craft({ serial: tlv(0x02, [0, 1]) })],
    ["two signature algorithms", craft({ innerAlgorithm: tlv(0x30, OID.rsa) })],
    ["a broken object identifier", craft({ algorithm: tlv(0x30, oid("2a 86")) })],
    ["an object identifier with needless zeros", craft({ algorithm: tlv(0x30, oid("2a 80 01")) })],
    [
      "an object identifier without end",
      craft({ algorithm: tlv(0x30, oid("2a ff ff ff ff ff ff ff ff ff 7f")) }),
    ],
    ["a signature of broken bytes", craft({ signature: tlv(0x03, [3], [1]) })],
    ["a signature that is none", craft({ signature: tlv(0x04, [3]) })],
    ["a month 13", craft({ validity: period("261301000000Z", "491231235959Z") })],
    ["a 30th of February", craft({ validity: period("260101000000Z", "480230235959Z") })],
    ["a time with a zone", craft({ validity: period("260101000000+0100", "491231235959Z") })],
    ["a time without seconds", craft({ validity: period("2601010000Z", "491231235959Z") })],
    ["no times", craft({ validity: tlv(0x30, tlv(0x0c, text("now")), tlv(0x0c, text("then"))) })],
    ["an empty relative name", craft({ subject: tlv(0x30, tlv(0x31)) })],
    ["broken UTF-8", craft({ subject: name(tlv(0x0c, [0xc0, 0x80])) })],
    ["a surrogate in UTF-8", craft({ subject: name(tlv(0x0c, [0xed, 0xa0, 0x80])) })],
    ["half a wide character", craft({ subject: name(tlv(0x1e, [0, 65, 0])) })],
    ["a character beyond Unicode", craft({ subject: name(tlv(0x1c, [0x7f, 0, 0, 0])) })],
    ["a point off the curve", craft({ key: ecKey(Buffer.from([4, ...Array<number>(64).fill(1)])) })],
    ["the point at infinity", craft({ key: ecKey(Buffer.of(0)) })],
    [
      "a curve by parameters",
      craft({ key: tlv(0x30, tlv(0x30, OID.ecPublicKey, nested(3)), tlv(0x03, [0, 4])) }),
    ],
    ["an unknown curve", craft({ key: tlv(0x30, tlv(0x30, OID.ecPublicKey, OID.dsa), tlv(0x03, [0, 4])) })],
    ["a DSA key", craft({ key: tlv(0x30, tlv(0x30, OID.dsa), tlv(0x03, [0, 4])) })],
    ["an even modulus", craft({ key: rsaKey([0x40, 2]) })],
    ["a modulus of nothing", craft({ key: rsaKey([0]) })],
    ["a negative modulus", craft({ key: rsaKey([0x81]) })],
    ["a modulus of 20,000 bits", craft({ key: rsaKey(Array<number>(2_500).fill(0x7f)) })],
    ["an exponent of 9 bytes", craft({ key: rsaKey([0x7f, 1], [0, ...Array<number>(9).fill(0xff)]) })],
    ["two extensions of a kind", craft({ extensions: [usage, usage] })],
    [
      "101 extensions",
      craft({ extensions: Array.from({ length: 101 }, (_, i) => extension(tlv(6, [42, i]), usage)) }),
    ],
    [
      "a broken truth value",
      craft({ extensions: [extension(OID.basicConstraints, tlv(0x30, tlv(0x01, [1])))] }),
    ],
    ["a key usage of 8 unused bits", craft({ extensions: [extension(OID.keyUsage, tlv(0x03, [8, 0]))] })],
    ["an address of 5 bytes", craft(san(tlv(0x87, [1, 2, 3, 4, 5])))],
    ["an alternative name of no kind", craft(san(tlv(0x8f, [1])))],
    ["1,001 alternative names", craft(san(...Array.from({ length: 1_001 }, () => tlv(0x82, [65]))))],
    ["something after the extensions", craft({ extensions: [usage], rest: tlv(0x04, [1]) })],
  ])("%s is refused", (_, der) => {
    expect(reasonFor(der)).toMatch(/^[a-zA-Z]/);
    expect(reasonFor(pem(der))).toMatch(/^[a-zA-Z]/);
  });

  it("takes a point in its short form", () => {
    const compressed = Buffer.concat([Buffer.of(3), ecKey().subarray(-64, -32)]);
    expect(parseCertificate(craft({ key: ecKey(compressed) }))).toMatchObject({
      keyType: "ec",
      keyBits: 256,
    });
  });

  it("does not descend into what it does not know, however deep it is", () => {
    const unknown = extension(oid("2a 03 04"), nested(4_000));
    expect(parseCertificate(craft({ extensions: [unknown] })).subject.text).toBe("CN=subject");
  });
});

describe("hostile names", () => {
  it("reads wide strings", () => {
    const wide = name(tlv(0x1c, [0, 1, 0xf6, 0], [0, 0, 0x6e, 0x29]), tlv(0x1e, [0x6e, 0x29]));
    expect(parseCertificate(craft({ subject: wide })).subject.attributes.CommonName).toEqual(["😀温", "温"]);
  });

  it("shows what is no text as bytes, and not as an attribute", () => {
    const { subject } = parseCertificate(craft({ subject: name(tlv(0x03, [0, 1])) }));
    expect(subject.attributes).toEqual({});
    expect(subject.text).toBe("CN=#03020001");
  });

  /** Names that end early, look like other attributes, or turn a line around (reliability: identity confusion). */
  const TRICKS = [
    "\0",
    "/CN=admin",
    ",CN=admin",
    "+CN=admin",
    "\nCN=admin",
    "\\",
    '"',
    "\u202e",
    "#",
    " ",
    "=",
    "é",
    "😀",
  ];

  it("never takes one subject for another: 200 crafted ones come back as they were", () => {
    const random = createRandomSource(11).stream("names");
    const ca = createCertificateAuthority({ clock: new VirtualTime(), random });
    const texts = new Map<string, string>();
    for (let i = 0; i < 200; i += 1) {
      const pieces = Array.from({ length: 1 + random.below(5) }, () =>
        random.chance(0.6) ? random.pick(TRICKS) : `thing-${random.below(10)}`,
      );
      const commonName = pieces.join("");
      const organizations = Array.from({ length: random.below(3) }, () => random.pick(TRICKS));
      const subject = { Organization: organizations, CommonName: commonName };
      const { certificatePem } = ca.issueCertificate({ subject });
      const read = parseCertificate(certificatePem).subject;
      expect(read.attributes.CommonName).toEqual([commonName]);
      expect(read.attributes.Organization ?? []).toEqual(organizations);
      const legacy = new X509Certificate(certificatePem).toLegacyObject() as unknown as {
        subject: { CN: string };
      };
      expect(legacy.subject.CN).toBe(commonName);
      expect(read.text).not.toMatch(/[\0\n]/);
      const key = JSON.stringify(subject);
      expect(texts.get(read.text) ?? key).toBe(key);
      texts.set(read.text, key);
    }
  });
});
