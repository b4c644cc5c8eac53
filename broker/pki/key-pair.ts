import { createECDH, generateKeyPair, generateKeyPairSync } from "node:crypto";
import { promisify } from "node:util";
import { bitString, explicit, integer, objectIdentifier, octetString, sequence } from "./der-writer.js";
import { KEY } from "./object-identifiers.js";
import { writePem } from "./pem.js";

/** `rsa-2048` is what AWS makes; `ec-p256` takes a thousandth of its time. */
export type KeyType = "rsa-2048" | "ec-p256";

/** A new key pair, on its way into a certificate. */
export interface NewKeyPair {
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKeyDer: Uint8Array;
  /** RSA: PKCS #1, as AWS hands it out; EC: PKCS #8, which every TLS library reads. */
  readonly privateKeyPem: string;
}

const P256 = sequence(objectIdentifier(KEY.ec), objectIdentifier(KEY.p256));
const [ZERO, ONE] = [integer(Buffer.of(0)), integer(Buffer.of(1))];
const P256_BYTES = 32;

/** SubjectPublicKeyInfo of an uncompressed point on P-256 [RFC 5480]. */
export const p256PublicKey = (point: Uint8Array): Buffer => sequence(P256, bitString(point));

/** Written here by hand: OpenSSL takes five times as long to write a key as to make it. */
function newP256KeyPair(): NewKeyPair {
  const pair = createECDH("prime256v1");
  const point = pair.generateKeys();
  const secret = pair.getPrivateKey();
  const padded = Buffer.alloc(P256_BYTES);
  secret.copy(padded, P256_BYTES - secret.length);
  // ECPrivateKey [RFC 5915] inside PrivateKeyInfo [RFC 5208].
  const inner = sequence(ONE, octetString(padded), explicit(1, bitString(point)));
  const privateKey = sequence(ZERO, P256, octetString(inner));
  return { publicKeyDer: p256PublicKey(point), privateKeyPem: writePem("PRIVATE KEY", privateKey) };
}

const RSA_OPTIONS = {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "der" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
} as const;

const named = ({ publicKey, privateKey }: { publicKey: Buffer; privateKey: string }): NewKeyPair => ({
  publicKeyDer: publicKey,
  privateKeyPem: privateKey,
});

const generateInBackground = promisify(generateKeyPair);

/** On a thread of its own: about 140 ms of one core. */
export const newRsaKeyPair = async (): Promise<NewKeyPair> =>
  named(await generateInBackground("rsa", RSA_OPTIONS));

/** Blocks for as long as the key takes, RSA about 140 ms: for authorities and servers, which are few. */
export const newKeyPair = (keyType: KeyType): NewKeyPair =>
  keyType === "ec-p256" ? newP256KeyPair() : named(generateKeyPairSync("rsa", RSA_OPTIONS));
