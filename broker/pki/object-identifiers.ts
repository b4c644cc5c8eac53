/** The names of AWS's policy variables for the attributes of a subject or issuer (`iot:Certificate.Subject.<name>`). */
export const NAME_ATTRIBUTES = {
  DistinguishedNameQualifier: "2.5.4.46",
  Country: "2.5.4.6",
  Organization: "2.5.4.10",
  OrganizationalUnit: "2.5.4.11",
  State: "2.5.4.8",
  CommonName: "2.5.4.3",
  SerialNumber: "2.5.4.5",
  Title: "2.5.4.12",
  Surname: "2.5.4.4",
  GivenName: "2.5.4.42",
  Initials: "2.5.4.43",
  Pseudonym: "2.5.4.65",
  GenerationQualifier: "2.5.4.44",
} as const;

export type NameAttribute = keyof typeof NAME_ATTRIBUTES;

export const ATTRIBUTE_BY_IDENTIFIER: ReadonlyMap<string, NameAttribute> = new Map(
  Object.entries(NAME_ATTRIBUTES).map(([name, identifier]) => [identifier, name as NameAttribute]),
);

/** Short names for the text form [RFC 4514 §3] and those OpenSSL shows; all others are written by number. */
export const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ["2.5.4.3", "CN"],
  ["2.5.4.6", "C"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "ST"],
  ["2.5.4.9", "STREET"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
  ["0.9.2342.19200300.100.1.25", "DC"],
  ["0.9.2342.19200300.100.1.1", "UID"],
]);

export const EXTENSION = {
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAlternativeName: "2.5.29.17",
  issuerAlternativeName: "2.5.29.18",
  basicConstraints: "2.5.29.19",
  authorityKeyId: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  /** The attribute of a certificate request that asks for extensions [RFC 2985 §5.4.2]. */
  request: "1.2.840.113549.1.9.14",
} as const;

export const PURPOSE = { serverAuth: "1.3.6.1.5.5.7.3.1", clientAuth: "1.3.6.1.5.5.7.3.2" } as const;

export const KEY = { ec: "1.2.840.10045.2.1", p256: "1.2.840.10045.3.1.7" } as const;

export type KeyKind = "rsa" | "rsa-pss" | "ec" | "ed25519" | "ed448";

/** Keys that certificates here may have; DSA and DH are not among them. */
export const KEY_KINDS: ReadonlyMap<string, KeyKind> = new Map([
  ["1.2.840.113549.1.1.1", "rsa"],
  ["1.2.840.113549.1.1.10", "rsa-pss"],
  [KEY.ec, "ec"],
  ["1.3.101.112", "ed25519"],
  ["1.3.101.113", "ed448"],
]);

/** Curves by OpenSSL's names. */
export const CURVES: ReadonlyMap<string, { readonly name: string; readonly bits: number }> = new Map([
  ["1.2.840.10045.3.1.1", { name: "prime192v1", bits: 192 }],
  ["1.3.132.0.33", { name: "secp224r1", bits: 224 }],
  [KEY.p256, { name: "prime256v1", bits: 256 }],
  ["1.3.132.0.10", { name: "secp256k1", bits: 256 }],
  ["1.3.132.0.34", { name: "secp384r1", bits: 384 }],
  ["1.3.132.0.35", { name: "secp521r1", bits: 521 }],
  ["1.3.36.3.3.2.8.1.1.7", { name: "brainpoolP256r1", bits: 256 }],
  ["1.3.36.3.3.2.8.1.1.11", { name: "brainpoolP384r1", bits: 384 }],
  ["1.3.36.3.3.2.8.1.1.13", { name: "brainpoolP512r1", bits: 512 }],
]);

/** How a signature is checked. `digest` is null where the algorithm has its own, undefined where parameters say it. */
export interface SignatureAlgorithm {
  /** As in Java's and AWS's names. */
  readonly name: string;
  readonly digest?: string | null;
}

export const SIGNATURE_ALGORITHMS: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ["1.2.840.113549.1.1.5", { name: "SHA1WITHRSA", digest: "sha1" }],
  ["1.2.840.113549.1.1.14", { name: "SHA224WITHRSA", digest: "sha224" }],
  ["1.2.840.113549.1.1.11", { name: "SHA256WITHRSA", digest: "sha256" }],
  ["1.2.840.113549.1.1.12", { name: "SHA384WITHRSA", digest: "sha384" }],
  ["1.2.840.113549.1.1.13", { name: "SHA512WITHRSA", digest: "sha512" }],
  ["1.2.840.113549.1.1.10", { name: "RSASSAPSS" }],
  ["1.2.840.10045.4.1", { name: "ECDSA-WITH-SHA1", digest: "sha1" }],
  ["1.2.840.10045.4.3.1", { name: "ECDSA-WITH-SHA224", digest: "sha224" }],
  ["1.2.840.10045.4.3.2", { name: "ECDSA-WITH-SHA256", digest: "sha256" }],
  ["1.2.840.10045.4.3.3", { name: "ECDSA-WITH-SHA384", digest: "sha384" }],
  ["1.2.840.10045.4.3.4", { name: "ECDSA-WITH-SHA512", digest: "sha512" }],
  ["1.3.101.112", { name: "ED25519", digest: null }],
  ["1.3.101.113", { name: "ED448", digest: null }],
]);

export const DIGESTS: ReadonlyMap<string, string> = new Map([
  ["1.3.14.3.2.26", "sha1"],
  ["2.16.840.1.101.3.4.2.4", "sha224"],
  ["2.16.840.1.101.3.4.2.1", "sha256"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
]);
