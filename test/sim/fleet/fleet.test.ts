import { createRandomSource, type JsonObject } from "fleetrig/kernel";
import { Fleet, type FleetMember, planArrival } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { FleetRig, groupPlan, S } from "./fleet-rig.js";

const stream = (name = "pick") => createRandomSource(42).stream(name);

describe("createFleet", () => {
  const groups = () => [
    groupPlan({ count: 20, connectAtUs: (index) => index * S }),
    groupPlan({
      group: "trackers",
      model: "ota-device",
      count: 10,
      firstOrdinal: 20,
      attributes: () => ({ site: "road", firmware: "1.0" }),
      signals: { temperature: { shape: "random-walk", start: 4, step: 1, min: -10, max: 30 } },
    }),
  ];

  it("gives the same events and messages when everything is made in reverse order", () => {
    const run = (isReversed: boolean): string => {
      const plan = groups();
      const reversed = plan.map((group) => ({ ...group, members: group.members.toReversed() })).reverse();
      const rig = new FleetRig(isReversed ? reversed : plan).start().advance(100);
      for (const member of rig.fleet.select({ share: 0.5 }, stream())) {
        member.disconnect("ungraceful", 20 * S, "wave");
      }
      rig.advance(200);
      rig.fleet.stop();
      const messages = rig.broker.publishes.map(({ topic, payload }) => [
        topic,
        Buffer.from(payload).toString(),
      ]);
      return JSON.stringify([rig.events, rig.probe.sends, messages]);
    };
    expect(run(true)).toBe(run(false));
  });

  it("lets another seed give other phases and values, and one member more change nothing for the others", () => {
    const sends = (seed: number, count: number) =>
      new FleetRig([groupPlan({ count })], {}, seed)
        .start()
        .advance(60)
        .probe.sends.filter(({ thing }) => thing < 5);
    expect(sends(42, 5)).toEqual(sends(42, 9));
    expect(sends(42, 5)).not.toEqual(sends(43, 5));
  });

  it("connects each member at its planned time and powers everybody off in order", () => {
    const rig = new FleetRig([groupPlan({ count: 3, connectAtUs: (index) => index * S })])
      .start()
      .advance(10);
    expect(rig.eventsOf("connection.open").map(({ atUs, thing }) => [atUs / S, thing])).toEqual([
      [0, "sensors-0"],
      [1, "sensors-1"],
      [2, "sensors-2"],
    ]);
    rig.fleet.stop();
    rig.advance(100);
    expect(rig.eventsOf("connection.closed")).toHaveLength(3);
    expect(rig.time.heap.size).toBe(0);
  });

  it("renders wills for each member", () => {
    const plan = groupPlan({ count: 2 });
    const will = {
      topic: "status/{thingName}",
      payload: "off {floor}",
      qos: 1,
      retain: true,
      delayS: 10,
    } as const;
    const rig = new FleetRig([{ ...plan, mqtt: { ...plan.mqtt, will } }]).start().advance(1);
    expect(rig.broker.connects.map((connect) => connect.will)).toEqual([
      { topic: "status/sensors-0", payload: Buffer.from("off 0"), qos: 1, retain: true, delayS: 10 },
      { topic: "status/sensors-1", payload: Buffer.from("off 1"), qos: 1, retain: true, delayS: 10 },
    ]);
  });

  it("refuses two members of one name, and templates that name what no member has", () => {
    const twice = groupPlan({ firstOrdinal: 1 });
    expect(() => new FleetRig([groupPlan(), twice])).toThrow(/FLEET_DUPLICATE_THING/);
    const plan = groupPlan();
    const [climate] = plan.telemetry;
    const telemetry = [{ ...climate!, topic: "site/{stie}" }];
    expect(() => new FleetRig([{ ...plan, telemetry }])).toThrow(
      expect.objectContaining({ code: "TEMPLATE_UNKNOWN_PLACEHOLDER", hint: "Did you mean {site}?" }),
    );
  });

  it("takes boards among its members", () => {
    const board = { ...fakeMember("board-1", 7, { site: "desk" }), group: "boards" };
    expect(new Fleet([board]).select({ group: "boards" }, stream())).toEqual([board]);
  });
});

