import { Cloud } from "fleetrig/broker";
import { createRandomSource, type RunEvent, VirtualTime } from "fleetrig/kernel";
import { artifactFor, createFleet, type Fleet, type GroupPlan } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { climate, groupPlan, memoryLinks, S, SentLog } from "./fleet-rig.js";

/** A fleet before the real cloud, in virtual time. */
class CloudRig {
  readonly time = new VirtualTime();
  readonly events: RunEvent[] = [];
  readonly probe = new SentLog();
  readonly cloud: Cloud;
  readonly fleet: Fleet;
  readonly random = createRandomSource(7);

  constructor(groups: readonly GroupPlan[]) {
    const { time, random, probe } = this;
    const events = { emit: (event: RunEvent) => this.events.push(event) };
    this.cloud = new Cloud({ time, random, events });
    for (const { members } of groups) {
      for (const { name } of members) this.cloud.registry.createThing({ thingName: name });
    }
    const linkFor = memoryLinks(this.cloud.acceptor, random);
    this.fleet = createFleet({ groups }, { time, random, events, probe, run: "test", linkFor });
    this.fleet.start();
  }

  advance(seconds: number): this {
    this.time.advance(seconds * S);
    return this;
  }

  eventsOf<T extends RunEvent["type"]>(type: T): Extract<RunEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);
  }

  reported(thing: string, shadowName?: string): unknown {
    return this.cloud.shadows.document({ thing, shadowName })?.reported?.state;
  }
}

describe("shadow devices before the cloud", () => {
  const hvac = (): GroupPlan =>
    groupPlan({
      group: "hvac",
      model: "shadow-device",
      count: 30,
      settings: { shadow: { name: "config", applyTime: { dist: "uniform", min: 0.2 * S, max: 1.5 * S } } },
      link: { name: "lan", latency: { dist: "constant", value: 20_000 }, loss: 0, bitsPerSecond: 0 },
      telemetry: [],
    });
  const setpoint = (rig: CloudRig, value: number): void => {
    for (const { name: thing } of rig.fleet.members) {
      const payload = { state: { desired: { setpoint: value, mode: "eco" } } };
      rig.cloud.shadows.update({ thing, shadowName: "config", payload });
    }
  };
  const converged = (rig: CloudRig, value: number): number =>
    rig.eventsOf("device.config").filter((event) => event.state["setpoint"] === value).length;

  it("take over a change, and their reports settle the delta", () => {
    const rig = new CloudRig([hvac()]).advance(5);
    setpoint(rig, 21);
    rig.advance(3);
    expect(converged(rig, 21)).toBe(30);
    const accepted = rig
      .eventsOf("shadow.accepted")
      .filter(({ requested }) => requested.reported !== undefined);
    expect(accepted).toHaveLength(30);
    expect(accepted.every(({ hasDelta }) => !hasDelta)).toBe(true);
    expect(rig.eventsOf("shadow.rejected").filter(({ operation }) => operation !== "get")).toEqual([]);
  });

  it("converge after a disconnection during which their configuration changed", () => {
    const rig = new CloudRig([hvac()]).advance(5);
    const away = rig.fleet.select({ share: 0.4 }, rig.random.stream("pick"));
    for (const member of away) member.disconnect("ungraceful", 30 * S, "wave");
    rig.advance(10);
    setpoint(rig, 21);
    rig.advance(10);
    expect(converged(rig, 21)).toBe(18);
    rig.advance(200);
    expect(new Set(rig.eventsOf("device.config").map(({ thing }) => thing)).size).toBe(30);
    for (const { name } of rig.fleet.members) {
      expect(rig.reported(name, "config")).toEqual({ setpoint: 21, mode: "eco" });
    }
  });

  it("end with the newest of several quick changes", () => {
    const rig = new CloudRig([hvac()]).advance(5);
    for (const value of [19, 20, 21]) {
      setpoint(rig, value);
      rig.advance(0.1);
    }
    rig.advance(5);
    for (const { name } of rig.fleet.members) {
      expect(rig.reported(name, "config")).toEqual({ setpoint: 21, mode: "eco" });
    }
  });
});

