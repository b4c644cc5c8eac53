import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SecureContext } from "node:tls";
import { type Clock, EXIT, FleetrigError, type Random, replaceFile } from "fleetrig/kernel";
import { isAwsEndpoint } from "../gateway/index.js";
import { makeServerContext } from "../listeners/index.js";
import { type AuthorityPem, type CertificateAuthority, createCertificateAuthority } from "../pki/index.js";

export interface ServerAuthorityOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Where `pki/` is, or will be. Default: a new folder for temporary files, which goes with the server. */
  readonly directory: string | undefined;
  /** DNS names that clients may call the server by. */
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  /** Custom domains that are configured in the cloud. */
  readonly isOwnDomain: (name: string) => boolean;
}

const OWNER_ONLY_DIRECTORY = 0o700;
const OWNER_ONLY_FILE = 0o600;
/** Names with a certificate of their own that are remembered. */
const MAX_CONTEXTS = 256;

/**
 * The authority that signs the server's own certificate and those of devices. Its key is a file for its owner alone,
 * or nowhere but in memory.
 */
export class ServerAuthority {
  readonly authority: CertificateAuthority;
  /** PEM file of the CA certificate, for clients. */
  readonly caPath: string;
  /** Key and certificate of the server, for its names and addresses. */
  readonly key: string;
  readonly cert: string;
  private readonly contexts = new Map<string, SecureContext>();

  /** @throws FleetrigError `CLOUD_PKI_UNUSABLE`, `PKI_AUTHORITY_INVALID`, `PKI_NAME_INVALID`. */
  constructor(private readonly options: ServerAuthorityOptions) {
    const { clock, random, directory, names, addresses } = options;
    const folder = directory === undefined ? temporaryFolder() : privateFolder(join(directory, "pki"));
    const saved = directory === undefined ? undefined : readAuthority(folder);
    this.authority = createCertificateAuthority({ clock, random, ...(saved !== undefined && { saved }) });
    this.caPath = join(folder, "ca.pem");
    if (saved === undefined) {
      const { certificatePem, privateKeyPem } = this.authority.save();
      // The key first: a certificate without it would be of no use.
      if (directory !== undefined) writeDurably(join(folder, "ca.key"), privateKeyPem);
      writeDurably(this.caPath, certificatePem);
    }
    const { certificatePem, keyPair } = this.authority.issueServerCertificate({ names, addresses });
    this.cert = certificatePem;
    this.key = keyPair.privateKeyPem;
  }

  /** What is shown to clients that ask for another name: AWS's own names, and custom domains. */
  contextFor(serverName: string): SecureContext | undefined {
    const name = serverName.toLowerCase();
    const known = this.contexts.get(name);
    if (known !== undefined) return known;
    if (!isAwsEndpoint(name) && !this.options.isOwnDomain(name)) return undefined;
    const { certificatePem, keyPair } = this.authority.issueServerCertificate({ names: [name] });
    const context = makeServerContext({ key: keyPair.privateKeyPem, cert: certificatePem });
    if (this.contexts.size >= MAX_CONTEXTS) this.contexts.clear();
    this.contexts.set(name, context);
    return context;
  }

  stop(): Promise<void> {
    this.authority.stop();
    if (this.options.directory === undefined)
      rmSync(join(this.caPath, ".."), { recursive: true, force: true });
    return Promise.resolve();
  }
}

const unusable = (what: string, cause?: unknown): FleetrigError =>
  new FleetrigError("CLOUD_PKI_UNUSABLE", `The certificate authority cannot be used: ${what}.`, {
    hint: "pki/ in the data directory needs ca.pem and ca.key, readable by this user. Restore them, or begin with a new directory.",
    exitCode: EXIT.environment,
    cause,
  });

const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), "fleetrig-cloud-"));

function privateFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: OWNER_ONLY_DIRECTORY });
    chmodSync(path, OWNER_ONLY_DIRECTORY);
    return path;
  } catch (cause) {
    throw unusable((cause as Error).message, cause);
  }
}

/** Nothing, or both files: devices that trust a CA whose key is lost could never be served again. */
function readAuthority(folder: string): AuthorityPem | undefined {
  const [certificate, key] = [join(folder, "ca.pem"), join(folder, "ca.key")];
  if (!existsSync(certificate)) return undefined;
  if (!existsSync(key)) throw unusable(`${key} is missing`);
  try {
    chmodSync(key, OWNER_ONLY_FILE);
    return { certificatePem: readFileSync(certificate, "utf8"), privateKeyPem: readFileSync(key, "utf8") };
  } catch (cause) {
    throw unusable((cause as Error).message, cause);
  }
}

/** Under its name the file is complete or not there. */
function writeDurably(path: string, text: string): void {
  try {
    replaceFile(path, text);
  } catch (cause) {
    throw unusable((cause as Error).message, cause);
  }
}
