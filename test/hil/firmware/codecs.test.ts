import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lacksCompiler } from "../../rigs.js";
import { cobsMaxBytes, decodeCobs, encodeCobs } from "../../../hil/link/cobs.js";
import { PlatformDriver } from "./platform-driver.js";

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 700 }),
  fc.array(fc.constantFrom(0, 1, 255), { maxLength: 700 }).map((values) => Uint8Array.from(values)),
);
const hex = (value: Uint8Array): string => Buffer.from(value).toString("hex");

function encoded(value: Uint8Array): Uint8Array {
  const target = new Uint8Array(cobsMaxBytes(value.length));
  return target.subarray(0, encodeCobs(value, target, 0));
}

describe.skipIf(lacksCompiler)("codecs of the firmware", () => {
  let driver: PlatformDriver;
  beforeAll(() => {
    driver = new PlatformDriver();
  });
  afterAll(() => driver.remove());

  it("computes the check value of CRC-32 and the digest of FIPS 180-4's example", () => {
    expect(driver.run([`crc ${hex(Buffer.from("123456789"))}`, `sha ${hex(Buffer.from("abc"))}`])).toEqual([
      "cbf43926",
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ]);
  });

  it("agrees with the host's CRC-32, SHA-256 and COBS on any bytes", () => {
    const values = fc.sample(bytes, { numRuns: 300, seed: 1 }).filter((value) => value.length > 0);
    const answers = driver.run(
      values.flatMap((value) => [
        `crc ${hex(value)}`,
        `sha ${hex(value)}`,
        `encode ${hex(value)}`,
        `decode ${hex(encoded(value))}`,
      ]),
    );
    const wanted = values.flatMap((value) => [
      crc32(value).toString(16).padStart(8, "0"),
      createHash("sha256").update(value).digest("hex"),
      hex(encoded(value)),
      hex(value),
    ]);
    expect(answers).toEqual(wanted);
  });

  it("decodes whatever noise leaves of a frame as the host does", () => {
    const values = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 300 }), { numRuns: 500, seed: 2 });
    const noisy = values.map((value) => value.map((byte) => (byte === 0 ? 1 : byte)));
    const answers = driver.run(noisy.map((value) => `decode ${hex(value)}`));
    expect(answers).toEqual(
      noisy.map((value) => {
        const decoded = decodeCobs(Uint8Array.from(value));
        return decoded === undefined ? "invalid" : hex(decoded);
      }),
    );
  });
});
