import { type Diagnostic, formatDiagnostic, formatPosition } from "fleetrig/scenarios";
import { describe, expect, it } from "vitest";

const found: Diagnostic = {
  code: "SCENARIO_UNIT",
  severity: "error",
  file: "s/a.yaml",
  line: 2,
  column: 7,
  length: 4,
  message: "Wrong.",
  hint: "Right it.",
};

const format = (text: string | undefined, change: Partial<Diagnostic> = {}) =>
  formatDiagnostic({ ...found, ...change }, text).split("\n");

describe("a printed diagnostic", () => {
  it("has the place, the line before, the line, a caret and the hint", () => {
    expect(format("one: 1\ntwo:  soon # x\nthree: 3\n")).toEqual([
      "s/a.yaml:2:7 error: Wrong. (SCENARIO_UNIT)",
      "  1 | one: 1",
      "  2 | two:  soon # x",
      "    |       ^^^^",
      "  hint: Right it.",
    ]);
  });

  it("does without the text of the file and without a hint", () => {
    const { hint: _hint, ...bare } = found;
    expect(formatDiagnostic(bare)).toBe("s/a.yaml:2:7 error: Wrong. (SCENARIO_UNIT)");
    expect(formatPosition(found)).toBe("s/a.yaml:2:7");
  });

  it("has no frame for a line that does not exist", () => {
    expect(format("one", { line: 9 })).toHaveLength(2);
  });

  it("keeps the numbers of lines in one column", () => {
    expect(format("x\n".repeat(9) + "two:  soon", { line: 10 }).slice(1, 3)).toEqual([
      "   9 | x",
      "  10 | two:  soon",
    ]);
  });

  it("cuts long lines, and drops the caret when it would be off", () => {
    const frame = format(`x\n${"y".repeat(500)}`, { column: 400 });
    expect(frame[2]).toHaveLength(6 + 110);
    expect(frame[3]).toBe("  hint: Right it.");
  });

  it("underlines no further than the line", () => {
    expect(format("x\ntwo: abc", { column: 6, length: 90 })[3]).toBe("    |      ^^^");
  });

  it("shows neither control characters nor direction overrides", () => {
    expect(format("x\na\tb\u001b[31m\u202ec\r")[2]).toBe("  2 | a b·[31m·c");
  });
});
