import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "fleetrig/broker";
import { createRandomSource } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { seal, unseal } from "../../broker/store/record-frame.js";
import { committed, put, reread, temporaryDirectory } from "./data-directory.js";

const FLIPS = 20;

const sealed = (key: string, bytes: number): Buffer => {
  const value = Buffer.alloc(5 + bytes, key);
  return seal(key, value);
};

/** A store with tables and a log: reopening turns the log of before into a table. */
async function filled(): Promise<{ readonly directory: string; readonly keys: readonly string[] }> {
  const directory = temporaryDirectory();
  const keys: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const { store } = await openStore({ directory, durability: "os" });
    for (let batch = 0; batch < 20; batch += 1) {
      const names = Array.from({ length: 20 }, (_, i) => `k/${round}-${batch}-${i}`);
      keys.push(...names);
      await committed(
        store,
        names.map((key) => put(key, sealed(key, 40))),
      );
    }
    await store.close();
  }
  return { directory, keys };
}

const copyOf = (directory: string): string => {
  const copy = temporaryDirectory();
  cpSync(directory, copy, { recursive: true });
  return copy;
};

const liveFiles = (directory: string): string[] =>
  readdirSync(join(directory, "store")).filter((file) => /\.(?:ldb|log)$|^(?:MANIFEST|CURRENT)/.test(file));

function flip(path: string, bit: number): void {
  const content = readFileSync(path);
  content[bit >> 3]! ^= 1 << (bit & 7);
  writeFileSync(path, content);
}

describe("a damaged store", () => {
  it("serves only what is intact, names the damage and keeps the original, whichever bit flips", async () => {
    const { directory, keys } = await filled();
    const random = createRandomSource(3).stream("flips");
    let lost = 0;
    for (let n = 0; n < FLIPS; n += 1) {
      const copy = copyOf(directory);
      const files = liveFiles(copy);
      const file = random.pick(files);
      const path = join(copy, "store", file);
      const bit = random.below(readFileSync(path).length * 8);
      flip(path, bit);
      const { content, damage } = await reread(copy);
      const isWhole = keys.every((key) => content.has(key));
      expect(isWhole || damage.length > 0, `${file} bit ${bit}`).toBe(true);
      for (const [key, value] of content) {
        const body = unseal(key, value);
        // A flipped record is recognised; every other one is as it was written.
        if (typeof body === "string") expect(damage.length).toBeGreaterThan(0);
        else expect(keys).toContain(key);
      }
      if (damage.length > 0) expect(existsSync(join(copy, "store.damaged-1"))).toBe(true);
      lost += keys.filter((key) => !content.has(key)).length;
    }
    // Confined to what was touched: on average far less than the whole.
    expect(lost / FLIPS).toBeLessThan(keys.length / 2);
  }, 120_000);

  it("is read as far as it goes when a log was cut off, without calling it damage", async () => {
    const { directory } = await filled();
    const { store } = await openStore({ directory });
    await committed(store, [put("k/first", sealed("k/first", 10))]);
    await committed(store, [put("k/second", sealed("k/second", 10))]);
    await store.close();
    const log = readdirSync(join(directory, "store")).find((file) => file.endsWith(".log"))!;
    const path = join(directory, "store", log);
    truncateSync(path, readFileSync(path).length - 3);
    const { content, damage } = await reread(directory);
    expect([content.has("k/first"), content.has("k/second"), damage]).toEqual([true, false, []]);
  });

  it.each(["CURRENT", "MANIFEST", "table"])(
    "is rebuilt from what is there when its %s is missing",
    async (what) => {
      const { directory, keys } = await filled();
      const pattern = what === "table" ? /\.ldb$/ : new RegExp(`^${what}`);
      const file = readdirSync(join(directory, "store")).find((name) => pattern.test(name))!;
      rmSync(join(directory, "store", file));
      const { content, damage } = await reread(directory);
      expect(damage).not.toEqual([]);
      const found = keys.filter((key) => content.has(key)).length;
      expect(found).toBeGreaterThanOrEqual(what === "table" ? keys.length / 3 : keys.length);
      expect(existsSync(join(directory, "store.damaged-1"))).toBe(true);
      expect(readFileSync(join(directory, "DAMAGE.log"), "utf8")).toContain(damage[0]!.what);
      // The next start finds nothing new.
      expect((await reread(directory)).damage).toEqual([]);
    },
  );
});
