import fc from "fast-check";
import { type JsonObject, withBannedGlobals } from "fleetrig/kernel";
import { artifactFor, type VirtualDevice } from "fleetrig/sim";
import { createMachine } from "xstate";
import { describe, expect, it } from "vitest";
import { climate, FleetRig, type GroupOptions, groupPlan, S } from "../fleet/fleet-rig.js";

const rig = (options: GroupOptions = {}, script = {}): FleetRig => new FleetRig([groupPlan(options)], script);
const only = (fleet: FleetRig): VirtualDevice => fleet.fleet.members[0] as VirtualDevice;
const scheduled = (fleet: FleetRig): number[] => fleet.probe.sends.map(({ scheduledUs }) => scheduledUs / S);

describe("telemetry of a device", () => {
  it("holds exactly window / interval messages per device in any stage, whatever the phases are", () => {
    const fleet = rig({ count: 40, connectAtUs: (index) => index * 0.01 * S }).start();
    fleet.advance(1000);
    const inWindow = fleet.probe.sends.filter(
      (send) => send.scheduledUs >= 60 * S && send.scheduledUs < 960 * S,
    );
    expect(inWindow).toHaveLength(40 * 30);
    expect(new Set(fleet.probe.sends.slice(0, 40).map((send) => send.scheduledUs)).size).toBe(40);
  });

  it("follows its grid from time 0 and sends nothing before the first connection attempt", () => {
    const streams = [{ ...climate, phase: "aligned" as const }];
    const fleet = rig({ connectAtUs: () => 45 * S, telemetry: streams })
      .start()
      .advance(121);
    expect(scheduled(fleet)).toEqual([60, 90, 120]);
  });

  it("spreads phases over the interval by index when asked to", () => {
    const telemetry = [{ ...climate, phase: "index" as const }];
    const fleet = rig({ count: 3, telemetry }).start().advance(30);
    expect(scheduled(fleet)).toEqual([0, 10, 20, 30]);
  });

  it("goes on with its schedule while offline, and sends late what it could not send in time", () => {
    const telemetry = [{ ...climate, phase: "aligned" as const }];
    const fleet = rig({ telemetry, reconnect: { policy: "constant", baseUs: S, capUs: S, resetAfterUs: S } });
    fleet.start().advance(10);
    only(fleet).disconnect("ungraceful", 60 * S, "wave");
    fleet.advance(59);
    expect(scheduled(fleet)).toEqual([0]);
    fleet.advance(41);
    expect(scheduled(fleet)).toEqual([0, 30, 60, 90]);
    expect(fleet.probe.sends.map(({ sentUs }) => sentUs / S).slice(1, 3)).toEqual([70, 70]);
    expect(fleet.probe.sends.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3]);
  });

  it("renders topic and payload from attributes, signals and sequence", () => {
    const signals = { temperature: { shape: "constant", value: 21.456, decimals: 1 } } as const;
    const fleet = rig({ signals, telemetry: [{ ...climate, phase: "aligned" }] })
      .start()
      .advance(31);
    expect(fleet.published("site/hq/sensors-0")).toEqual([
      { thing: "sensors-0", temperature: 21.5, seq: 0 },
      { thing: "sensors-0", temperature: 21.5, seq: 1 },
    ]);
  });

  it("slows down when the battery runs low, on a grid of its own", () => {
    const telemetry = [{ ...climate, phase: "aligned" as const }];
    const fleet = rig({ telemetry }).start().advance(31);
    only(fleet).setState({ battery: { to: 5 } });
    fleet.advance(330);
    expect(scheduled(fleet)).toEqual([0, 30, 60, 120, 240, 360]);
    expect(only(fleet).mode).toBe("config.steady|power.saving");
  });
});

