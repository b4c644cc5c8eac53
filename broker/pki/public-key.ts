import { createPublicKey, ECDH, type KeyObject } from "node:crypto";
import type { DerReader } from "./der-reader.js";
import { TAG } from "./der-writer.js";
import { CURVES, type KeyKind, KEY_KINDS } from "./object-identifiers.js";
import type { Refuse } from "./refusal.js";

/** A public key out of a certificate or a request. */
export interface PublicKeyDescription {
  readonly keyType: KeyKind;
  /** Bits of the modulus or of the curve. */
  readonly keyBits: number;
  /** OpenSSL's name of the curve, for `ec`. */
  readonly curve?: string;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKeyDer: Uint8Array;
}

/** Beyond this OpenSSL does not verify either. */
const MAX_RSA_BITS = 16_384;
const MAX_EXPONENT_BYTES = 8;

/**
 * Reads a SubjectPublicKeyInfo [RFC 5280 §4.1.2.7] by hand: what OpenSSL would compute with (curves given by their
 * parameters, DSA, moduli of any size) is refused before it sees it, and this takes a tenth of its time.
 */
export function readPublicKey(reader: DerReader, refuse: Refuse): PublicKeyDescription {
  const publicKeyDer = reader.next(TAG.sequence).bytes;
  const info = reader.of(publicKeyDer).into(TAG.sequence);
  const algorithm = info.into(TAG.sequence);
  const bits = info.wholeBits();
  info.end();
  const keyType = KEY_KINDS.get(algorithm.objectIdentifier());
  switch (keyType) {
    case "rsa":
    case "rsa-pss":
      return { keyType, keyBits: modulusBits(info.of(bits).into(TAG.sequence), refuse), publicKeyDer };
    case "ec": {
      if (algorithm.nextTag !== TAG.objectIdentifier) return refuse("its key is on a curve without a name");
      const curve = CURVES.get(algorithm.objectIdentifier());
      if (curve === undefined) return refuse("its key is on an unknown curve");
      checkPoint(bits, curve.name, refuse);
      return { keyType, keyBits: curve.bits, curve: curve.name, publicKeyDer };
    }
    case "ed25519":
    case "ed448":
      if (bits.length !== EDWARDS[keyType].bytes) return refuse("its public key is broken");
      return { keyType, keyBits: EDWARDS[keyType].bits, publicKeyDer };
    default:
      return refuse("its key is neither RSA nor of an elliptic curve");
  }
}

const EDWARDS = { ed25519: { bytes: 32, bits: 256 }, ed448: { bytes: 57, bits: 456 } } as const;

/** RSAPublicKey [RFC 8017 §A.1.1]. */
function modulusBits(key: DerReader, refuse: Refuse): number {
  const modulus = positive(key, refuse);
  const exponent = positive(key, refuse);
  key.end();
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits > MAX_RSA_BITS) return refuse(`its RSA key has more than ${MAX_RSA_BITS} bits`);
  const isOdd = ((modulus.at(-1) ?? 0) & (exponent.at(-1) ?? 0) & 1) === 1;
  return isOdd && exponent.length <= MAX_EXPONENT_BYTES ? bits : refuse("its public key is broken");
}

/** A positive integer without the zero in front that keeps it positive. */
function positive(reader: DerReader, refuse: Refuse): Uint8Array {
  const bytes = reader.integer();
  if (bytes[0]! >= 0x80 || (bytes.length === 1 && bytes[0] === 0)) return refuse("its public key is broken");
  return bytes[0] === 0 ? bytes.subarray(1) : bytes;
}

function checkPoint(point: Uint8Array, curve: string, refuse: Refuse): void {
  // The point at infinity is one byte; on every curve, and nobody's key.
  if (point.length <= 1) refuse("its public key is no point on its curve");
  try {
    ECDH.convertKey(point, curve);
  } catch {
    refuse("its public key is no point on its curve");
  }
}

/** The key for verifying signatures. */
export function importPublicKey(der: Uint8Array, refuse: Refuse): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
  } catch {
    return refuse("its public key is broken");
  }
}
