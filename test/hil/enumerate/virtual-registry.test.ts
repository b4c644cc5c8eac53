import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostStateFolder, readVirtualBoards, registerVirtualBoard, type VirtualBoard } from "fleetrig/hil";
import { hostProcess } from "fleetrig/kernel";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let folder = "";
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "fleetrig-boards-")), "boards");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const board = (mac: string, part: Partial<VirtualBoard> = {}): VirtualBoard => ({
  schema: 1,
  path: "/dev/pts/7",
  kind: "rv32",
  mac,
  chip: "rv32-virt",
  control: "/tmp/board.sock",
  ...hostProcess(),
  ...part,
});

describe("the registry of virtual boards", () => {
  it("has a board from its entry to its removal, for its own user only", () => {
    const remove = registerVirtualBoard(folder, board("7cdfa1001122"));
    expect(readVirtualBoards(folder)).toEqual([board("7cdfa1001122")]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    remove();
    remove();
    expect(readVirtualBoards(folder)).toEqual([]);
  });

  it("forgets boards whose process is gone, also when its number is used again", () => {
    const { pid } = spawnSync("true");
    registerVirtualBoard(folder, board("7cdfa1000001", { pid }));
    registerVirtualBoard(folder, board("7cdfa1000002", { started: "1" }));
    registerVirtualBoard(folder, board("7cdfa1000003"));
    expect(readVirtualBoards(folder).map(({ mac }) => mac)).toEqual(["7cdfa1000003"]);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it("passes over files that are no entries, and leaves them", () => {
    registerVirtualBoard(folder, board("7cdfa1000003"));
    writeFileSync(join(folder, "half.json"), '{"schema":1,"path":');
    writeFileSync(join(folder, "huge.json"), " ".repeat(20_000));
    expect(readVirtualBoards(folder)).toHaveLength(1);
    expect(readdirSync(folder)).toHaveLength(3);
  });
});

describe("hostStateFolder", () => {
  it.each([
    [{ chosen: "/srv/x", runtime: "/run/user/7", temporary: "/tmp", userId: 7 }, "/srv/x"],
    [{ runtime: "/run/user/7", temporary: "/tmp", userId: 7 }, "/run/user/7/fleetrig"],
    [{ temporary: "/tmp", userId: 7 }, "/tmp/fleetrig-7"],
  ])("is the user's own", (hints, expected) => {
    expect(hostStateFolder(hints)).toBe(expected);
  });
});
