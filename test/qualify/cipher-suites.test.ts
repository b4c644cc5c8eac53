import { execFileSync } from "node:child_process";
import { getCiphers } from "node:tls";
import { describe, expect, it } from "vitest";
import { AWS_CIPHER_SUITES, sortSuites } from "../../scenarios/qualify/endpoint/cipher-suites.js";

/** `0xC0,0x2B - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 - ECDHE-ECDSA-AES128-GCM-SHA256 TLSv1.2 ...` */
const LINE = /^0x([0-9A-F]{2}),0x([0-9A-F]{2}) - (\S+) +- (\S+)/;

/** OpenSSL's numbers by its names, with IANA's names. */
const registered = (): Map<string, { readonly number: number; readonly registeredName: string }> => {
  const every = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";
  const lines = execFileSync("openssl", ["ciphers", "-stdname", "-V", every], { encoding: "utf8" }).split(
    "\n",
  );
  return new Map(
    lines.flatMap((line) => {
      const [, high, low, registeredName, name] = LINE.exec(line.trim()) ?? [];
      return name === undefined
        ? []
        : [[name, { number: Number.parseInt(high! + low!, 16), registeredName: registeredName! }]];
    }),
  );
};

describe("cipher suites of AWS IoT", () => {
  it("have the numbers and names that OpenSSL has for them", () => {
    const known = registered();
    expect(known.size).toBeGreaterThan(100);
    for (const [number, { name }] of AWS_CIPHER_SUITES)
      expect([name, known.get(name)?.number.toString(16)]).toEqual([name, number.toString(16)]);
  });

  it("are sorted into recommended, supported and others, without signals", () => {
    const offer = sortSuites([0x1301, 0xc02f, 0x0035, 0xcca9, 0x00ff, 0x5600]);
    expect(offer).toEqual({
      recommended: ["TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
      supported: ["TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "AES256-SHA"],
      unsupported: ["0xcca9"],
    });
  });

  it("are names that Node knows, too", () => {
    const node = new Set(getCiphers());
    for (const { name } of AWS_CIPHER_SUITES.values()) expect(node).toContain(name.toLowerCase());
  });
});
