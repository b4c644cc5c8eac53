import { DOWNLOAD_SEQUENCES, parseSequence, RESET_SEQUENCES } from "fleetrig/hil";
import { describe, expect, it } from "vitest";

describe("parseSequence", () => {
  it("reads every step", () => {
    expect(parseSequence("D0|R1| W100 |U1,0")).toEqual([
      { kind: "lines", lines: { dtr: false } },
      { kind: "lines", lines: { rts: true } },
      { kind: "wait", us: 100_000 },
      { kind: "lines", lines: { dtr: true, rts: false } },
    ]);
  });

  it.each([...Object.entries(RESET_SEQUENCES), ...Object.entries(DOWNLOAD_SEQUENCES)])(
    "reads %s",
    (_name, train) => {
      expect(parseSequence(train).length).toBeGreaterThan(2);
    },
  );

  it.each(["", "D2", "W", "W99999", "U1", "D0||R1", "X1", "W-1", Array(65).fill("D0").join("|")])(
    "refuses %j",
    (text) => {
      expect(() => parseSequence(text)).toThrowError(expect.objectContaining({ code: "BOARD_SEQUENCE" }));
    },
  );

  it("says that Python's esptool counts seconds", () => {
    expect(() => parseSequence("D0|R1|W0.1|R0")).toThrow(/W0\.1, counts seconds/);
  });
});
