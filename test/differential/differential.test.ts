import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lacksMosquitto } from "../embedding/rigs.js";
import { compare } from "./comparison.js";
import { type Contestant, startMosquitto, startOwn } from "./contestants.js";
import type { Observation } from "./foreign-client.js";
import { explain, type Explained } from "./freedoms.js";
import { play } from "./player.js";
import { drawScript, type Script } from "./script.js";

const SEED = 1;
const SESSIONS = 50;

describe.skipIf(lacksMosquitto)("our broker beside mosquitto", () => {
  let contestants: readonly Contestant[] = [];

  beforeAll(async () => {
    contestants = await Promise.all([startMosquitto(), startOwn()]);
  });

  afterAll(async () => {
    await Promise.all(contestants.map((one) => one.stop()));
  });

  it("shows clients the same, apart from what the standard leaves open", async () => {
    const unexplained: string[] = [];
    for (let index = 0; index < SESSIONS; index += 1) {
      const script = drawScript(SEED, index);
      const [theirs, ours] = await Promise.all(contestants.map(({ port }) => play(script, port)));
      const found = explain(script, compare(script, theirs!, ours!), { theirs: theirs!, ours: ours! });
      for (const { difference, rule } of found)
        if (rule === undefined)
          unexplained.push(
            `npm run differential -- --seed ${SEED} --first ${index} --sessions 1: ${JSON.stringify(difference)}`,
          );
    }
    expect(unexplained).toEqual([]);
  });
});

describe("a comparison", () => {
  const delivery = {
    topic: "p/n/a",
    payload: "1",
    qos: 1,
    retain: false,
    dup: false,
    identifiers: [],
  } as const;
  const script: Script = {
    prefix: "p",
    slots: 1,
    steps: [
      { kind: "connect", slot: 0, connect: { version: 4, clean: true } },
      {
        kind: "subscribe",
        slot: 0,
        filters: [
          { topic: "p/n/a", qos: 1, nl: false, rap: false, rh: 0 },
          { topic: "p/n/#", qos: 0, nl: false, rap: false, rh: 0 },
        ],
      },
      {
        kind: "publish",
        slot: 0,
        messages: [{ topic: "p/n/a", payload: "1", qos: 1, retain: false }],
      },
    ],
  };

  /** What the only slot saw in the last step, after steps in which it saw nothing of interest. */
  const recording = (seen: Partial<Observation>): Observation[][] => {
    const quiet = { deliveries: [], events: [], earlier: [] };
    return [[{ ...quiet, events: ["connack 0 without session"] }], [quiet], [{ ...quiet, ...seen }], [quiet]];
  };

  const found = (theirs: Partial<Observation>, ours: Partial<Observation>): Explained[] => {
    const recordings = { theirs: recording(theirs), ours: recording(ours) };
    return explain(script, compare(script, recordings.theirs, recordings.ours), recordings);
  };

  it("finds nothing where both are the same", () => {
    const seen = { deliveries: [{ ...delivery, properties: "{}" }], events: ["x"] };
    expect(found(seen, seen)).toEqual([]);
  });

  it("finds what is missing, too much, different or out of order, and explains none of it", () => {
    const one = { ...delivery, properties: "{}" };
    const two = { ...one, payload: "2" };
    const cases: readonly (readonly [Partial<Observation>, Partial<Observation>, string])[] = [
      [{ deliveries: [one] }, {}, "missing"],
      [{}, { deliveries: [two] }, "extra"],
      [{ deliveries: [one] }, { deliveries: [{ ...one, qos: 0 }] }, "copies"],
      [{ deliveries: [one, two] }, { deliveries: [two, one] }, "order"],
      [{ events: ["closed"] }, {}, "events"],
      [{ deliveries: [{ ...one, topic: "p/q/a" }] }, {}, "shared"],
    ];
    for (const [theirs, ours, kind] of cases) {
      const explained = found(theirs, ours).map(({ difference, rule }) => [difference.kind, rule]);
      expect(explained).toEqual([[kind, undefined]]);
    }
  });

  it("explains one copy for overlapping subscriptions only when it is the right one [MQTT-3.3.5-1]", () => {
    const one = { ...delivery, properties: "{}" };
    const theirs = { deliveries: [one, { ...one, qos: 0 as const }] };
    for (const [qos, isExplained] of [
      [1, true],
      [0, false],
    ] as const) {
      const ours = { deliveries: [{ ...one, qos }] };
      const [first] = found(theirs, ours);
      expect(first!.rule?.includes("MQTT-3.3.5-1") === true).toBe(isExplained);
    }
  });
});
