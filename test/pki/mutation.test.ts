import { createHash, X509Certificate } from "node:crypto";
import {
  createCertificateAuthority,
  parseCertificate,
  parseCertificateBundle,
  parseCertificateRequest,
} from "fleetrig/broker";
import { createRandomSource, FleetrigError, type Random, VirtualTime } from "fleetrig/kernel";
import { afterAll, describe, expect, it } from "vitest";
import { EC_KEY, OpenSsl } from "./openssl.js";

const openssl = new OpenSsl();
const source = createRandomSource(2026);
const ca = createCertificateAuthority({ clock: new VirtualTime(), random: source.stream("certificates") });
afterAll(() => openssl.remove());

const RUNS = 10_000;
/** Of text, and of requests, each of which costs a verification. */
const FEWER_RUNS = 3_000;
const CODES: ReadonlySet<string> = new Set(["PKI_CERTIFICATE_INVALID", "PKI_CSR_INVALID"]);
/** What mutations put in: tags, lengths and numbers that stand at limits. */
const BYTES = [
  0, 1, 2, 3, 5, 6, 0x0c, 0x13, 0x1e, 0x1f, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xa0, 0xa3, 0xff,
];

const MUTATIONS: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => {
    bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
    return bytes;
  },
  (bytes, random) => {
    bytes[random.below(bytes.length)] = random.pick(BYTES);
    return bytes;
  },
  (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  (bytes, random) => {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), Buffer.of(random.pick(BYTES)), bytes.subarray(at)]);
  },
  (bytes, random) => {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(8))]);
  },
  (bytes, random) => {
    const [from, to, length] = [random.below(bytes.length), random.below(bytes.length), 1 + random.below(40)];
    bytes.copy(bytes, to, from, Math.min(bytes.length, from + length));
    return bytes;
  },
];

/** Mutants keep their outer lengths right half of the time, so that they get past the first bytes. */
function mutant(seed: Buffer, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(seed);
  for (let count = 1 + random.below(3); count > 0 && bytes.length > 0; count -= 1)
    bytes = random.pick(MUTATIONS)(bytes, random);
  if (bytes.length > 300 && random.chance(0.5)) {
    bytes.writeUInt16BE(bytes.length - 4, 2);
    if (bytes[5] === 0x82)
      bytes.writeUInt16BE(Math.max(0, bytes.readUInt16BE(6) + bytes.length - seed.length), 6);
  }
  return bytes;
}

/** Certificates and requests of every make. */
function seeds(): { certificates: Buffer[]; requests: Buffer[] } {
  openssl.write(
    "rich.cnf",
    "[req]\nprompt = no\ndistinguished_name = dn\nx509_extensions = ext\nreq_extensions = ext\n[dn]\nC = DE\nO = Plant\nCN = x\n[ext]\nsubjectAltName = DNS:a.example,IP:::1,email:a@b,URI:urn:x,dirName:dn\nkeyUsage = keyCertSign\nbasicConstraints = CA:TRUE\nsubjectKeyIdentifier = hash\n",
  );
  const certificates = [ca.caCertificatePem, ca.issueServerCertificate({}).certificatePem].map(
    (pem) => parseCertificate(pem).der,
  );
  const requests: Buffer[] = [];
  const rsa = "-newkey rsa:2048 -nodes -keyout key.pem";
  for (const key of [EC_KEY, rsa, `${rsa} -sigopt rsa_padding_mode:pss`]) {
    openssl.run(`req -x509 -config rich.cnf -outform DER -out made ${key}`);
    certificates.push(openssl.readBytes("made"));
    openssl.run(`req -new -config rich.cnf -outform DER -out made ${key}`);
    requests.push(openssl.readBytes("made"));
  }
  return { certificates: certificates.map((der) => Buffer.from(der)), requests };
}

/** Undefined when it was refused as everything must be that is not taken. */
function taken<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof FleetrigError && CODES.has(error.code)) return undefined;
    throw error;
  }
}

const pemOf = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString("base64").replaceAll(/.{64}/g, "$&\n")}\n-----END ${label}-----\n`;

describe("mutated certificates and requests", () => {
  const { certificates, requests } = seeds();

  it(`are refused or read as OpenSSL reads them (${RUNS} mutants in DER)`, () => {
    const random = source.stream("der");
    const untouched = new Set(certificates.map((der) => der.toString("hex")));
    const authorities = certificates.map((der) => parseCertificate(der));
    let survivors = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const der = mutant(random.pick(certificates), random);
      const read = taken(() => parseCertificate(der));
      if (read === undefined) continue;
      survivors += 1;
      const theirs = new X509Certificate(der);
      expect(read.certificateId).toBe(createHash("sha256").update(der).digest("hex"));
      expect(theirs.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(read.certificateId);
      expect(read.isCa && read.keyUsage?.has("keyCertSign") !== false).toBe(theirs.ca);
      const isSigned = authorities.some((authority) => read.isSignedBy(authority));
      expect(isSigned).toBe(untouched.has(der.toString("hex")));
      expect([read.validFromMs, read.validToMs]).toEqual([
        Date.parse(theirs.validFrom),
        Date.parse(theirs.validTo),
      ]);
    }
    expect(survivors).toBeGreaterThan(RUNS / 20);
  });

  it(`in PEM, text and all, end in nothing but our errors (${FEWER_RUNS} mutants)`, () => {
    const random = source.stream("pem");
    let refused = 0;
    for (let run = 0; run < FEWER_RUNS; run += 1) {
      const text = pemOf("CERTIFICATE", random.pick(certificates)).repeat(1 + random.below(2));
      const broken = mutant(Buffer.from(text), random).toString("latin1");
      if (taken(() => parseCertificate(broken)) === undefined) refused += 1;
      taken(() => parseCertificateBundle(broken));
    }
    expect(refused).toBeGreaterThan(FEWER_RUNS / 20);
  });

  it(`that are requests prove possession or are refused (${FEWER_RUNS} mutants)`, () => {
    const random = source.stream("requests");
    const untouched = new Set(requests.map((der) => der.toString("hex")));
    for (let run = 0; run < FEWER_RUNS; run += 1) {
      const der = mutant(random.pick(requests), random);
      const read = taken(() =>
        parseCertificateRequest(random.chance(0.5) ? der : pemOf("CERTIFICATE REQUEST", der)),
      );
      if (read !== undefined) expect(untouched).toContain(der.toString("hex"));
    }
  });
});
