import { createPublicKey, type KeyObject } from "node:crypto";
import type { DerReader } from "./der-reader.js";
import { TAG } from "./der-writer.js";
import { KEY } from "./object-identifiers.js";
import type { Refuse } from "./refusal.js";

/** A public key out of a certificate or a request. */
export interface PublicKeyDescription {
  readonly keyType: "rsa" | "rsa-pss" | "ec" | "ed25519" | "ed448";
  /** Bits of the modulus or of the curve. */
  readonly keyBits: number;
  /** OpenSSL's name of the curve, for `ec`. */
  readonly curve?: string;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKeyDer: Uint8Array;
  readonly key: KeyObject;
}

const KINDS: ReadonlySet<string> = new Set([KEY.rsa, KEY.rsaPss, KEY.ec, KEY.ed25519, KEY.ed448]);
/** Beyond this OpenSSL does not verify either. */
const MAX_RSA_BITS = 16_384;

const CURVE_BITS: ReadonlyMap<string, number> = new Map([
  ["prime192v1", 192],
  ["secp224r1", 224],
  ["prime256v1", 256],
  ["secp256k1", 256],
  ["secp384r1", 384],
  ["secp521r1", 521],
  ["brainpoolP256r1", 256],
  ["brainpoolP384r1", 384],
  ["brainpoolP512r1", 512],
]);

export function readPublicKey(reader: DerReader, refuse: Refuse): PublicKeyDescription {
  const publicKeyDer = reader.next(TAG.sequence).bytes;
  checkAlgorithm(reader.of(publicKeyDer).into(TAG.sequence).into(TAG.sequence), refuse);
  const key = importKey(publicKeyDer, refuse);
  const keyType = key.asymmetricKeyType;
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (keyType) {
    case "rsa":
    case "rsa-pss":
      if (modulusLength > MAX_RSA_BITS) return refuse(`its RSA key has more than ${MAX_RSA_BITS} bits`);
      return { keyType, keyBits: modulusLength, publicKeyDer, key };
    case "ec": {
      const keyBits = CURVE_BITS.get(namedCurve ?? "");
      if (namedCurve === undefined || keyBits === undefined) return refuse("its key is on an unknown curve");
      return { keyType, keyBits, curve: namedCurve, publicKeyDer, key };
    }
    case "ed25519":
      return { keyType, keyBits: 253, publicKeyDer, key };
    case "ed448":
      return { keyType, keyBits: 456, publicKeyDer, key };
    default:
      return refuse("its key is neither RSA nor of an elliptic curve");
  }
}

/** Curves come by name: one spelled out by its parameters would be computed with before anybody knows what it is. */
function checkAlgorithm(algorithm: DerReader, refuse: Refuse): void {
  const kind = algorithm.objectIdentifier();
  if (!KINDS.has(kind)) refuse("its key is neither RSA nor of an elliptic curve");
  if (kind === KEY.ec && algorithm.nextTag !== TAG.objectIdentifier)
    refuse("its key is on a curve without a name");
}

function importKey(der: Uint8Array, refuse: Refuse): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
  } catch {
    return refuse("its public key is broken");
  }
}
