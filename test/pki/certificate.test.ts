import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import { type CertificateDescription, parseCertificate, parseCertificateBundle } from "fleetrig/broker";
import { afterAll, describe, expect, it } from "vitest";
import { EC_KEY, OpenSsl } from "./openssl.js";

const openssl = new OpenSsl();
afterAll(() => openssl.remove());

interface Made {
  readonly config?: string;
  readonly key?: string;
  readonly more?: readonly string[];
}

/** A self-signed certificate of `openssl req`. */
function selfSigned({ config = "", key = EC_KEY, more = [] }: Made): CertificateDescription {
  const subject = config.includes("[dn]") ? "" : "[dn]\nCN = device\n";
  openssl.write(
    "req.cnf",
    `[req]\nprompt = no\nutf8 = yes\ndistinguished_name = dn\nx509_extensions = ext\n${config}\n${subject}[ext]\n`,
  );
  openssl.run(`req -x509 -config req.cnf -days 30 -out made.pem ${key}`, more);
  return parseCertificate(openssl.read("made.pem"));
}

/** The same, with extensions. */
function withExtensions(lines: string): CertificateDescription {
  openssl.write(
    "ext.cnf",
    `[req]\nprompt = no\ndistinguished_name = dn\nx509_extensions = ext\n[dn]\nCN = x\n${lines}`,
  );
  openssl.run(`req -x509 -config ext.cnf -days 30 -out made.pem ${EC_KEY}`);
  return parseCertificate(openssl.read("made.pem"));
}

