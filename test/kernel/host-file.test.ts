import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { replaceFile } from "fleetrig/kernel";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

describe("replaceFile", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "fleetrig-file-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("puts text or bytes in the place of what was there, for the owner only", () => {
    const path = join(folder, "state.json");
    replaceFile(path, "first, and longer");
    replaceFile(path, Buffer.from("second"));
    expect(readFileSync(path, "utf8")).toBe("second");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["state.json"]);
  });

  it("leaves everything as it was when it cannot", () => {
    const path = join(folder, "taken");
    mkdirSync(join(path, "by-a-folder"), { recursive: true });
    expect(() => replaceFile(path, "text")).toThrow(/taken/);
    expect(readdirSync(folder)).toEqual(["taken"]);
  });
});
