import { createPublicKey, createVerify, type KeyObject } from "node:crypto";
import { cloudError } from "../cloud-error.js";

const MIN_MODULUS_BITS = 2048;
/** A signature of the largest RSA key that anybody uses has 2 KiB. */
const MAX_SIGNATURE_CHARS = 2_560;

/** @throws {FleetrigError} CLOUD_INVALID_REQUEST for what is no RSA key of at least 2,048 bits in PEM */
export function readSigningKey(name: string, pem: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPublicKey(pem);
  } catch {
    key = undefined;
  }
  const bits = key?.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key !== undefined && key.asymmetricKeyType === "rsa" && bits >= MIN_MODULUS_BITS) return key;
  throw cloudError("InvalidRequestException", `The public key ${name} cannot verify tokens.`, {
    hint: `It must be an RSA key of at least ${MIN_MODULUS_BITS} bits, in PEM.`,
  });
}

/** Is this the signature (RSA with SHA-256, base64) of the token by any of the keys? */
export function isSigned(token: string, signature: string, keys: Iterable<KeyObject>): boolean {
  if (signature.length > MAX_SIGNATURE_CHARS || !/^[A-Za-z0-9+/]{1,2560}={0,2}$/.test(signature))
    return false;
  const bytes = Buffer.from(signature, "base64");
  for (const key of keys) if (createVerify("sha256").update(token).verify(key, bytes)) return true;
  return false;
}