describe("parseCertificate", () => {
  it("gives the attributes of a subject by the names of policy variables", () => {
    const { subject, issuer, isSelfIssued } = selfSigned({
      config: `[dn]
C = DE
ST = Bayern
L = München
O = Fabrik GmbH
0.OU = Halle 1
1.OU = Halle 2
CN = pumpe-7
serialNumber = 4711
title = Dr
SN = Müller
GN = Ada
initials = AM
pseudonym = rotor
generationQualifier = III
dnQualifier = q1
emailAddress = a@b.example
DC = example
`,
    });
    expect(subject.attributes).toEqual({
      Country: ["DE"],
      State: ["Bayern"],
      Organization: ["Fabrik GmbH"],
      OrganizationalUnit: ["Halle 1", "Halle 2"],
      CommonName: ["pumpe-7"],
      SerialNumber: ["4711"],
      Title: ["Dr"],
      Surname: ["Müller"],
      GivenName: ["Ada"],
      Initials: ["AM"],
      Pseudonym: ["rotor"],
      GenerationQualifier: ["III"],
      DistinguishedNameQualifier: ["q1"],
    });
    expect(subject.text).toContain("CN=pumpe-7,OU=Halle 2,OU=Halle 1,O=Fabrik GmbH,L=München,ST=Bayern,C=DE");
    expect(subject.text).toContain("1.2.840.113549.1.9.1=a@b.example");
    expect(isSelfIssued).toBe(true);
    expect(issuer.text).toBe(subject.text);
  });

  it("reads several values of one relative name, and escapes what would change the text", () => {
    const { subject } = selfSigned({
      config: '[dn]\nO = "a, b+c = d"\nCN = first\n+CN = second\n+OU = "#1 "\n',
    });
    expect(subject.attributes.CommonName).toEqual(["first", "second"]);
    expect(subject.attributes.OrganizationalUnit?.[0]).toMatch(/^#1/);
    expect(subject.text).toContain("O=a\\, b\\+c = d");
    expect(subject.text).toContain("OU=\\#1");
  });

  it.each([
    ["BMPString", 0x0800, "Gerät 7"],
    ["UTF8String", 0x2000, "Gerät 温度 😀"],
    ["T61String", 0x0004, "Gerät"],
  ])("reads a %s", (name, mask, text) => {
    const { subject } = selfSigned({ config: `string_mask = MASK:${mask}\n[dn]\nCN = ${text}\n` });
    expect(openssl.run("asn1parse -in made.pem")).toContain(name.toUpperCase());
    expect(subject.attributes.CommonName).toEqual([text]);
  });

  it("tells alternative names of every kind", () => {
    const { subjectAlternativeNames, issuerAlternativeNames } = withExtensions(`[ext]
subjectAltName = @san
issuerAltName = DNS:issuer.example
[san]
DNS.1 = a.example
DNS.2 = *.b.example
email = ops@example
URI = urn:dev:ops:1
IP.1 = 192.0.2.1
IP.2 = 2001:db8:0:0:1:0:0:1
RID = 1.2.3.4
otherName = 1.2.3.4;UTF8:hidden
dirName = dir
[dir]
O = Plant
CN = line, 1
`);
    expect(subjectAlternativeNames).toEqual({
      DNSName: ["a.example", "*.b.example"],
      RFC822Name: ["ops@example"],
      UniformResourceIdentifier: ["urn:dev:ops:1"],
      IPAddress: ["192.0.2.1", "2001:db8::1:0:0:1"],
      DirectoryName: ["CN=line\\, 1,O=Plant"],
    });
    expect(issuerAlternativeNames.DNSName).toEqual(["issuer.example"]);
  });

  it.each([
    ["basicConstraints = critical,CA:TRUE,pathlen:3", true],
    ["basicConstraints = CA:FALSE", false],
    ["basicConstraints = CA:FALSE,pathlen:0", false],
    ["keyUsage = digitalSignature", false],
  ])("tells an authority by its basic constraints: %s", (line, isCa) => {
    expect(withExtensions(`[ext]\n${line}\n`).isCa).toBe(isCa);
  });

  it("tells key usages and key identifiers", () => {
    const read = withExtensions(
      "[ext]\nkeyUsage = critical,keyCertSign,cRLSign,decipherOnly\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid:always\n",
    );
    expect([...(read.keyUsage ?? [])]).toEqual(["keyCertSign", "cRLSign", "decipherOnly"]);
    const shown = openssl.run("x509 -in made.pem -noout -ext subjectKeyIdentifier");
    expect(shown.replaceAll(":", "").toLowerCase()).toContain(read.subjectKeyId);
    expect(read.authorityKeyId).toBe(read.subjectKeyId);
    expect(withExtensions("[ext]\nsubjectKeyIdentifier = none\n").subjectKeyId).toBeUndefined();
  });

  const rsaKey = (bits: number): string => `-newkey rsa:${bits} -nodes -keyout key.pem`;
  const curveKey = (name: string): string => EC_KEY.replace("prime256v1", name);
  it.each([
    [rsaKey(1024), { keyType: "rsa", keyBits: 1024, signatureAlgorithm: "SHA256WITHRSA" }],
    [`${rsaKey(2048)} -sha1`, { keyType: "rsa", keyBits: 2048, signatureAlgorithm: "SHA1WITHRSA" }],
    [`${rsaKey(2048)} -md5`, { keyType: "rsa", keyBits: 2048, signatureAlgorithm: "1.2.840.113549.1.1.4" }],
    [`${rsaKey(3072)} -sha512`, { keyBits: 3072, signatureAlgorithm: "SHA512WITHRSA" }],
    [`${rsaKey(2048)} -sigopt rsa_padding_mode:pss`, { keyType: "rsa", signatureAlgorithm: "RSASSAPSS" }],
    [
      "-newkey rsa-pss -pkeyopt rsa_keygen_bits:2048 -nodes -keyout key.pem",
      { keyType: "rsa-pss", keyBits: 2048, signatureAlgorithm: "RSASSAPSS" },
    ],
    [EC_KEY, { keyType: "ec", keyBits: 256, curve: "prime256v1", signatureAlgorithm: "ECDSA-WITH-SHA256" }],
    [curveKey("secp384r1"), { keyType: "ec", keyBits: 384, curve: "secp384r1" }],
    [`${curveKey("secp521r1")} -sha512`, { keyBits: 521, signatureAlgorithm: "ECDSA-WITH-SHA512" }],
    ["-newkey ed25519 -nodes -keyout key.pem", { keyType: "ed25519", signatureAlgorithm: "ED25519" }],
    ["-newkey ed448 -nodes -keyout key.pem", { keyType: "ed448", keyBits: 456, signatureAlgorithm: "ED448" }],
  ])("describes key and signature of `openssl req %s`, and verifies it", (key, facts) => {
    const read = selfSigned({ key });
    expect(read).toMatchObject(facts);
    expect(read.isSignedBy(read)).toBe(true);
    expect(openssl.run("x509 -in made.pem -noout -pubkey")).toBe(read.publicKeyPem);
  });

  it("reads version 1, as old authorities have it", () => {
    openssl.run(`req -new -subj /CN=old -out old.csr ${EC_KEY}`);
    openssl.run("x509 -req -in old.csr -signkey key.pem -days 5 -out old.pem");
    const read = parseCertificate(openssl.read("old.pem"));
    expect(openssl.run("x509 -in old.pem -noout -text")).toContain("Version: 1 (0x0)");
    expect(read).toMatchObject({ version: 1, isCa: false, keyUsage: undefined });
    expect(read.isSignedBy(read)).toBe(true);
  });

  it("tells periods to the second, over or not", () => {
    openssl.write("db.txt", "");
    openssl.write(
      "ca.cnf",
      "[ca]\ndefault_ca = it\n[it]\ndatabase = db.txt\nnew_certs_dir = .\nrand_serial = yes\npolicy = any\ndefault_md = sha256\n[any]\ncommonName = supplied\n",
    );
    openssl.run(`req -x509 -subj /CN=ca -out ca.pem ${EC_KEY}`);
    const periods = [
      ["19700101000000Z", "20010228235959Z"],
      ["20491231235959Z", "20500101000000Z"],
      ["20240229120000Z", "99991231235959Z"],
    ] as const;
    for (const [from, to] of periods) {
      openssl.run(`req -new -subj /CN=${to} -out leaf.csr -key key.pem`);
      openssl.run(
        `ca -config ca.cnf -batch -notext -cert ca.pem -keyfile key.pem -in leaf.csr -out leaf.pem -startdate ${from} -enddate ${to}`,
      );
      const read = parseCertificate(openssl.read("leaf.pem"));
      const theirs = new X509Certificate(openssl.read("leaf.pem"));
      expect(read.validFromMs).toBe(Date.parse(theirs.validFrom));
      expect(read.validToMs).toBe(Date.parse(theirs.validTo));
      expect(read.serialNumber.replace(/^0+/, "")).toBe(theirs.serialNumber.toLowerCase().replace(/^0+/, ""));
    }
  });

  it("takes DER and PEM, with text around it and with either line end", () => {
    const { certificateId, der, certificatePem } = selfSigned({});
    const text = openssl.run("x509 -in made.pem -text");
    const windows = certificatePem.replaceAll("\n", "\r\n");
    const old = certificatePem.replaceAll(" CERTIFICATE", " X509 CERTIFICATE");
    for (const input of [
      der,
      certificatePem,
      text,
      windows,
      old,
      Buffer.from(certificatePem),
      certificatePem.trim(),
    ])
      expect(parseCertificate(input).certificateId).toBe(certificateId);
    expect(certificatePem).toBe(openssl.read("made.pem"));
  });

  it("tells who signed it by the signature, not by the name", () => {
    const mine = selfSigned({ config: "[dn]\nCN = same\n" });
    const theirs = selfSigned({ config: "[dn]\nCN = same\n" });
    expect([mine.isSignedBy(mine), mine.isSignedBy(theirs), theirs.isSignedBy(mine)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("does not take a key for an authority's whose usage says otherwise", () => {
    const read = withExtensions("[ext]\nkeyUsage = digitalSignature\n");
    expect(read.isSignedBy(read)).toBe(false);
  });
});

describe("the authorities that Node comes with", () => {
  it("are read as OpenSSL reads them, and have signed themselves", () => {
    expect(rootCertificates.length).toBeGreaterThan(100);
    for (const pem of rootCertificates) {
      const read = parseCertificate(pem);
      const theirs = new X509Certificate(pem);
      const { CN } = (theirs.toLegacyObject() as unknown as { subject: { CN?: string } }).subject;
      expect(read.subject.attributes.CommonName?.[0]).toBe(CN);
      expect(theirs.fingerprint256.replaceAll(":", "").toLowerCase(), CN).toBe(read.certificateId);
      expect([read.validFromMs, read.validToMs], CN).toEqual(
        [theirs.validFrom, theirs.validTo].map((time) => Date.parse(time)),
      );
      expect([read.isCa, read.isSelfIssued, read.isSignedBy(read)], CN).toEqual([true, true, true]);
    }
  });
});

describe("parseCertificateBundle", () => {
  it("takes a chain apart in its order, whatever stands between", () => {
    const [one, two] = [selfSigned({}), selfSigned({})];
    const text = `subject=x\n${one.certificatePem}\nissuer=y\n${two.certificatePem}-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n`;
    const found = parseCertificateBundle(text).map(({ certificateId }) => certificateId);
    expect(found).toEqual([one.certificateId, two.certificateId]);
    expect(parseCertificateBundle("nothing")).toEqual([]);
    expect(parseCertificate(text).certificateId).toBe(one.certificateId);
  });
});
