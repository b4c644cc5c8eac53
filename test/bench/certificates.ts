import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const OPENSSL = "/usr/bin/openssl";

export const opensslMissing = (): string | undefined =>
  existsSync(OPENSSL) ? undefined : `${OPENSSL} is not installed`;

/** P-256, as devices have it. */
const NEW_KEY = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** A folder with an authority and what it signed for a server and for a device: `ca`, `server`, `client`. */
export function makeCertificates(): string {
  const folder = mkdtempSync(join(tmpdir(), "fleetrig-bench-"));
  const make = (name: string, more: readonly string[]): void => {
    const files = ["-keyout", `${name}.key`, "-out", `${name}.crt`, "-days", "2"];
    execFileSync(OPENSSL, [...NEW_KEY, ...files, "-subj", `/CN=bench ${name}`, ...more], {
      cwd: folder,
      stdio: "ignore",
    });
  };
  const signed = ["-CA", "ca.crt", "-CAkey", "ca.key"];
  const extension = (text: string): string[] => ["-addext", text];
  make("ca", []);
  make("server", [...signed, ...extension("subjectAltName=DNS:localhost,IP:127.0.0.1")]);
  make("client", [...signed, ...extension("extendedKeyUsage=clientAuth")]);
  return folder;
}
