import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArtifactDirectory, type ArtifactStore, MemoryArtifacts } from "fleetrig/broker";
import { LANE, VirtualTime } from "fleetrig/kernel";
import { afterEach, describe, expect, it } from "vitest";

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), "artifacts-"));
  directories.push(directory);
  return directory;
};

const stores: readonly (readonly [string, () => ArtifactStore])[] = [
  ["in memory", () => new MemoryArtifacts({ clock: new VirtualTime().lane(LANE.services) })],
  ["in a directory", () => new ArtifactDirectory(newDirectory())],
];

const name = { bucket: "firmware", key: "a/b.bin" };

describe.each(stores)("artifacts %s", (_, open) => {
  it("are found under their names, read in parts, replaced and deleted", () => {
    const store = open();
    expect(store.find(name)).toBeUndefined();
    expect(store.put(name, Buffer.from("hello")).sha256).toBe(
      "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    );
    expect(store.hasBucket("firmware")).toBe(true);
    expect(Buffer.from(store.find(name)!.read(1, 3)).toString()).toBe("ell");
    expect(store.find(name)!.read(3, 100)).toHaveLength(2);
    store.put(name, Buffer.from("other!"));
    expect(store.find(name)).toMatchObject({ ...name, sizeBytes: 6 });
    expect([store.delete(name), store.delete(name)]).toEqual([true, false]);
    expect(store.find(name)).toBeUndefined();
  });

  it.each([
    ["firmware", "../x"],
    ["firmware", "a/../../x"],
    ["firmware", "/etc/passwd"],
    ["firmware", "a//b"],
    ["firmware", "."],
    ["firmware", "a\\..\\b"],
    ["firmware", "a\0b"],
    ["firmware", "x".repeat(1025)],
    ["firmware", "x".repeat(256)],
    ["..", "x"],
    ["a/b", "x"],
    ["UPPER", "x"],
    ["", "x"],
  ])("refuse the name %j %j", (bucket, key) => {
    const store = open();
    expect(() => store.put({ bucket, key }, Buffer.from("x"))).toThrow("CLOUD_INVALID_REQUEST");
    expect(store.find({ bucket, key })).toBeUndefined();
    expect(store.delete({ bucket, key })).toBe(false);
  });
});

describe("an artifact directory", () => {
  it("has what users put there, and nothing that lies elsewhere", () => {
    const [directory, elsewhere] = [newDirectory(), newDirectory()];
    writeFileSync(join(elsewhere, "secret"), "secret");
    mkdirSync(join(directory, "firmware"));
    writeFileSync(join(directory, "firmware", "image"), "mine");
    symlinkSync(join(elsewhere, "secret"), join(directory, "firmware", "link"));
    symlinkSync(elsewhere, join(directory, "firmware", "folder"));
    const store = new ArtifactDirectory(directory);
    expect(store.find({ bucket: "firmware", key: "image" })).toMatchObject({ sizeBytes: 4 });
    expect(store.find({ bucket: "firmware", key: "link" })).toBeUndefined();
    expect(store.find({ bucket: "firmware", key: "folder/secret" })).toBeUndefined();
    expect(() => store.put({ bucket: "firmware", key: "folder/new" }, Buffer.from("x"))).toThrow(
      "CLOUD_INVALID_REQUEST",
    );
    expect(store.find({ bucket: "firmware", key: "image/below" })).toBeUndefined();
    expect(readFileSync(join(elsewhere, "secret"), "utf8")).toBe("secret");
  });

  it("notices that a file has changed", () => {
    const directory = newDirectory();
    const store = new ArtifactDirectory(directory);
    const before = store.put(name, Buffer.from("one")).sha256;
    writeFileSync(join(directory, "firmware", "a", "b.bin"), "another");
    expect(store.find(name)!.sha256).not.toBe(before);
  });
});

describe("artifacts in memory", () => {
  it("are bounded", () => {
    const clock = new VirtualTime().lane(LANE.services);
    const store = new MemoryArtifacts({ clock, maxBytes: 10 });
    store.put(name, Buffer.alloc(10));
    expect(() => store.put({ ...name, key: "c" }, Buffer.alloc(1))).toThrow("CLOUD_LIMIT_EXCEEDED");
    store.put(name, Buffer.alloc(5));
    expect(store.put({ ...name, key: "c" }, Buffer.alloc(5)).sizeBytes).toBe(5);
  });
});
