import { spawn } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MemoryStore, openStore, type Store } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { committed, contentOf, put, reread, temporaryDirectory } from "./data-directory.js";

const bytes = (text: string): Buffer => Buffer.from(text);

const open = async (directory: string): Promise<Store> => (await openStore({ directory })).store;

describe.each([
  { name: "LevelDB", make: (): Promise<Store> => open(temporaryDirectory()) },
  { name: "memory", make: async (): Promise<Store> => new MemoryStore() },
])("a store in $name", ({ make }) => {
  it("reads back what was put, in the order of the keys, below one prefix", async () => {
    const store = await make();
    await committed(store, [put("b/2", bytes("two")), put("a/1", bytes("one")), put("b/1", bytes(""))]);
    expect([...(await contentOf(store, "b/"))]).toEqual([
      ["b/1", bytes("")],
      ["b/2", bytes("two")],
    ]);
    await store.close();
  });

  it("lets the later change of a batch win and forgets what was deleted", async () => {
    const store = await make();
    await committed(store, [put("k", bytes("old")), { type: "del", key: "k" }, put("k", bytes("new"))]);
    await committed(store, [put("gone", bytes("x"))]);
    await committed(store, [{ type: "del", key: "gone" }]);
    expect([...(await contentOf(store))]).toEqual([["k", bytes("new")]]);
    await store.close();
  });

  it("reads ranges of many slices", async () => {
    const store = await make();
    await committed(
      store,
      Array.from({ length: 2_500 }, (_, i) => put(`n/${String(i).padStart(5, "0")}`, bytes(String(i)))),
    );
    const content = await contentOf(store, "n/");
    expect([...content.values()].map(String)).toEqual(Array.from({ length: 2_500 }, (_, i) => String(i)));
    await store.close();
  });
});

describe("a data directory", () => {
  it("keeps its records between openings", async () => {
    const directory = temporaryDirectory();
    const store = await open(directory);
    await committed(store, [put("k", bytes("kept"))]);
    await store.close();
    expect(await reread(directory)).toEqual({ content: new Map([["k", bytes("kept")]]), damage: [] });
  });

  it("is closed to everybody but its owner", async () => {
    const directory = join(temporaryDirectory(), "data");
    await (await open(directory)).close();
    await (await open(directory)).close();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, "store")).mode & 0o777).toBe(0o700);
    for (const file of ["FORMAT", "DAMAGE.log"]) expect(statSync(join(directory, file)).mode & 0o077).toBe(0);
  });

  it("refuses a second opening by the same process", async () => {
    const directory = temporaryDirectory();
    const store = await open(directory);
    await expect(openStore({ directory })).rejects.toMatchObject({
      code: "STORE_LOCKED",
      context: { pid: process.pid },
    });
    await store.close();
    await (await open(directory)).close();
  });

  it("refuses while another process has it, by number and start", async () => {
    const directory = temporaryDirectory();
    await (await open(directory)).close();
    const other = spawn("sleep", ["30"]);
    const stat = readFileSync(`/proc/${other.pid}/stat`, "utf8");
    const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const owner = { pid: other.pid, started, boot, host: "bench-7", since: "2026-01-01T00:00:00.000Z" };
    const lock = join(directory, "LOCK");
    writeFileSync(lock, JSON.stringify(owner));
    await expect(openStore({ directory })).rejects.toThrow(`process ${other.pid} on bench-7`);
    other.kill();
    // The number alone means nothing: it may be somebody else's by now.
    writeFileSync(lock, JSON.stringify({ ...owner, pid: process.pid, started: "1" }));
    await (await open(directory)).close();
    writeFileSync(lock, JSON.stringify({ ...owner, pid: process.pid, boot: "another" }));
    await (await open(directory)).close();
    writeFileSync(lock, "cut o");
    await (await open(directory)).close();
    expect(readdirSync(directory).sort()).toEqual(["DAMAGE.log", "FORMAT", "store"]);
  });

  it("refuses what a later version has written", async () => {
    const directory = temporaryDirectory();
    await (await open(directory)).close();
    writeFileSync(join(directory, "FORMAT"), "2\n");
    await expect(openStore({ directory })).rejects.toMatchObject({ code: "STORE_FORMAT" });
    writeFileSync(join(directory, "FORMAT"), "1\n");
    await (await open(directory)).close();
  });

  it("says why it cannot be used", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "file"), "");
    await expect(openStore({ directory: join(directory, "file") })).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
    });
  });
});
