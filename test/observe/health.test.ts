import { MqttBroker } from "fleetrig/broker";
import { Random, silentSink, US_PER_S, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { readHealth } from "../../broker/observe/health.js";
import { memoryLevelAt, memoryShareOf, MemoryWatch } from "../../broker/observe/memory-watch.js";
import {
  type ListenerReading,
  type ObservedServer,
  type StoreReading,
} from "../../broker/observe/observed-server.js";

const clock = new VirtualTime().lane(1);
const broker = new MqttBroker({ clock, random: Random.seeded("x"), events: silentSink, profile: "oasis" });

const listener = (url: string, isListening: boolean): ListenerReading => ({
  url,
  transport: "tcp",
  isListening,
  openSockets: 3,
  acceptedSockets: 9,
  droppedSockets: {},
});

const observed = (part: Partial<ObservedServer>): ObservedServer => ({
  broker,
  clock,
  profile: "oasis",
  version: "1.2.3",
  durability: "disk",
  listeners: () => [listener("mqtt://a:1", true)],
  memory: () => "normal",
  store: () => undefined,
  ...part,
});

const store = (state: StoreReading["state"]): StoreReading => ({
  state,
  detail: "device full.",
  commits: 1,
  commitSecondsSum: 0.1,
  writtenRecords: 1,
  pendingRecords: 0,
});

describe("health", () => {
  it("is ok when everything is, and says what an acknowledgement promises", () => {
    expect(readHealth(observed({}))).toEqual({
      status: "ok",
      problems: [],
      version: "1.2.3",
      profile: "oasis",
      durability: "disk",
      memory: "normal",
      listeners: [{ url: "mqtt://a:1", isListening: true, openSockets: 3 }],
      store: null,
    });
  });

  it.each<[string, Partial<ObservedServer>, string, RegExp]>([
    [
      "no listener",
      { listeners: () => [listener("mqtt://a:1", false)] },
      "unavailable",
      /No listener is open/,
    ],
    [
      "one of two listeners",
      { listeners: () => [listener("mqtt://a:1", true), listener("mqtt://b:2", false)] },
      "degraded",
      /mqtt:\/\/b:2 is not open/,
    ],
    ["a failed store", { store: () => store("failed") }, "unavailable", /store has failed: device full/],
    ["a damaged store", { store: () => store("damaged") }, "degraded", /store is damaged/],
    ["critical memory", { memory: () => "critical" }, "unavailable", /Memory is critical/],
    ["high memory", { memory: () => "high" }, "degraded", /Memory is high/],
  ])("with %s is told with its reason", (_, part, status, problem) => {
    const health = readHealth(observed(part));
    expect(health.status).toBe(status);
    expect(health.problems).toEqual([expect.stringMatching(problem)]);
  });

  it("names the worst first", () => {
    const { status, problems } = readHealth(observed({ memory: () => "high", store: () => store("failed") }));
    expect(status).toBe("unavailable");
    expect(problems.map((problem) => problem.split(" ", 2).join(" "))).toEqual(["The store", "Memory is"]);
  });
});

describe("memory", () => {
  const filled = (heapPercent: number, percent: number) => ({
    heapUsedBytes: heapPercent,
    heapLimitBytes: 100,
    residentBytes: percent * 10,
    memoryLimitBytes: 1_000,
  });

  it.each([
    [69, 10, "normal"],
    [70, 10, "high"],
    [84, 10, "high"],
    [85, 10, "critical"],
    [10, 69, "normal"],
    [10, 70, "high"],
    [10, 85, "critical"],
  ])("with %i %% of the heap and %i %% of all is %s", (heapPercent, percent, level) => {
    expect(memoryLevelAt(memoryShareOf(filled(heapPercent, percent)), "normal")).toBe(level);
  });

  it("leaves a level five points below where it began", () => {
    const time = new VirtualTime();
    const levels: string[] = [];
    const shares = [0.5, 0.71, 0.66, 0.64, 0.9, 0.81, 0.79, 0.66, 0.1];
    const watch = new MemoryWatch(
      time.lane(1),
      (level) => levels.push(level),
      () => shares.shift() ?? 0,
    );
    time.advance(US_PER_S);
    expect(levels).toEqual(["high", "normal", "critical", "high", "normal"]);
    void watch.stop();
    expect(time.heap.size).toBe(0);
  });
});
