import { generateKeyPairSync } from "node:crypto";
import forge from "node-forge";

/** A key with its certificate, PEM. */
interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** An authority that signs certificates for tests. */
export interface Authority extends Identity {
  issue(options: IssueOptions): Identity;
}

interface IssueOptions {
  readonly commonName: string;
  /** Names and addresses of a server. */
  readonly names?: readonly string[];
  /** Days from now; negative for the past. Default 30. */
  readonly days?: number;
}

const DAY_MS = 86_400_000;
let serial = 1;

function newKey(): { pem: string; keys: forge.pki.rsa.KeyPair } {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const own = forge.pki.privateKeyFromPem(pem);
  return { pem, keys: { privateKey: own, publicKey: forge.pki.setRsaPublicKey(own.n, own.e) } };
}

function certificate(
  subject: string,
  publicKey: forge.pki.rsa.PublicKey,
  days: number,
): forge.pki.Certificate {
  const cert = forge.pki.createCertificate();
  serial += 1;
  cert.publicKey = publicKey;
  cert.serialNumber = serial.toString(16).padStart(4, "0");
  cert.validity.notBefore = new Date(Date.now() - 2 * DAY_MS);
  cert.validity.notAfter = new Date(Date.now() + days * DAY_MS);
  cert.setSubject([{ name: "commonName", value: subject }]);
  return cert;
}

/** Makes an authority with a key of its own; what it issues shares one other key, which is quicker. */
export function makeAuthority(commonName: string): Authority {
  const own = newKey();
  const leaf = newKey();
  const root = certificate(commonName, own.keys.publicKey, 365);
  const issuer = root.subject.attributes;
  root.setIssuer(issuer);
  root.setExtensions([
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
  ]);
  root.sign(own.keys.privateKey, forge.md.sha256.create());
  return {
    key: own.pem,
    cert: forge.pki.certificateToPem(root),
    issue: ({ commonName: subject, names = [], days = 30 }) => {
      const cert = certificate(subject, leaf.keys.publicKey, days);
      cert.setIssuer(issuer);
      cert.setExtensions([
        { name: "extKeyUsage", serverAuth: true, clientAuth: true },
        ...(names.length === 0
          ? []
          : [
              {
                name: "subjectAltName",
                altNames: names.map((name) =>
                  /^[\d.]+$/.test(name) ? { type: 7, ip: name } : { type: 2, value: name },
                ),
              },
            ]),
      ]);
      cert.sign(own.keys.privateKey, forge.md.sha256.create());
      return { key: leaf.pem, cert: forge.pki.certificateToPem(cert) };
    },
  };
}
