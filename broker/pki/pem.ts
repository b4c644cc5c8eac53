import { createHash } from "node:crypto";
import { MAX_PEM_BYTES, type Refuse } from "./refusal.js";

/** Textual encodings of RFC 7468: a label, base64 in lines of 64 characters. */
const BEGIN = "-----BEGIN ";
const DASHES = "-----";
const LINE = 64;
/** Labels of a certificate; trusted ones of OpenSSL carry more than the certificate and are none. */
export const CERTIFICATE_LABELS: readonly string[] = ["CERTIFICATE", "X509 CERTIFICATE"];
export const REQUEST_LABELS: readonly string[] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/** Most certificates that one bundle may have; OpenSSL follows chains of 100. */
const MAX_BUNDLE = 100;

export function writePem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
  let text = `${BEGIN}${label}${DASHES}\n`;
  for (let at = 0; at < base64.length; at += LINE) text += `${base64.slice(at, at + LINE)}\n`;
  return `${text}-----END ${label}${DASHES}\n`;
}

interface PemBlock {
  readonly der: Buffer;
  /** Where the text after it begins. */
  readonly end: number;
}

/** The first block with one of the labels at or after `from`; text around blocks is left alone. */
function nextBlock(
  text: string,
  labels: readonly string[],
  from: number,
  refuse: Refuse,
): PemBlock | undefined {
  for (let at = text.indexOf(BEGIN, from); at >= 0; at = text.indexOf(BEGIN, at + 1)) {
    const labelEnd = text.indexOf(DASHES, at + BEGIN.length);
    if (labelEnd < 0) return undefined;
    const label = text.slice(at + BEGIN.length, labelEnd);
    if (!labels.includes(label)) continue;
    const bodyStart = labelEnd + DASHES.length;
    const bodyEnd = text.indexOf(DASHES, bodyStart);
    const end = bodyEnd + `-----END ${label}-----`.length;
    if (bodyEnd < 0 || text.slice(bodyEnd, end) !== `-----END ${label}-----`)
      return refuse("its PEM has no end line that belongs to its first line");
    return { der: base64Bytes(text.slice(bodyStart, bodyEnd), refuse), end };
  }
  return undefined;
}

/** Node reads base64 leniently; here nothing may be skipped but white space. */
function base64Bytes(body: string, refuse: Refuse): Buffer {
  const base64 = body.replaceAll(/\s+/g, "");
  const bytes = Buffer.from(base64, "base64");
  if (base64.length === 0 || bytes.toString("base64") !== base64) return refuse("its PEM is no base64");
  return bytes;
}

/** The DER of text or bytes, which may be PEM or DER; the first block counts. Bytes are copied: their owner may go on. */
export function readDer(
  pemOrDer: string | Uint8Array,
  labels: readonly string[],
  refuse: Refuse,
): Uint8Array {
  if (pemOrDer.length === 0) return refuse("it is empty");
  if (pemOrDer.length > MAX_PEM_BYTES) return refuse(`it is longer than ${MAX_PEM_BYTES} bytes`);
  if (typeof pemOrDer !== "string" && pemOrDer[0] === 0x30) return Buffer.from(pemOrDer);
  const text = typeof pemOrDer === "string" ? pemOrDer : Buffer.from(pemOrDer).toString("latin1");
  return nextBlock(text, labels, 0, refuse)?.der ?? refuse(`it has no PEM block "${labels[0]}"`);
}

/** The DER of every certificate in a bundle, in its order. */
export function readBundle(text: string, refuse: Refuse): Buffer[] {
  if (text.length > MAX_PEM_BYTES) return refuse(`it is longer than ${MAX_PEM_BYTES} bytes`);
  const found: Buffer[] = [];
  let block = nextBlock(text, CERTIFICATE_LABELS, 0, refuse);
  while (block !== undefined) {
    if (found.push(block.der) > MAX_BUNDLE) return refuse(`it has more than ${MAX_BUNDLE} certificates`);
    block = nextBlock(text, CERTIFICATE_LABELS, block.end, refuse);
  }
  return found;
}

/** Lower-case hex SHA-256 of the DER: AWS's certificate id. */
export const certificateIdOf = (der: Uint8Array): string => createHash("sha256").update(der).digest("hex");
