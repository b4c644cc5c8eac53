import { createRandomSource } from "fleetrig/kernel";
import { IDENTITY_FIELDS, IdentityBook } from "fleetrig/sim";
import { describe, expect, it } from "vitest";

describe("IdentityBook", () => {
  const invent = (field: string, thing = "hq-1", seed = 42): string =>
    new IdentityBook().invent(field, createRandomSource(seed).stream(`thing/${thing}/identity/${field}`));

  it("invents the same particulars for the same seed and thing, and others for another", () => {
    for (const field of IDENTITY_FIELDS) {
      expect(invent(field)).toBe(invent(field));
      expect(invent(field)).not.toBe("");
    }
    expect(invent("serial")).not.toBe(invent("serial", "hq-2"));
    expect(invent("serial")).not.toBe(invent("serial", "hq-1", 43));
  });

  it("does not let one field's draws shift another's", () => {
    const book = new IdentityBook();
    const source = createRandomSource(42);
    book.invent("owner", source.stream("thing/hq-1/identity/owner"));
    expect(book.invent("mac", source.stream("thing/hq-1/identity/mac"))).toBe(invent("mac"));
  });

  it("dates things from a fixed day, never from today", () => {
    expect(invent("manufacturedAt") < "2026-01-02").toBe(true);
    expect(invent("manufacturedAt") > "2022-12-31").toBe(true);
  });

  it.each([
    ["serail", /Did you mean serial/],
    ["shoe-size", /Known: serial/],
  ])("refuses the unknown field %s", (field, hint) => {
    expect(() => invent(field)).toThrow(expect.objectContaining({ code: "IDENTITY_UNKNOWN_FIELD" }));
    expect(() => invent(field)).toThrow(expect.objectContaining({ hint: expect.stringMatching(hint) }));
  });
});