describe("a device's signals", () => {
  it("ramp when the scenario sets them", () => {
    const signals = { temperature: { shape: "constant", value: 20 } } as const;
    const fleet = rig({ signals, telemetry: [{ ...climate, phase: "aligned" }] })
      .start()
      .advance(30);
    only(fleet).setState({ temperature: { rampTo: 34, overUs: 60 * S } });
    fleet.advance(90);
    const values = fleet.published("site/hq/sensors-0").map((body) => (body as JsonObject)["temperature"]);
    expect(values).toEqual([20, 20, 27, 34, 34]);
  });

  it.each([
    [{ temprature: { to: 1 } }, "DEVICE_UNKNOWN_STATE", 'Did you mean "temperature"?'],
    [{ colour: { to: 1 } }, "DEVICE_UNKNOWN_STATE", "Signals: temperature, humidity, battery."],
    [{ temperature: { to: "hot" } }, "DEVICE_NOT_A_NUMBER", "numbers"],
  ])("refuse %j", (values, code, hint) => {
    const device = only(rig());
    expect(() => device.setState(values)).toThrow(
      expect.objectContaining({ code, exitCode: 2, hint: expect.stringContaining(hint) as string }),
    );
  });
});

describe("a device and its shadow", () => {
  const settings = { shadow: { name: "config", applyTime: { dist: "constant", value: 2 * S } } };
  const shadow = "$aws/things/sensors-0/shadow/name/config";
  const connected = (): FleetRig =>
    rig({ settings, telemetry: [{ ...climate, phase: "aligned" }] })
      .start()
      .advance(1);

  it("subscribes and asks for it on connecting", () => {
    const fleet = connected();
    const filters = fleet.broker.packets.flatMap((packet) =>
      packet.type === "subscribe" ? packet.subscriptions.map(({ filter }) => filter) : [],
    );
    expect(filters).toEqual([`${shadow}/update/delta`, `${shadow}/get/accepted`]);
    expect(fleet.published(`${shadow}/get`)).toEqual([""]);
  });

  it.each<[string, JsonObject]>([
    ["update/delta", { version: 3, state: { reporting_interval: 10 } }],
    ["get/accepted", { version: 3, state: { desired: {}, delta: { reporting_interval: 10 } } }],
  ])("takes over what %s asks for, reports it, and is seen to run with it", (suffix, body) => {
    const fleet = connected();
    fleet.deliver(`${shadow}/${suffix}`, body);
    fleet.advance(31);
    expect(fleet.published(`${shadow}/update`)).toEqual([
      { state: { reported: { reporting_interval: 10 } } },
    ]);
    expect(fleet.eventsOf("device.config")).toEqual([
      {
        type: "device.config",
        atUs: 3 * S,
        thing: "sensors-0",
        shadowName: "config",
        state: { reporting_interval: 10 },
      },
    ]);
    expect(scheduled(fleet)).toEqual([0, 10, 20, 30]);
  });

  it.each([
    ["no JSON", "{"],
    ["no object", "[1]"],
    ["a state that is none", { version: 1, state: 7 }],
    ["no version", { state: { a: 1 } }],
    ["too much nesting", "[".repeat(10_000)],
    ["too many bytes", " ".repeat(200_000)],
  ])("ignores a delta with %s", (_, body) => {
    const fleet = connected();
    fleet.deliver(`${shadow}/update/delta`, body);
    fleet.advance(5);
    expect(fleet.eventsOf("device.config")).toEqual([]);
  });
});

