import { createPrivateKey, createPublicKey } from "node:crypto";
import { inspect } from "node:util";
import {
  type CertificateAuthority,
  type CertificateAuthorityOptions,
  createCertificateAuthority,
  type IssuedCertificate,
  type KeyType,
  parseCertificate,
} from "fleetrig/broker";
import { createRandomSource, FleetrigError, VIRTUAL_EPOCH_MS, VirtualTime } from "fleetrig/kernel";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { OpenSsl } from "./openssl.js";

const openssl = new OpenSsl();
const opened: CertificateAuthority[] = [];
const DAY_MS = 86_400_000;

function authority(options: Partial<CertificateAuthorityOptions> = {}): CertificateAuthority {
  const random = createRandomSource(opened.length).stream("certificates");
  const made = createCertificateAuthority({ clock: new VirtualTime(), random, ...options });
  opened.push(made);
  return made;
}

afterEach(() => opened.forEach((one) => one.stop()));
afterAll(() => openssl.remove());

const codeOf = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    if (error instanceof FleetrigError) return error.code;
    throw error;
  }
  return "none";
};

/** What `openssl verify` says about it; the clock of the test stands in 2026. */
function verified(ca: CertificateAuthority, certificatePem: string): string {
  openssl.write("ca.pem", ca.caCertificatePem);
  openssl.write("leaf.pem", certificatePem);
  const atS = VIRTUAL_EPOCH_MS / 1000 + 60;
  return openssl.run(`verify -x509_strict -attime ${atS} -CAfile ca.pem leaf.pem`).trim();
}

const KEY_TYPES: readonly KeyType[] = ["ec-p256", "rsa-2048"];
const PAIRS = KEY_TYPES.flatMap((ca) => KEY_TYPES.map((leaf) => [ca, leaf] as const));

