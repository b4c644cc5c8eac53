import { constants, createHash, X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import type { KeyAndCertificate, Pem, TlsOptions } from "./listener-options.js";

/** Certificates, keys and authorities of one listener, read and checked. */
export interface Credentials {
  readonly options: SecureContextOptions;
  /** Contexts for particular server names, in lower case. */
  readonly named: ReadonlyMap<string, SecureContext>;
  /** Changes with the authorities and revocations: who was let in before may not be any more. */
  readonly authorities: string;
}

const CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const CRL = /-----BEGIN X509 CRL-----/;
const PRIVATE_KEY = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/;

const isFile = (pem: Pem): pem is string => typeof pem === "string" && !pem.includes("-----BEGIN");

const listOf = (pems: Pem | readonly Pem[] | undefined): readonly Pem[] => {
  if (pems === undefined) return [];
  return typeof pems === "string" || pems instanceof Uint8Array ? [pems] : pems;
};

/** Files that the credentials come from, to be watched. */
export const credentialFiles = ({ key, cert, ca, crl, certificates = [] }: TlsOptions): string[] =>
  [key, cert, ...listOf(ca), ...listOf(crl), ...certificates.flatMap((one) => [one.key, one.cert])].filter(
    isFile,
  );

/** Changes when one of the files does. */
export async function fileStamp(files: readonly string[]): Promise<string> {
  const stamps = files.map(async (file) => {
    const { mtimeMs, size, ino } = await stat(file);
    return `${mtimeMs}/${size}/${ino}`;
  });
  return (await Promise.all(stamps)).join();
}

const invalid = (what: string, cause?: unknown): FleetrigError =>
  new FleetrigError("LISTENER_CERTIFICATE_INVALID", `The TLS credentials cannot be used: ${what}.`, {
    hint: "Key and certificate must be PEM and belong together; client certificates need the authorities that sign them.",
    exitCode: EXIT.usage,
    cause,
  });

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Reads everything from disk and checks it, so that nothing half read is ever served. */
export async function loadCredentials(tls: TlsOptions): Promise<Credentials> {
  const ca = await readAll(tls.ca, "an authority");
  const crl = await readAll(tls.crl, "a revocation list");
  const { clientCertificates = "none" } = tls;
  const asksClients = clientCertificates === "request" || clientCertificates === "require";
  // Without authorities of its own, TLS would believe every public one.
  if (asksClients && ca.length === 0)
    throw invalid("client certificates are asked for, and no authority is named");
  for (const text of ca) checkCertificates(text, "an authority");
  for (const text of crl) if (!CRL.test(text)) throw invalid("a revocation list holds none");
  const authorities = createHash("sha256")
    .update(JSON.stringify([ca, crl]))
    .digest("hex");
  const shared: SecureContextOptions = {
    minVersion: tls.minVersion ?? "TLSv1.2",
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    // Sessions begun under other authorities are not resumed, whatever the ticket.
    sessionIdContext: authorities.slice(0, 32),
    // An empty list keeps the public authorities out, and lets clients choose among all their certificates.
    ...((ca.length > 0 || clientCertificates === "identify") && { ca: [...ca] }),
    ...(crl.length > 0 && { crl: [...crl] }),
  };
  const options = { ...shared, ...(await loadPair(tls)) };
  makeContext(options);
  const named = new Map<string, SecureContext>();
  for (const one of tls.certificates ?? []) {
    const context = makeContext({ ...shared, ...(await loadPair(one)) });
    for (const name of one.serverNames) named.set(name.toLowerCase(), context);
  }
  return { options, named, authorities };
}

async function loadPair(pair: KeyAndCertificate): Promise<{ key: string; cert: string }> {
  const key = await read(pair.key, "the key");
  const cert = await read(pair.cert, "the certificate");
  if (!PRIVATE_KEY.test(key)) throw invalid("the key is no private key in PEM");
  checkCertificates(cert, "the certificate");
  return { key, cert };
}

const readAll = (pems: TlsOptions["ca"], what: string): Promise<string[]> =>
  Promise.all(listOf(pems).map((pem) => read(pem, what)));

async function read(pem: Pem, what: string): Promise<string> {
  if (!isFile(pem)) return typeof pem === "string" ? pem : Buffer.from(pem).toString("latin1");
  try {
    return await readFile(pem, "latin1");
  } catch (error) {
    throw invalid(`${what} cannot be read (${reasonOf(error)})`, error);
  }
}

/** An empty or broken list of authorities must never pass for an open door. */
function checkCertificates(text: string, what: string): void {
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) throw invalid(`${what} holds no certificate`);
  for (const pem of found) {
    try {
      void new X509Certificate(pem.replaceAll("TRUSTED ", ""));
    } catch (error) {
      throw invalid(`${what} is broken (${reasonOf(error)})`, error);
    }
  }
}

function makeContext(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    throw invalid(reasonOf(error), error);
  }
}

/** The context for a server name: its own, or that of the wildcard one level above. */
export function contextFor({ named }: Credentials, serverName: string): SecureContext | undefined {
  const name = serverName.toLowerCase();
  const dot = name.indexOf(".");
  return named.get(name) ?? (dot < 0 ? undefined : named.get(`*${name.slice(dot)}`));
}

/** A context for one more name of a server whose listeners identify clients, with the rules of all others. */
export const makeServerContext = ({
  key,
  cert,
}: {
  readonly key: string;
  readonly cert: string;
}): SecureContext =>
  makeContext({
    key,
    cert,
    ca: [],
    minVersion: "TLSv1.2",
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionIdContext: createHash("sha256").update(cert).digest("hex").slice(0, 32),
  });