describe("a device and its jobs", () => {
  const settings = { ota: { executionTime: { dist: "constant", value: 100 * S } } };
  const jobs = "$aws/things/sensors-0/jobs";
  const document = { operation: "ota", version: "2.0.0", sha256: artifactFor("2.0.0").sha256 };
  const execution = { jobId: "fw", jobDocument: document, executionNumber: 1, versionNumber: 2 };
  const updating = (): FleetRig => {
    const attributes = () => ({ site: "hq", firmware: "1.0.0" });
    const fleet = rig({ model: "ota-device", settings, attributes, telemetry: [] }).start().advance(1);
    fleet.deliver(`${jobs}/start-next/accepted`, { execution });
    return fleet;
  };

  it("asks for a job on connecting and whenever one is announced", () => {
    const fleet = rig({ model: "ota-device", settings, telemetry: [] }).start().advance(1);
    fleet.deliver(`${jobs}/notify-next`, { execution: { jobId: "fw" } });
    fleet.deliver(`${jobs}/notify-next`, { timestamp: 1 });
    expect(fleet.published(`${jobs}/start-next`)).toEqual([{}, {}]);
  });

  it("installs an update: statuses, reboot, new firmware as ground truth and in the shadow", () => {
    const fleet = updating().advance(120);
    const updates = fleet.published(`${jobs}/fw/update`) as JsonObject[];
    expect(updates.map(({ status }) => status)).toEqual([
      ...Array<string>(4).fill("IN_PROGRESS"),
      "SUCCEEDED",
    ]);
    expect(fleet.eventsOf("device.firmware").map(({ version }) => version)).toEqual(["1.0.0", "2.0.0"]);
    expect(fleet.eventsOf("device.rebooted")).toHaveLength(1);
    expect(fleet.eventsOf("connection.lost")).toMatchObject([{ reason: "reboot" }]);
    expect(fleet.published("$aws/things/sensors-0/shadow/update")).toEqual([
      { state: { reported: { firmware: "2.0.0" } } },
    ]);
    expect(fleet.eventsOf("device.mode").map(({ mode }) => mode)).toEqual([
      "downloading",
      "verifying",
      "flashing",
      "leaving",
      "rebooting",
      "selfTesting",
      "healthy",
    ]);
  });

  it("is off while it reboots: no telemetry, no sequence number used", () => {
    const telemetry = [{ ...climate, everyUs: 2 * S, phase: "aligned" as const, payload: { seq: "{seq}" } }];
    const fleet = rig({ model: "ota-device", settings, telemetry, attributes: () => ({ site: "hq" }) });
    fleet.start().advance(1);
    fleet.deliver(`${jobs}/start-next/accepted`, { execution });
    fleet.advance(120);
    const [down] = fleet.eventsOf("device.rebooted");
    const [, up] = fleet.eventsOf("connection.open");
    const whileDown = scheduled(fleet).filter((atS) => atS * S > down!.atUs && atS * S < up!.atUs);
    expect(whileDown).toEqual([]);
    const sequences = fleet.probe.sends.map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.map((_, index) => index));
  });

  it("is never heard of again under ota.silent-after-reboot", () => {
    const fleet = updating();
    expect(only(fleet).setFault("ota.silent-after-reboot", true, {})).toBe(true);
    fleet.advance(3600);
    expect(only(fleet).isOnline).toBe(false);
    expect(fleet.eventsOf("connection.attempt")).toHaveLength(1);
    expect(fleet.eventsOf("device.rebooted")).toHaveLength(1);
  });

  it("gives an update up that the service no longer wants", () => {
    const fleet = updating();
    fleet.deliver(`${jobs}/fw/update/rejected`, { code: "InvalidStateTransition", message: "" });
    expect(only(fleet).mode).toBe("idle");
  });
});

describe("a device and whatever the cloud sends", () => {
  const suffixes = [
    "shadow/update/delta",
    "shadow/get/accepted",
    "shadow/name/config/update/delta",
    "jobs/notify-next",
    "jobs/start-next/accepted",
    "jobs/start-next/rejected",
    "jobs/fw/update/rejected",
    "jobs",
    "",
  ];

  it.each(["shadow-device", "ota-device", "temperature-sensor"])("does not bring %s down", (model) => {
    const fleet = rig({ model, settings: { shadow: {} }, telemetry: [] })
      .start()
      .advance(1);
    const field = fc.constantFrom("state", "delta", "version", "execution", "jobId", "jobDocument", "code");
    const body = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(field, fc.oneof(fc.jsonValue(), fc.dictionary(field, fc.jsonValue()))),
    );
    fc.assert(
      fc.property(fc.constantFrom(...suffixes), body, (suffix, json) => {
        fleet.deliver(`$aws/things/sensors-0/${suffix}`, json as JsonObject);
        fleet.advance(10);
      }),
      { numRuns: 150 },
    );
    expect(only(fleet).isOnline).toBe(true);
  });

  it("does not take another thing's messages for its own", () => {
    const fleet = rig({ model: "shadow-device", telemetry: [] }).start().advance(1);
    fleet.deliver("$aws/things/sensors-1/shadow/update/delta", { version: 1, state: { a: 1 } });
    fleet.advance(10);
    expect(fleet.eventsOf("device.config")).toEqual([]);
  });
});

