import { EC_KEY, OpenSsl } from "../pki/openssl.js";

/** A device's request for a certificate, as OpenSSL makes it. */
export function newRequest(commonName = "device"): string {
  const openssl = new OpenSsl();
  try {
    return openssl.run(`req -new ${EC_KEY} -subj /CN=${commonName}`);
  } finally {
    openssl.remove();
  }
}