describe("OTA devices before the cloud", () => {
  const trackers = (): GroupPlan =>
    groupPlan({
      group: "trackers",
      model: "ota-device",
      count: 40,
      attributes: () => ({ firmware: "2.3.1" }),
      settings: { ota: { executionTime: { dist: "uniform", min: 60 * S, max: 180 * S } } },
      telemetry: [{ ...climate, topic: "t/{thingName}", payload: { battery: "{state.battery}" } }],
    });
  const rollout = (rig: CloudRig): CloudRig => {
    rig.advance(5);
    rig.cloud.jobs.createJob({
      jobId: "fw",
      targets: rig.fleet.members.map(({ name }) => name),
      document: { operation: "ota", version: "2.4.0", sha256: artifactFor("2.4.0").sha256 },
      timeoutConfig: { inProgressTimeoutInMinutes: 10 },
    });
    return rig;
  };
  const terminal = (rig: CloudRig, status: string) =>
    rig.eventsOf("job.execution").filter((event) => event.status === status);

  it("install a firmware in the execution time that was drawn, and the job completes", () => {
    const rig = rollout(new CloudRig([trackers()])).advance(400);
    expect(terminal(rig, "SUCCEEDED")).toHaveLength(40);
    expect(rig.eventsOf("job.status").at(-1)).toMatchObject({ jobId: "fw", status: "COMPLETED" });
    const began = new Map(
      rig.eventsOf("job.execution").flatMap((event) => {
        return event.from === "QUEUED" ? [[event.thing, event.atUs] as const] : [];
      }),
    );
    for (const { thing, atUs } of terminal(rig, "SUCCEEDED")) {
      const tookS = (atUs - began.get(thing)!) / S;
      expect(tookS).toBeGreaterThan(60);
      expect(tookS).toBeLessThan(182);
    }
    for (const { name } of rig.fleet.members) expect(rig.reported(name)).toEqual({ firmware: "2.4.0" });
  });

  it.each<[string, string, string]>([
    ["ota.offline", "QUEUED", "2.3.1"],
    ["ota.rejected", "REJECTED", "2.3.1"],
    ["ota.download-stall", "TIMED_OUT", "2.3.1"],
    ["ota.download-failed", "FAILED", "2.3.1"],
    ["ota.verify-failed", "FAILED", "2.3.1"],
    ["ota.flash-failed", "FAILED", "2.3.1"],
    ["ota.boot-loop-rollback", "FAILED", "2.3.1"],
    ["ota.hang", "TIMED_OUT", "2.3.1"],
    ["ota.silent-after-reboot", "TIMED_OUT", "2.3.1"],
    ["ota.slow", "SUCCEEDED", "2.4.0"],
  ])("under %s end %s", (fault, status, firmware) => {
    const rig = new CloudRig([trackers()]);
    const affected = rig.fleet.select({ count: 12 }, rig.random.stream("fault"));
    for (const member of affected) expect(member.setFault(fault, true, { factor: 2 })).toBe(true);
    rollout(rig).advance(1500);
    const last = new Map(rig.eventsOf("job.execution").map((event) => [event.thing, event.status]));
    for (const { name } of affected) expect([name, last.get(name)]).toEqual([name, status]);
    expect([...last.values()].filter((each) => each === "SUCCEEDED")).toHaveLength(
      status === "SUCCEEDED" ? 40 : 28,
    );
    const runs = new Map(rig.eventsOf("device.firmware").map((event) => [event.thing, event.version]));
    for (const { name } of affected) expect(runs.get(name)).toBe(firmware);
    const gone = rig.fleet.members.filter((member) => !member.isOnline).length;
    expect(gone).toBe(["ota.offline", "ota.silent-after-reboot"].includes(fault) ? 12 : 0);
  });

  it("that were offline update once they are back", () => {
    const rig = new CloudRig([trackers()]).advance(3);
    const affected = rig.fleet.select({ count: 12 }, rig.random.stream("fault"));
    for (const member of affected) member.setFault("ota.offline", true, {});
    rollout(rig).advance(400);
    expect(terminal(rig, "SUCCEEDED")).toHaveLength(28);
    for (const member of affected) member.setFault("ota.offline", false, {});
    rig.advance(400);
    expect(terminal(rig, "SUCCEEDED")).toHaveLength(40);
  });

  it("resume a download that a lost connection interrupted", () => {
    const rig = rollout(new CloudRig([trackers()])).advance(20);
    for (const member of rig.fleet.members) member.disconnect("ungraceful", 15 * S, "wave");
    rig.advance(600);
    expect(terminal(rig, "SUCCEEDED")).toHaveLength(40);
  });
});