describe("faults of a device", () => {
  it("go to its link, to its machine, or nowhere", () => {
    const ota = only(rig({ model: "ota-device", telemetry: [] }));
    expect(ota.setFault("link.latency", true, { by: S })).toBe(true);
    expect(ota.setFault("ota.hang", true, {})).toBe(true);
    expect(ota.setFault("ota.hnag", true, {})).toBe(false);
    expect(only(rig()).setFault("ota.hang", true, {})).toBe(false);
  });
});

describe("a virtual run", () => {
  it("reads no time and no randomness of the host: machines, identities and templates included", () => {
    const attributes = () => ({ site: "hq", firmware: "1.0.0" });
    const payload = { serial: "{identity.serial}", made: "{identity.manufacturedAt}", t: "{now}" };
    const telemetry = [{ ...climate, payload }];
    const sent = withBannedGlobals(() => {
      const fleet = rig({ model: "ota-device", attributes, telemetry }).start().advance(61);
      return fleet.published("site/hq/sensors-0");
    });
    expect(sent).toHaveLength(2);
  });
});

describe("a user's machine", () => {
  const withMachine = (machine: ReturnType<typeof createMachine>): FleetRig => {
    const plan = groupPlan({ telemetry: [] });
    return new FleetRig([{ ...plan, model: { name: "own", description: "", machine, signals: {} } }]);
  };

  it("hears of messages to other topics and of what the scenario sets", () => {
    const machine = createMachine({
      on: {
        CONNECTED: { actions: { type: "subscribe", params: { filters: ["cmd/sensors-0"] } } },
        MESSAGE: {
          actions: {
            type: "publish",
            params: ({ event }) => ({ topic: "echo", payload: event["payload"] as string, qos: 1 }),
          },
        },
        SET: {
          actions: {
            type: "publish",
            params: ({ event }) => ({ topic: "set", payload: event["values"], qos: 0 }),
          },
        },
      },
    });
    const fleet = withMachine(machine as never)
      .start()
      .advance(1);
    fleet.deliver("cmd/sensors-0", { blink: 2 });
    only(fleet).setState({ door: { to: "open" } });
    fleet.advance(1);
    expect(fleet.published("echo")).toEqual([{ blink: 2 }]);
    expect(fleet.published("set")).toEqual([{ door: "open" }]);
  });

  it.each([
    ["rebot", 'Did you mean "reboot"?'],
    ["explode", "Devices can do: subscribe"],
  ])("is told that %s is no effect", (entry, hint) => {
    expect(() => withMachine(createMachine({ entry }) as never).start()).toThrow(
      expect.objectContaining({
        code: "MODEL_UNKNOWN_EFFECT",
        hint: expect.stringContaining(hint) as string,
      }),
    );
  });

  it("may set thresholds only on signals that it has", () => {
    const model = { name: "own", description: "", machine: createMachine({}), signals: {} };
    const thresholds = [{ signal: "battery", below: 5 }];
    expect(
      () => new FleetRig([{ ...groupPlan({ telemetry: [] }), model: { ...model, thresholds } }]),
    ).toThrow(/MODEL_UNKNOWN_SIGNAL/);
  });

  it("draws from streams that go on, one per purpose", () => {
    const drawn: unknown[] = [];
    const machine = createMachine({
      on: {
        CONNECTED: {
          actions: [
            { type: "draw", params: { purpose: "a" } },
            { type: "draw", params: { purpose: "a" } },
          ],
        },
        DRAWN: {
          actions: {
            type: "publish",
            params: ({ event }) => ({ topic: "n", payload: event["value"], qos: 0 }),
          },
        },
      },
    });
    const fleet = withMachine(machine as never)
      .start()
      .advance(1);
    drawn.push(...fleet.published("n"));
    expect(drawn).toHaveLength(2);
    expect(drawn[0]).not.toBe(drawn[1]);
  });
});