describe("certificate authority", () => {
  it.each(PAIRS)(
    "with a key %s issues device certificates with keys %s that OpenSSL verifies",
    async (ca, leaf) => {
      const own = authority({ keyType: ca });
      const made = await own.createKeysAndCertificate({ keyType: leaf });
      expect(verified(own, made.certificatePem)).toBe("leaf.pem: OK");
      const text = openssl.run("x509 -in leaf.pem -noout -text -nameopt RFC2253");
      expect(text).toContain("Subject: CN=AWS IoT Certificate\n");
      expect(text).toContain("Issuer: CN=fleetrig Local Root CA,O=fleetrig\n");
      expect(text).toContain("Not After : Dec 31 23:59:59 2049 GMT");
      expect(text).toContain(leaf === "ec-p256" ? "NIST CURVE: P-256" : "Public-Key: (2048 bit)");
      expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
      expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
      expect(text).toContain(ca === "ec-p256" ? "ecdsa-with-SHA256" : "sha256WithRSAEncryption");
    },
  );

  it.each(KEY_TYPES)(
    "names a certificate with keys %s as AWS does and gives the keys that belong to it",
    async (keyType) => {
      const made = await authority().createKeysAndCertificate({ keyType });
      openssl.write("leaf.pem", made.certificatePem);
      const shown = openssl.run("x509 -in leaf.pem -noout -fingerprint -sha256").trim();
      expect(shown.split("=")[1]?.replaceAll(":", "").toLowerCase()).toBe(made.certificateId);
      const { privateKeyPem, publicKeyPem } = made.keyPair!;
      expect(privateKeyPem).toContain(keyType === "ec-p256" ? "BEGIN PRIVATE KEY" : "BEGIN RSA PRIVATE KEY");
      openssl.write("key.pem", privateKeyPem);
      expect(openssl.run("pkey -in key.pem -pubout")).toBe(publicKeyPem);
      expect(openssl.run("x509 -in leaf.pem -noout -pubkey")).toBe(publicKeyPem);
      expect(openssl.run("pkey -in key.pem -check -noout")).toContain("Key is valid");
    },
  );

  it("pads private keys that begin with zeros", () => {
    const own = authority();
    for (let i = 0; i < 600; i += 1) {
      const { keyPair } = own.issueCertificate({ subject: { CommonName: "x" } });
      const key = createPrivateKey(keyPair.privateKeyPem);
      expect(createPublicKey(key).export({ type: "spki", format: "pem" })).toBe(keyPair.publicKeyPem);
    }
  });

  it("makes RSA keys in the background: at once when one is ready, as a promise otherwise", async () => {
    const own = authority();
    const first = own.createKeysAndCertificate();
    expect(first).toBeInstanceOf(Promise);
    const made = [await first, await own.createKeysAndCertificate(), await own.createKeysAndCertificate()];
    expect(new Set(made.map(({ keyPair }) => keyPair!.publicKeyPem)).size).toBe(3);
    const read = parseCertificate(made[0]!.certificatePem);
    expect(read).toMatchObject({ keyType: "rsa", keyBits: 2048 });
  });

  it("sends away who asks for more RSA keys than can be made, and who waits when it is stopped", async () => {
    const own = authority();
    const waiting: Promise<IssuedCertificate>[] = [];
    const code = codeOf(() => {
      for (let i = 0; i < 1_001; i += 1)
        waiting.push(own.createKeysAndCertificate() as Promise<IssuedCertificate>);
    });
    expect(code).toBe("PKI_KEYS_EXHAUSTED");
    own.stop();
    const outcomes = await Promise.allSettled(waiting);
    const codes = outcomes.map((one) =>
      one.status === "rejected" ? (one.reason as FleetrigError).code : "",
    );
    expect(codes).toEqual(Array.from({ length: 1_000 }, () => "PKI_STOPPED"));
    expect(codeOf(() => own.createKeysAndCertificate())).toBe("PKI_STOPPED");
    expect(own.createKeysAndCertificate({ keyType: "ec-p256" })).toHaveProperty("certificateId");
  });

  it("gives every certificate a serial number of its own, and the same ones for the same stream", () => {
    const serials = (): string[] => {
      const random = createRandomSource(5).stream("certificates");
      const own = authority({ random });
      const made = Array.from({ length: 50 }, () => own.issueCertificate({ subject: { CommonName: "x" } }));
      return made.map(({ certificatePem }) => parseCertificate(certificatePem).serialNumber);
    };
    const [first, second] = [serials(), serials()];
    expect(new Set(first).size).toBe(50);
    expect(first).toEqual(second);
    expect(first.every((serial) => /^[4-7][0-9a-f]{31}$/.test(serial))).toBe(true);
  });

  it("is the same authority after it was saved and loaded", () => {
    const own = authority({
      subject: { Organization: "Plant", CommonName: "Plant CA" },
      keyType: "rsa-2048",
    });
    const loaded = authority({ saved: own.save() });
    expect(loaded.caCertificatePem).toBe(own.caCertificatePem);
    const leaf = loaded.issueCertificate({ subject: { CommonName: "pump" } });
    expect(verified(own, leaf.certificatePem)).toBe("leaf.pem: OK");
  });

  it("takes an authority that OpenSSL has made", () => {
    openssl.run(
      "req -x509 -newkey rsa:2048 -nodes -keyout own.key -out own.pem -subj /O=Müller/CN=own -utf8 -days 9000",
    );
    const saved = { certificatePem: openssl.read("own.pem"), privateKeyPem: openssl.read("own.key") };
    const own = authority({ saved, clock: { wallMs: () => Date.now() } });
    openssl.write("leaf.pem", own.issueCertificate({ subject: { CommonName: "x" } }).certificatePem);
    expect(openssl.run("verify -CAfile own.pem leaf.pem").trim()).toBe("leaf.pem: OK");
  });

  it("refuses saved authorities that cannot sign", () => {
    const own = authority();
    const { certificatePem, privateKeyPem } = own.save();
    const leaf = own.issueCertificate({ subject: { CommonName: "leaf" } });
    const load = (saved: CertificateAuthorityOptions["saved"]): string =>
      codeOf(() => authority({ saved: saved! }));
    expect(load({ certificatePem, privateKeyPem: leaf.keyPair.privateKeyPem })).toBe("PKI_AUTHORITY_INVALID");
    expect(load({ certificatePem, privateKeyPem: "no key" })).toBe("PKI_AUTHORITY_INVALID");
    expect(load({ certificatePem: leaf.certificatePem, privateKeyPem: leaf.keyPair.privateKeyPem })).toBe(
      "PKI_AUTHORITY_INVALID",
    );
    expect(load({ certificatePem: "none", privateKeyPem })).toBe("PKI_CERTIFICATE_INVALID");
  });

  it("issues for authorities below it, which issue in turn", () => {
    const root = authority();
    const made = root.issueCertificate({ subject: { CommonName: "line 1" }, purpose: "authority" });
    const line = authority({ saved: { ...made, privateKeyPem: made.keyPair.privateKeyPem } });
    const leaf = line.issueCertificate({ subject: { CommonName: "robot" } });
    openssl.write("line.pem", made.certificatePem);
    openssl.write("root.pem", root.caCertificatePem);
    openssl.write("leaf.pem", leaf.certificatePem);
    const atS = VIRTUAL_EPOCH_MS / 1000;
    const answer = openssl.run(
      `verify -x509_strict -attime ${atS} -CAfile root.pem -untrusted line.pem leaf.pem`,
    );
    expect(answer.trim()).toBe("leaf.pem: OK");
  });

  it("issues server certificates for names and addresses", () => {
    const own = authority();
    const names = ["iot.example", "*.iot.example"];
    const addresses = ["10.0.0.1", "::ffff:127.0.0.1", "2001:db8::1", "::"];
    const made = own.issueServerCertificate({ names, addresses });
    expect(verified(own, made.certificatePem)).toBe("leaf.pem: OK");
    const { subjectAlternativeNames, validToMs } = parseCertificate(made.certificatePem);
    expect(subjectAlternativeNames.DNSName).toEqual(names);
    expect(subjectAlternativeNames.IPAddress).toEqual(["10.0.0.1", "::ffff:7f00:1", "2001:db8::1", "::"]);
    expect(validToMs - VIRTUAL_EPOCH_MS).toBe(397 * DAY_MS);
    for (const at of ["-verify_hostname x.iot.example", "-verify_ip 127.0.0.1", "-verify_ip 2001:db8::1"]) {
      const named = at === "-verify_ip 127.0.0.1" ? "-verify_ip ::ffff:127.0.0.1" : at;
      const line = `verify -purpose sslserver ${named} -attime ${VIRTUAL_EPOCH_MS / 1000} -CAfile ca.pem leaf.pem`;
      expect(openssl.run(line).trim()).toBe("leaf.pem: OK");
    }
  });

  it.each([
    [{ names: ["a b"] }],
    [{ names: ["a\0.example"] }],
    [{ names: [""] }],
    [{ names: ["x".repeat(254)] }],
    [{ names: ["*"] }],
    [{ addresses: ["localhost"] }],
    [{ addresses: ["fe80::1%eth0"] }],
    [{ notAfterMs: Number.NaN }],
    [{ notAfterMs: 4e14 }],
  ])("refuses a server certificate for %j", (options) => {
    expect(codeOf(() => authority().issueServerCertificate(options))).toBe("PKI_NAME_INVALID");
  });

  it("writes subjects with several values in the order given", () => {
    const subject = { Country: "DE", OrganizationalUnit: ["a", "b"], CommonName: "x".repeat(128) };
    const made = authority().issueCertificate({ subject });
    expect(parseCertificate(made.certificatePem).subject.attributes).toEqual({
      Country: ["DE"],
      OrganizationalUnit: ["a", "b"],
      CommonName: ["x".repeat(128)],
    });
  });

  it("refuses attributes it does not know, and values that are empty or too long", () => {
    const own = authority();
    const issue = (subject: object): string => codeOf(() => own.issueCertificate({ subject }));
    expect(issue({ Colour: "red" })).toBe("PKI_NAME_INVALID");
    expect(issue(JSON.parse('{"__proto__":"x"}') as object)).toBe("PKI_NAME_INVALID");
    expect(issue({ CommonName: "" })).toBe("PKI_NAME_INVALID");
    expect(issue({ CommonName: "x".repeat(257) })).toBe("PKI_NAME_INVALID");
  });

  it("issues certificates that are over or not yet valid", () => {
    const own = authority();
    const over = own.issueCertificate({
      subject: { CommonName: "x" },
      notAfterMs: VIRTUAL_EPOCH_MS - DAY_MS,
    });
    const { validFromMs, validToMs } = parseCertificate(over.certificatePem);
    expect(validToMs).toBe(VIRTUAL_EPOCH_MS - DAY_MS);
    expect(validFromMs).toBeLessThan(validToMs);
    const late = { notBeforeMs: VIRTUAL_EPOCH_MS + DAY_MS, notAfterMs: Date.UTC(2050, 0, 1) };
    const coming = parseCertificate(
      own.issueCertificate({ subject: { CommonName: "x" }, ...late }).certificatePem,
    );
    expect(coming).toMatchObject({ validFromMs: late.notBeforeMs, validToMs: late.notAfterMs });
  });

  it("shows no private key when it is printed", async () => {
    const own = authority({ saved: authority().save() });
    await own.createKeysAndCertificate();
    await own.createKeysAndCertificate();
    const printed = `${inspect(own, { depth: 20, showHidden: true })}${JSON.stringify(own)}`;
    expect(printed).not.toContain("PRIVATE KEY");
  });
});
