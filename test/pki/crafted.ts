/** Certificates put together by hand, one byte at a time, for what no tool would write. */
export const tlv = (tag: number, ...parts: readonly (Uint8Array | readonly number[])[]): Buffer => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = content;
  const header =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...header]), content]);
};

export const text = (value: string): Buffer => Buffer.from(value, "latin1");

export const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex.replaceAll(" ", ""), "hex"));

export const OID = {
  commonName: oid("55 04 03"),
  basicConstraints: oid("55 1d 13"),
  keyUsage: oid("55 1d 0f"),
  subjectAltName: oid("55 1d 11"),
  ecPublicKey: oid("2a 86 48 ce 3d 02 01"),
  p256: oid("2a 86 48 ce 3d 03 01 07"),
  ecdsaSha256: oid("2a 86 48 ce 3d 04 03 02"),
  rsa: oid("2a 86 48 86 f7 0d 01 01 01"),
  dsa: oid("2a 86 48 ce 38 04 01"),
};

export const name = (...values: readonly Uint8Array[]): Buffer =>
  tlv(0x30, ...values.map((value) => tlv(0x31, tlv(0x30, OID.commonName, value))));

const POINT = Buffer.from(
  "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" +
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
  "hex",
);

export const ecKey = (point: Uint8Array = POINT): Buffer =>
  tlv(0x30, tlv(0x30, OID.ecPublicKey, OID.p256), tlv(0x03, [0], point));

export const rsaKey = (modulus: readonly number[], exponent: readonly number[] = [1, 0, 1]): Buffer =>
  tlv(
    0x30,
    tlv(0x30, OID.rsa, [0x05, 0x00]),
    tlv(0x03, [0], tlv(0x30, tlv(0x02, modulus), tlv(0x02, exponent))),
  );

export interface Parts {
  readonly version?: Uint8Array;
  readonly serial?: Uint8Array;
  readonly innerAlgorithm?: Uint8Array;
  readonly algorithm?: Uint8Array;
  readonly issuer?: Uint8Array;
  readonly validity?: Uint8Array;
  readonly subject?: Uint8Array;
  readonly key?: Uint8Array;
  readonly extensions?: readonly Uint8Array[];
  readonly rest?: Uint8Array;
  readonly signature?: Uint8Array;
}

export const period = (from: string, to: string): Buffer =>
  tlv(0x30, tlv(0x17, text(from)), tlv(0x17, text(to)));

/** One that is in order wherever the parts do not say otherwise; its signature is not. */
export function craft(parts: Parts): Buffer {
  const algorithm = parts.algorithm ?? tlv(0x30, OID.ecdsaSha256);
  const extensions = parts.extensions === undefined ? [] : [tlv(0xa3, tlv(0x30, ...parts.extensions))];
  const signed = tlv(
    0x30,
    parts.version ?? tlv(0xa0, tlv(0x02, [2])),
    parts.serial ?? tlv(0x02, [1]),
    parts.innerAlgorithm ?? algorithm,
    parts.issuer ?? name(tlv(0x0c, text("issuer"))),
    parts.validity ?? period("260101000000Z", "491231235959Z"),
    parts.subject ?? name(tlv(0x0c, text("subject"))),
    parts.key ?? ecKey(),
    ...extensions,
    parts.rest ?? [],
  );
  const signature = parts.signature ?? tlv(0x03, [0], tlv(0x30, tlv(0x02, [1]), tlv(0x02, [1])));
  return tlv(0x30, signed, algorithm, signature);
}

export const extension = (identifier: Uint8Array, value: Uint8Array): Buffer =>
  tlv(0x30, identifier, tlv(0x04, value));