const fakeMember = (name: string, ordinal: number, attributes: JsonObject): FleetMember => ({
  name,
  group: "fakes",
  ordinal,
  attributes,
  isOnline: ordinal % 2 === 0,
  start: () => undefined,
  stop: () => undefined,
  disconnect: () => undefined,
  connect: () => undefined,
  setState: () => undefined,
  setFault: () => false,
});

describe("Fleet.select", () => {
  const members = Array.from({ length: 100 }, (_, i) =>
    fakeMember(`f-${i}`, i, { floor: i % 10, site: "hq" }),
  );
  const fleet = new Fleet(members.toReversed());
  const picked = (selection: Parameters<Fleet["select"]>[0], name?: string): number[] =>
    fleet.select(selection, stream(name)).map(({ ordinal }) => ordinal);

  it.each([
    [{}, 100],
    [{ group: "fakes" }, 100],
    [{ where: { floor: 7 } }, 10],
    [{ where: { floor: [7, 8], site: "hq" } }, 20],
    [{ where: { floor: "7" } }, 0],
    [{ where: { toString: 1 } }, 0],
    [{ state: "online" as const }, 50],
    [{ state: "offline" as const, where: { floor: 7 } }, 10],
    [{ share: 0.4 }, 40],
    [{ where: { floor: 7 }, count: 5 }, 5],
    [{ state: "offline" as const, count: 80 }, 50],
    [{ things: ["f-9", "f-3", "f-9"] }, 2],
    [{ share: 0 }, 0],
  ])("finds those who fit %j", (selection, count) => {
    const ordinals = picked(selection);
    expect(ordinals).toHaveLength(count);
    expect(ordinals).toEqual(ordinals.toSorted((a, b) => a - b));
  });

  it("picks the same for the same stream, others for another", () => {
    expect(picked({ share: 0.3 })).toEqual(picked({ share: 0.3 }));
    expect(picked({ share: 0.3 })).not.toEqual(picked({ share: 0.3 }, "other"));
  });

  it.each([
    [{ group: "fake" }, "FLEET_UNKNOWN_GROUP", 'Did you mean "fakes"?'],
    [{ things: ["f-200"] }, "FLEET_UNKNOWN_THING", 'like "f-0"'],
    [{ where: { floor: 7 }, count: 11 }, "FLEET_TOO_FEW", "fewer"],
  ])("refuses %j", (selection, code, hint) => {
    expect(() => picked(selection)).toThrow(
      expect.objectContaining({ code, exitCode: 2, hint: expect.stringContaining(hint) as string }),
    );
  });
});

describe("planArrival", () => {
  it("spaces a rate evenly", () => {
    expect(planArrival({ ratePerSecond: 100 }, 4, stream())).toEqual([0, 10_000, 20_000, 30_000]);
  });

  it("spaces a linear spread evenly over it", () => {
    expect(planArrival({ spreadUs: 100, distribution: "linear" }, 4, stream())).toEqual([0, 25, 50, 75]);
  });

  it("scatters a uniform spread within it, the first members independently of how many follow", () => {
    const few = planArrival({ spreadUs: 30 * S, distribution: "uniform" }, 100, stream());
    const many = planArrival({ spreadUs: 30 * S, distribution: "uniform" }, 200, stream());
    expect(many.slice(0, 100)).toEqual(few);
    expect(few.every((atUs) => atUs >= 0 && atUs < 30 * S)).toBe(true);
  });

  it("gives a Poisson process its mean rate and rising instants", () => {
    const instants = planArrival({ spreadUs: 100 * S, distribution: "poisson" }, 2000, stream());
    expect(instants).toEqual(instants.toSorted((a, b) => a - b));
    expect(instants.at(-1)! / S).toBeGreaterThan(90);
    expect(instants.at(-1)! / S).toBeLessThan(110);
  });
});
