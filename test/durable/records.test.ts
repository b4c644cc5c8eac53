import { DurableJournal, MqttBroker, RecordBook, type RecordTable } from "fleetrig/broker";
import { createRandomSource, LANE, Random, silentSink, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { FakeDisk } from "./fake-disk.js";

interface Row {
  readonly name: string;
  readonly size: number;
}

interface Shelf {
  readonly disk: FakeDisk;
  readonly journal: DurableJournal;
  readonly table: RecordTable<Row>;
  readonly damage: readonly { readonly where: string; readonly what: string }[];
  readonly restoredCalls: number;
  settle(): void;
}

const isRow = (value: unknown): value is Row =>
  typeof value === "object" && value !== null && "name" in value && "size" in value;

/** A book with one table over a disk, as it comes up. */
async function open(disk = new FakeDisk()): Promise<Shelf> {
  const time = new VirtualTime();
  const tasks: (() => void)[] = [];
  const clock = time.lane(LANE.services);
  const journal = new DurableJournal({ store: disk, clock, schedule: (task) => tasks.push(task) });
  const random = createRandomSource(1).stream("broker");
  const broker = new MqttBroker({ clock, random, events: silentSink, journal, profile: "aws" });
  const book = new RecordBook(journal);
  const table = book.table<Row>("rows", {
    write: ({ name, size }) => ({ name, size }),
    read: (value) => (isRow(value) ? { name: value.name, size: value.size } : undefined),
  });
  let restoredCalls = 0;
  book.whenRestored(() => {
    restoredCalls += 1;
  });
  disk.isPrompt = true;
  const { damage } = await journal.recover(broker.restoration(), book);
  disk.isPrompt = false;
  const settle = (): void => {
    do for (const task of tasks.splice(0)) task();
    while (disk.sync() > 0 || tasks.length > 0);
  };
  return { disk, journal, table, damage, restoredCalls, settle };
}

const crashed = (shelf: Shelf): Promise<Shelf> => open(shelf.disk.crash(Random.seeded("records")));

describe("records of the cloud's services", () => {
  it("come back as they were at the last commit, under any key", async () => {
    const first = await open();
    const keys = ["plain", "with/slash", "ünï😀code", "", "__proto__"];
    for (const key of keys) first.table.set(key, { name: key, size: 1 });
    first.settle();
    first.table.set("plain", { name: "changed", size: 2 });
    first.table.delete("with/slash");
    first.settle();
    const second = await crashed(first);
    expect(second.damage).toEqual([]);
    expect(second.restoredCalls).toBe(1);
    expect([...second.table.keys()].sort()).toEqual(["", "__proto__", "plain", "ünï😀code"]);
    expect(second.table.get("plain")).toEqual({ name: "changed", size: 2 });
  });

  it("are written once per commit however often they changed, as they are by then", async () => {
    const { disk, journal, table, settle } = await open();
    for (let size = 0; size < 100; size += 1) table.set("a", { name: "a", size });
    expect(journal.statistics().pendingRecords).toBe(1);
    settle();
    expect(disk.commits).toBe(1);
    expect(journal.statistics().writtenRecords).toBe(1);
    expect(disk.records.get("c/rows/a")?.toString()).toContain('"size":99');
  });

  it("make whoever asks wait for the commit that holds them", async () => {
    const { disk, journal, table, settle } = await open();
    table.set("a", { name: "a", size: 1 });
    expect(journal.isSettled).toBe(false);
    const told: string[] = [];
    journal.afterCommit({ committed: () => told.push("committed"), failed: () => told.push("failed") });
    expect(told).toEqual([]);
    settle();
    expect(told).toEqual(["committed"]);
    disk.isBroken = true;
    table.set("b", { name: "b", size: 1 });
    journal.afterCommit({ committed: () => told.push("committed"), failed: () => told.push("failed") });
    settle();
    expect(told).toEqual(["committed", "failed"]);
    expect(journal.hasFailed).toBe(true);
  });

  it("that are damaged or not understood are named, kept aside and not served", async () => {
    const first = await open();
    for (const key of ["good", "torn", "odd"]) first.table.set(key, { name: key, size: 1 });
    first.settle();
    const records = new Map(first.disk.records);
    const torn = Uint8Array.from(records.get("c/rows/torn")!);
    torn[torn.length - 2]! ^= 0xff;
    records.set("c/rows/torn", torn);
    const second = await open(new FakeDisk(records));
    expect([...second.table.keys()]).toEqual(["good", "odd"]);
    expect(second.damage).toEqual([{ where: "c/rows/torn", what: "the record fails its checksum" }]);
    expect(second.disk.records.has("x/c/rows/torn")).toBe(true);
    expect(second.disk.records.has("c/rows/torn")).toBe(false);
  });
});
