/** A cipher suite of IANA's registry. */
interface CipherSuite {
  /** OpenSSL's, which AWS uses. */
  readonly name: string;
  readonly isRecommended: boolean;
}

const suite = (name: string, isRecommended = true): CipherSuite => ({ name, isRecommended });

/**
 * By their numbers, those of AWS IoT Core's predefined security policies (developer guide, transport security). AWS does not say
 * which of them Device Advisor recommends; here it is those with forward secrecy and without SHA-1.
 */
export const AWS_CIPHER_SUITES: ReadonlyMap<number, CipherSuite> = new Map([
  [0x1301, suite("TLS_AES_128_GCM_SHA256")],
  [0x1302, suite("TLS_AES_256_GCM_SHA384")],
  [0x1303, suite("TLS_CHACHA20_POLY1305_SHA256")],
  [0xc02b, suite("ECDHE-ECDSA-AES128-GCM-SHA256")],
  [0xc02f, suite("ECDHE-RSA-AES128-GCM-SHA256")],
  [0xc02c, suite("ECDHE-ECDSA-AES256-GCM-SHA384")],
  [0xc030, suite("ECDHE-RSA-AES256-GCM-SHA384")],
  [0xc023, suite("ECDHE-ECDSA-AES128-SHA256")],
  [0xc027, suite("ECDHE-RSA-AES128-SHA256")],
  [0xc024, suite("ECDHE-ECDSA-AES256-SHA384")],
  [0xc028, suite("ECDHE-RSA-AES256-SHA384")],
  [0xc009, suite("ECDHE-ECDSA-AES128-SHA", false)],
  [0xc00a, suite("ECDHE-ECDSA-AES256-SHA", false)],
  [0xc013, suite("ECDHE-RSA-AES128-SHA", false)],
  [0xc014, suite("ECDHE-RSA-AES256-SHA", false)],
  [0x009c, suite("AES128-GCM-SHA256", false)],
  [0x009d, suite("AES256-GCM-SHA384", false)],
  [0x003c, suite("AES128-SHA256", false)],
  [0x003d, suite("AES256-SHA256", false)],
  [0x002f, suite("AES128-SHA", false)],
  [0x0035, suite("AES256-SHA", false)],
  [0x0039, suite("DHE-RSA-AES256-SHA", false)],
]);

/** Signals in the place of suites: renegotiation and fallback [RFC 5746, RFC 7507]. */
const SIGNALS: ReadonlySet<number> = new Set([0x00ff, 0x5600]);

/** What a device offers, sorted by what AWS makes of it. */
export interface SuiteOffer {
  readonly recommended: readonly string[];
  readonly supported: readonly string[];
  /** By number. */
  readonly unsupported: readonly string[];
}

export function sortSuites(offered: readonly number[]): SuiteOffer {
  const real = offered.filter((number) => !SIGNALS.has(number));
  const known = real.flatMap((number) => AWS_CIPHER_SUITES.get(number) ?? []);
  return {
    recommended: known.filter(({ isRecommended }) => isRecommended).map(({ name }) => name),
    supported: known.map(({ name }) => name),
    unsupported: real
      .filter((number) => !AWS_CIPHER_SUITES.has(number))
      .map((number) => `0x${number.toString(16).padStart(4, "0")}`),
  };
}
