import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seal, unseal } from "../../broker/store/record-frame.js";

describe("the frame of a record", () => {
  it("gives back what was sealed under the same key, and nothing else", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.uint8Array(), fc.nat(), (key, body, at) => {
        const value = seal(key, Buffer.concat([Buffer.alloc(5), body]));
        expect(value.readUInt32BE(0)).toBe(crc32(value.subarray(4), crc32(key)));
        expect(unseal(key, value)).toEqual(Buffer.from(body));
        expect(unseal(`${key}x`, value)).toBe("checksum");
        value[at % value.length]! ^= 1 << (at & 7);
        expect(unseal(key, value)).toBe("checksum");
      }),
    );
    expect(unseal("k", Buffer.alloc(3))).toBe("checksum");
  });
});
