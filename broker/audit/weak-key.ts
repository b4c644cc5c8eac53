/*
 * CVE-2017-15361: the primes of keys made by some chips are k·M + (65537^a mod M), where M is the product of the first
 * primes. Modulo each of those primes the modulus of such a key is then a power of 65537, which happens by chance once
 * in about 10^8 keys.
 */
const SMALL_PRIMES = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
  109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];
const GENERATOR = 65_537;

function powersOf(generator: number, prime: number): ReadonlySet<number> {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * generator) % prime) powers.add(power);
  return powers;
}

const POWERS = SMALL_PRIMES.map((prime) => [prime, powersOf(GENERATOR % prime, prime)] as const);

/** @param modulus Of an RSA key, most significant byte first. */
export const hasPredictablePrimes = (modulus: Uint8Array): boolean =>
  POWERS.every(([prime, powers]) => {
    let rest = 0;
    for (const byte of modulus) rest = (rest * 256 + byte) % prime;
    return powers.has(rest);
  });

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;

/** The modulus in a SubjectPublicKeyInfo of an RSA key that was read before, so its structure is known to be right. */
export function modulusOf(publicKeyDer: Uint8Array): Uint8Array | undefined {
  const info = contentOf(publicKeyDer, SEQUENCE);
  const algorithm = info && elementAt(info, 0);
  if (info === undefined || algorithm === undefined) return undefined;
  const bits = contentOf(info.subarray(algorithm.end), BIT_STRING);
  const key = bits && contentOf(bits.subarray(1), SEQUENCE);
  return key && contentOf(key, INTEGER);
}

function contentOf(bytes: Uint8Array, tag: number): Uint8Array | undefined {
  const element = elementAt(bytes, 0);
  if (element === undefined || bytes[0] !== tag) return undefined;
  return bytes.subarray(element.start, element.end);
}

/** Where the content of an element of DER begins and ends. */
function elementAt(
  bytes: Uint8Array,
  at: number,
): { readonly start: number; readonly end: number } | undefined {
  const first = bytes[at + 1];
  if (first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4) return undefined;
  let length = lengthBytes === 0 ? first : 0;
  for (let index = 0; index < lengthBytes; index += 1) length = length * 256 + (bytes[at + 2 + index] ?? 0);
  const start = at + 2 + lengthBytes;
  return start + length > bytes.length ? undefined : { start, end: start + length };
}
