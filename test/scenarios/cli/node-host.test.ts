import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeHost, filesBelow } from "fleetrig/scenarios";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fleetrig-host-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("files of the node host", () => {
  it("are written with the folders above them, and read back", () => {
    const files = filesBelow(folder);
    files.writeFile("a/b/c.yaml", "größe: 1\n");
    expect(files.readFile("a/b/c.yaml")).toBe("größe: 1\n");
    expect(files.kind("a/b")).toBe("folder");
    expect(files.kind("a/b/c.yaml")).toBe("file");
    expect(files.kind("a/x")).toBeUndefined();
    expect(files.list("a")).toEqual(["b/"]);
    expect(files.list("nowhere")).toEqual([]);
  });

  it("are read no further than asked for", () => {
    const files = filesBelow(folder);
    files.writeFile("big", "x".repeat(200_000));
    expect(files.readFile("big", 70_000)).toHaveLength(70_000);
    expect(files.readFile("/dev/zero", 10)).toHaveLength(10);
  });

  it("are not overwritten when that was asked for", () => {
    const files = filesBelow(folder);
    files.writeFile("a", "1", { exclusive: true });
    expect(() => files.writeFile("a", "2", { exclusive: true })).toThrow(/CLI_FILE_EXISTS/);
    expect(files.readFile("a")).toBe("1");
    files.writeFile("a", "2");
    expect(files.readFile("a")).toBe("2");
  });

  it("are refused with what the system says", () => {
    const files = filesBelow(folder);
    files.writeFile("a", "1");
    expect(() => files.readFile("none")).toThrow(/CLI_FILE_UNREADABLE/);
    expect(() => files.writeFile("a/b", "1")).toThrow(/CLI_FILE_UNWRITABLE/);
  });

  it("are followed through links", () => {
    const files = filesBelow(folder);
    files.writeFile("real.yaml", "");
    symlinkSync(join(folder, "real.yaml"), join(folder, "link.yaml"));
    expect(files.realPath("link.yaml")).toBe(files.realPath("real.yaml"));
  });
});

describe("the node host", () => {
  it("has the arguments, the environment and outputs of this process", () => {
    const host = createNodeHost(["a"]);
    expect(host.argv).toEqual(["a"]);
    expect(host.cwd).toBe(process.cwd());
    expect(host.env["PATH"]).toBe(process.env["PATH"]);
    expect(host.stdout.columns).toBeGreaterThan(0);
    expect(host.nowUs()).toBeLessThanOrEqual(host.nowUs());
    expect(host.wallMs()).toBeGreaterThan(1.7e12);
  });

  it("calls back on the first signal only, so that a second one ends the process", () => {
    const host = createNodeHost([]);
    const heard: string[] = [];
    const before = process.listenerCount("SIGTERM");
    const stop = host.onSignal((signal) => heard.push(signal));
    process.emit("SIGTERM");
    expect(heard).toEqual(["SIGTERM"]);
    expect(process.listenerCount("SIGTERM")).toBe(before);
    stop();
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });
});

describe("folders that nobody can make", () => {
  it.skipIf(!existsSync("/proc/self"))("are refused at once, below /proc too", () => {
    expect(() => filesBelow("/").writeFile("/proc/none/of/these.txt", "x")).toThrow("CLI_FILE_UNWRITABLE");
  });
});
