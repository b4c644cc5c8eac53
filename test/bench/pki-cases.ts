import { execFileSync } from "node:child_process";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  parseCertificate,
  parseCertificateRequest,
} from "fleetrig/broker";
import { createRandomSource, RealTime } from "fleetrig/kernel";
import type { BenchCase, Figure } from "./bench-case.js";
import { OPENSSL, opensslMissing } from "./certificates.js";

const DEVICES = 10_000;
/** The compiler is done with it after so many. */
const WARM_UP = 500;
const RSA_KEYS = 20;

const authority = (): CertificateAuthority =>
  createCertificateAuthority({ clock: new RealTime(), random: createRandomSource(1).stream("pki") });

/** How often per second something is done, one after the other on one thread. */
function rate(name: string, count: number, work: (at: number) => void): Figure {
  for (let at = 0; at < WARM_UP; at += 1) work(at);
  const startedMs = performance.now();
  for (let at = 0; at < count; at += 1) work(at);
  return { name, value: count / ((performance.now() - startedMs) / 1000), unit: "1/s" };
}

const issue: BenchCase = {
  name: "pki-issue",
  description: `identities of ${DEVICES} devices: EC key, certificate and PEM, one after the other`,
  async run() {
    const ca = authority();
    const made: string[] = [];
    const issued = rate("EC identities", DEVICES, (at) => {
      const { certificatePem } = ca.issueCertificate({ subject: { CommonName: `thing-${at}` } });
      made.push(certificatePem);
    });
    const own = ca.certificate;
    return [
      { ...issued, least: 2_000 },
      rate("certificates read", DEVICES, (at) => parseCertificate(made[at]!)),
      rate("certificates read and verified", DEVICES, (at) => parseCertificate(made[at]!).isSignedBy(own)),
    ];
  },
};

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "/dev/null"];

const requests: BenchCase = {
  name: "pki-requests",
  description: "certificate signing requests (EC): verified, and certified",
  skipped: opensslMissing,
  async run() {
    const csr = execFileSync(OPENSSL, ["req", "-new", "-subj", "/CN=bench", ...KEY], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ca = authority();
    return [
      rate("requests read and verified", DEVICES, () => parseCertificateRequest(csr)),
      rate("certificates from requests", DEVICES, () => ca.certificateFromCsr(csr)),
    ];
  },
};

const rsa: BenchCase = {
  name: "pki-rsa",
  description: `RSA-2048 identities, ${RSA_KEYS} asked for at once; keys are made on two threads`,
  async run() {
    const ca = authority();
    const startedMs = performance.now();
    await Promise.all(Array.from({ length: RSA_KEYS }, async () => ca.createKeysAndCertificate()));
    const perSecond = RSA_KEYS / ((performance.now() - startedMs) / 1000);
    ca.stop();
    return [{ name: "RSA identities", value: perSecond, unit: "1/s" }];
  },
};

export const PKI_CASES: readonly BenchCase[] = [issue, requests, rsa];
