import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CborValue, decodeCbor, encodeCbor } from "fleetrig/protocol";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

/** RFC 8949, appendix A. */
const VECTORS: readonly (readonly [encoded: string, value: CborValue])[] = [
  ["00", 0],
  ["17", 23],
  ["1818", 24],
  ["1903e8", 1000],
  ["1a000f4240", 1_000_000],
  ["1b000000e8d4a51000", 1_000_000_000_000],
  ["20", -1],
  ["3903e7", -1000],
  ["fb3ff199999999999a", 1.1],
  ["fbc010666666666666", -4.1],
  ["f4", false],
  ["f5", true],
  ["f6", null],
  ["40", new Uint8Array()],
  ["4401020304", new Uint8Array([1, 2, 3, 4])],
  ["60", ""],
  ["62c3bc", "\u00fc"],
  ["64f0908591", "\u{10151}"],
  ["80", []],
  ["8301820203820405", [1, [2, 3], [4, 5]]],
  ["a0", {}],
  ["a26161016162820203", { a: 1, b: [2, 3] }],
];

/** Decoded like this, and written otherwise. */
const OTHER_FORMS: readonly (readonly [encoded: string, value: CborValue])[] = [
  ["f90000", 0],
  ["f93c00", 1],
  ["f97bff", 65_504],
  ["f90001", 5.960464477539063e-8],
  ["f9c400", -4],
  ["fa47c35000", 100_000],
  ["f7", null],
  ["c11a514b67b0", 1_363_896_240],
  ["d9d9f76161", "a"],
  ["5f42010243030405ff", new Uint8Array([1, 2, 3, 4, 5])],
  ["7f657374726561646d696e67ff", "streaming"],
  ["9f018202039f0405ffff", [1, [2, 3], [4, 5]]],
  ["bf61610161629f0203ffff", { a: 1, b: [2, 3] }],
];

const REFUSED: readonly (readonly [encoded: string, reason: string, why: string])[] = [
  ["", "syntax", "nothing"],
  ["0000", "syntax", "a second value"],
  ["1c", "syntax", "a reserved length"],
  ["19ff", "syntax", "a cut integer"],
  ["62c3", "syntax", "cut text"],
  ["62c328", "syntax", "text that is not UTF-8"],
  ["ff", "syntax", "a break outside of anything"],
  ["82 01 ff".replaceAll(" ", ""), "syntax", "a break in a list of known length"],
  ["a16161", "syntax", "a key without a value"],
  ["bf6161ff", "syntax", "a break instead of a value"],
  ["a2616101616102", "syntax", "a key twice"],
  ["5f6161ff", "syntax", "text among the pieces of bytes"],
  ["1f", "syntax", "an integer of indefinite length"],
  ["df00", "syntax", "a tag of indefinite length"],
  ["a10101", "type", "a number as a key"],
  ["1bffffffffffffffff", "type", "an integer that a double rounds"],
  ["f97e00", "type", "NaN"],
  ["f97c00", "type", "infinity"],
  ["f0", "type", "an unassigned simple value"],
  ["9b00000000ffffffff", "syntax", "a list longer than the bytes"],
  ["81".repeat(17) + "00", "depth", "nesting beyond the limit"],
];

const values = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: "grapheme" }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("value"), { maxLength: 30 }),
    fc
      .uniqueArray(fc.tuple(fc.string(), tie("value")), { selector: ([key]) => key, maxLength: 30 })
      .map((entries) => Object.fromEntries(entries)),
  ),
})).value;

describe("CBOR", () => {
  it.each(VECTORS)("reads and writes %s", (encoded, value) => {
    expect(decodeCbor(bytes(encoded))).toEqual({ ok: true, value });
    expect(hex(encodeCbor(value))).toBe(encoded);
  });

  it.each(OTHER_FORMS)("reads %s", (encoded, value) => {
    expect(decodeCbor(bytes(encoded))).toEqual({ ok: true, value });
  });

  it.each(REFUSED)("refuses %s for %s: %s", (encoded, reason) => {
    expect(decodeCbor(bytes(encoded))).toEqual({ ok: false, reason });
  });

  it("reads what it wrote", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decodeCbor(encodeCbor(value))).toEqual({ ok: true, value });
      }),
    );
  });

  it("answers for any bytes without throwing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => {
        expect([true, false]).toContain(decodeCbor(noise, { items: 50, depth: 4 }).ok);
      }),
      { numRuns: 2000 },
    );
  });

  it("stops at the number of values it was given", () => {
    const list = encodeCbor(Array.from({ length: 100 }, (_, index) => index));
    expect(decodeCbor(list, { items: 101 }).ok).toBe(true);
    expect(decodeCbor(list, { items: 100 })).toEqual({ ok: false, reason: "items" });
  });

  it("keeps __proto__ a plain key", () => {
    const decoded = decodeCbor(bytes("a1695f5f70726f746f5f5fa1616101"));
    expect(decoded.ok && Object.keys(decoded.value as object)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
  });
});
