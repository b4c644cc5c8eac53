import { createCertificateAuthority, parseCertificate, parseCertificateRequest } from "fleetrig/broker";
import { createRandomSource, FleetrigError, VirtualTime } from "fleetrig/kernel";
import { afterAll, describe, expect, it } from "vitest";
import { EC_KEY, OpenSsl } from "./openssl.js";

const openssl = new OpenSsl();
const ca = createCertificateAuthority({
  clock: new VirtualTime(),
  random: createRandomSource(3).stream("certificates"),
});
afterAll(() => {
  openssl.remove();
  ca.stop();
});

const rsaKey = (bits: number): string => `-newkey rsa:${bits} -nodes -keyout key.pem`;
const curveKey = (name: string): string => EC_KEY.replace("prime256v1", name);

function request(key: string, subject = "/O=Plant/CN=pump-7", more: readonly string[] = []): string {
  openssl.run(`req -new ${key} -out made.csr -utf8 -subj`, [subject, ...more]);
  return openssl.read("made.csr");
}

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (!(error instanceof FleetrigError)) throw error;
    expect(error.code).toBe("PKI_CSR_INVALID");
    expect(error.context).toEqual({ awsError: "InvalidRequestException", httpStatus: 400 });
    return error.sentence;
  }
  return "none";
}

describe("parseCertificateRequest", () => {
  it.each([
    [rsaKey(2048), { keyType: "rsa", keyBits: 2048, signatureAlgorithm: "SHA256WITHRSA" }],
    [`${rsaKey(2048)} -sha1`, { signatureAlgorithm: "SHA1WITHRSA" }],
    [`${rsaKey(2048)} -sha384 -sigopt rsa_padding_mode:pss`, { signatureAlgorithm: "RSASSAPSS" }],
    [
      `${rsaKey(2048)} -sha512 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20`,
      { signatureAlgorithm: "RSASSAPSS" },
    ],
    [`${rsaKey(2048)} -sha1 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20`, { keyType: "rsa" }],
    ["-newkey rsa-pss -pkeyopt rsa_keygen_bits:2048 -nodes -keyout key.pem", { keyType: "rsa-pss" }],
    [EC_KEY, { keyType: "ec", keyBits: 256, curve: "prime256v1", signatureAlgorithm: "ECDSA-WITH-SHA256" }],
    [`${curveKey("secp384r1")} -sha384`, { keyBits: 384, signatureAlgorithm: "ECDSA-WITH-SHA384" }],
    ["-newkey ed25519 -nodes -keyout key.pem", { keyType: "ed25519", signatureAlgorithm: "ED25519" }],
  ])("reads and verifies one of `openssl req %s`", (key, facts) => {
    const read = parseCertificateRequest(request(key));
    expect(read).toMatchObject(facts);
    expect(read.subject.attributes).toEqual({ Organization: ["Plant"], CommonName: ["pump-7"] });
    expect(read.publicKeyPem).toBe(openssl.run("req -in made.csr -noout -pubkey"));
  });

  it("tells the alternative names it asks for", () => {
    const csr = request(EC_KEY, "/CN=x", ["-addext", "subjectAltName=DNS:a.example,IP:::1"]);
    const { subjectAlternativeNames } = parseCertificateRequest(csr);
    expect(subjectAlternativeNames).toMatchObject({ DNSName: ["a.example"], IPAddress: ["::1"] });
  });

  it("takes requests in DER, and under the older label", () => {
    const csr = request(EC_KEY);
    openssl.run("req -in made.csr -outform DER -out made.der");
    const { publicKeyPem } = parseCertificateRequest(csr);
    expect(parseCertificateRequest(openssl.readBytes("made.der")).publicKeyPem).toBe(publicKeyPem);
    const old = csr.replaceAll("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST");
    expect(parseCertificateRequest(old).publicKeyPem).toBe(publicKeyPem);
  });

  it("refuses a request whose sender has not shown to have the key", () => {
    const mine = Buffer.from(request(EC_KEY).split("-----")[2]!, "base64");
    const theirs = Buffer.from(request(EC_KEY).split("-----")[2]!, "base64");
    const at = mine.indexOf(Buffer.from("pump-7"));
    const renamed = Buffer.from(mine);
    renamed.write("pump-8", at);
    expect(refusal(() => parseCertificateRequest(renamed))).toContain("signature does not belong to its key");
    // Another's public key under one's own signature.
    const stolen = Buffer.from(mine);
    theirs.copy(stolen, at + 6, at + 6, at + 6 + 91);
    expect(refusal(() => parseCertificateRequest(stolen))).toContain("signature does not belong to its key");
  });

  it.each([
    ["nothing", ""],
    ["a certificate", ca.caCertificatePem],
    ["text", "CN=pump-7"],
  ])("refuses %s", (_, text) => {
    expect(refusal(() => parseCertificateRequest(text))).not.toBe("none");
  });

  it("refuses signatures with digests that are broken", () => {
    expect(refusal(() => parseCertificateRequest(request(`${rsaKey(2048)} -md5`)))).toContain(
      "not supported",
    );
  });
});

