import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { hasPredictablePrimes, modulusOf } from "fleetrig/broker";
import { describe, expect, it } from "vitest";

const PRIMES = [
  2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
  107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
].map(BigInt);
const PRIMORIAL = PRIMES.reduce((product, prime) => product * prime, 1n);

function power(base: bigint, exponent: number): bigint {
  let result = 1n;
  for (let count = 0; count < exponent; count += 1) result = (result * base) % PRIMORIAL;
  return result;
}

const bytesOf = (value: bigint): Uint8Array => {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
};

describe("keys of CVE-2017-15361", () => {
  it("are known by what their modulus leaves modulo small primes", () => {
    const first = 123_456_789n * PRIMORIAL + power(65_537n, 1_234);
    const second = 987_654_321n * PRIMORIAL + power(65_537n, 4_321);
    expect(hasPredictablePrimes(bytesOf(first * second))).toBe(true);
    expect(hasPredictablePrimes(bytesOf(first * second + 2n))).toBe(false);
  });

  it("are no keys of OpenSSL", () => {
    for (let count = 0; count < 3; count += 1) {
      const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      const modulus = modulusOf(publicKey.export({ type: "spki", format: "der" }));
      const { n } = createPublicKey(publicKey.export({ type: "spki", format: "pem" })).export({
        format: "jwk",
      });
      expect(BigInt(`0x${Buffer.from(modulus!).toString("hex")}`)).toBe(
        BigInt(`0x${Buffer.from(n!, "base64url").toString("hex")}`),
      );
      expect(hasPredictablePrimes(modulus!)).toBe(false);
    }
  });

  it("are not looked for in what is no RSA key", () => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    expect(modulusOf(publicKey.export({ type: "spki", format: "der" }))).toBeUndefined();
    expect(modulusOf(Buffer.of(0x30, 0x84))).toBeUndefined();
    expect(modulusOf(Buffer.alloc(0))).toBeUndefined();
  });
});