describe("certificateFromCsr", () => {
  it.each([rsaKey(2048), rsaKey(4096), EC_KEY, curveKey("secp384r1"), curveKey("secp521r1")])(
    "certifies the key and the subject of `openssl req %s`",
    (key) => {
      const made = ca.certificateFromCsr(request(key, "/C=DE/O=Fabrik für Pumpen/OU=1/OU=2/CN=pump-7"));
      expect(made.keyPair).toBeUndefined();
      openssl.write("leaf.pem", made.certificatePem);
      const pair = openssl.run("pkey -in key.pem -pubout");
      expect(openssl.run("x509 -in leaf.pem -noout -pubkey")).toBe(pair);
      const read = parseCertificate(made.certificatePem);
      expect(read.certificateId).toBe(made.certificateId);
      expect(read.isSignedBy(ca.certificate)).toBe(true);
      expect(read.subject.text).toBe("CN=pump-7,OU=2,OU=1,O=Fabrik für Pumpen,C=DE");
      expect(
        Buffer.compare(read.subject.der, parseCertificateRequest(openssl.read("made.csr")).subject.der),
      ).toBe(0);
    },
  );

  it("gives another certificate every time, as AWS does", () => {
    const csr = request(EC_KEY);
    expect(ca.certificateFromCsr(csr).certificateId).not.toBe(ca.certificateFromCsr(csr).certificateId);
  });

  it("names what has no name, and what should have another", () => {
    const csr = request(EC_KEY, "/");
    const nameOf = (pem: string): unknown => parseCertificate(pem).subject.attributes.CommonName;
    expect(nameOf(ca.certificateFromCsr(csr).certificatePem)).toEqual(["AWS IoT Certificate"]);
    expect(nameOf(ca.certificateFromCsr(csr, { commonName: "t1" }).certificatePem)).toEqual(["t1"]);
  });

  it("does not let a request make itself an authority", () => {
    const csr = request(EC_KEY, "/CN=x", ["-addext", "basicConstraints=critical,CA:TRUE"]);
    expect(parseCertificate(ca.certificateFromCsr(csr).certificatePem).isCa).toBe(false);
  });

  it.each([
    rsaKey(1024),
    curveKey("prime192v1"),
    curveKey("secp256k1"),
    "-newkey ed25519 -nodes -keyout key.pem",
    "-newkey rsa-pss -pkeyopt rsa_keygen_bits:2048 -nodes -keyout key.pem",
  ])("refuses keys that AWS does not take: `openssl req %s`", (key) => {
    expect(refusal(() => ca.certificateFromCsr(request(key)))).toContain("RSA of 2048 bits or more");
  });
});
