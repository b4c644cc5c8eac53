import { describe, expect, it } from "vitest";
import { lacksCompiler } from "../../rigs.js";
import { CLIMATE, S, TwinRig } from "./twin-rig.js";

const stream = {
  ...CLIMATE,
  payload: { t: "{state.temperature}", seq: "{seq}", ts: "{now}" },
} as const;
const CONSTANT = { shape: "constant", value: 21.5, decimals: 1 } as const;
const policy = { policy: "constant", baseUs: 2 * S, capUs: 60 * S, resetAfterUs: 10 * S } as const;
const sensors = { telemetry: [stream], signals: { temperature: CONSTANT }, reconnect: policy } as const;
const shadow = {
  settings: { shadow: { name: "config", applyTime: { dist: "constant", value: 0.4 * S } } },
} as const;

/** Both have told the same, and the same became of their messages. */
function agree(rig: TwinRig): void {
  expect(rig.boardTold).toEqual(rig.virtualTold);
  expect(rig.steps(1)).toEqual(rig.steps(0));
}

describe.skipIf(lacksCompiler)("a board with the firmware beside its virtual twin", () => {
  it("connects and sends the same messages at the same instants", () => {
    const rig = new TwinRig(sensors).start().advance(10.5);
    agree(rig);
    expect(rig.steps(1).slice(0, 4)).toEqual(["sent 0", "acked 0", "sent 1", "acked 1"]);
    const dues = (ordinal: number) =>
      rig.log.steps.flatMap(({ thing, dueUs }) => (thing === ordinal && dueUs !== undefined ? [dueUs] : []));
    expect(dues(1)).toEqual(dues(0));
    expect(dues(1)).toHaveLength(11);
  });

  it.each([4, 5] as const)(
    "resumes its session after a loss over MQTT %i, and sends what it kept",
    (protocolVersion) => {
      const mqtt = {
        protocolVersion,
        keepAliveS: 60,
        cleanStart: false,
        sessionExpiryS: 3600,
        receiveMaximum: 4,
        will: undefined,
      };
      const rig = new TwinRig({ ...sensors, mqtt }).start().advance(3.5);
      rig.both((member) => member.disconnect("ungraceful", 7 * S, "a1")).advance(20);
      agree(rig);
      expect(rig.boardTold).toContainEqual({ type: "connection.lost", reason: "ungraceful", action: "a1" });
      expect(rig.boardTold).toContainEqual(
        expect.objectContaining({ type: "connection.open", sessionPresent: true, resumeExpected: true }),
      );
      expect(rig.steps(1).filter((step) => step.startsWith("acked"))).toHaveLength(24);
    },
  );

  it("leaves in order when told to, waits, and comes back by its policy or at once", () => {
    const rig = new TwinRig(sensors).start().advance(2.5);
    rig.both((member) => member.disconnect("graceful", 5 * S, "a2")).advance(9);
    rig.both((member) => member.disconnect("graceful", 500 * S, "a3")).advance(2);
    rig.both((member) => member.connect()).advance(2);
    agree(rig);
    expect(rig.boardTold.filter((event) => JSON.stringify(event).includes("connection.closed"))).toHaveLength(
      2,
    );
  });

  it.each(["blackhole", "no-connack"] as const)("survives a %s", (mode) => {
    const rig = new TwinRig(sensors).start().advance(2.5);
    rig.both((member) => member.disconnect(mode, 15 * S, "a4")).advance(60);
    expect(rig.members.board.isOnline).toBe(true);
    expect(
      rig
        .steps(1)
        .filter((step) => step.startsWith("acked"))
        .sort(),
    ).toEqual(
      rig
        .steps(0)
        .filter((step) => step.startsWith("acked"))
        .sort(),
    );
  });

  it("ends a connection on which no PINGRESP comes [MQTT-3.1.2-24]", () => {
    const mqtt = {
      protocolVersion: 5,
      keepAliveS: 10,
      cleanStart: false,
      sessionExpiryS: 3600,
      receiveMaximum: 4,
      will: undefined,
    } as const;
    const rig = new TwinRig({ ...sensors, mqtt }).start().advance(2.5);
    rig.both((member) => member.disconnect("blackhole", 0, "a5")).advance(45);
    const lost = rig.boardTold.filter((event) => JSON.stringify(event).includes("connection.lost"));
    expect(lost).toHaveLength(1);
    expect(rig.board.events.filter(({ kind }) => kind === "lost")).toMatchObject([
      { reason: "keep-alive-timeout" },
    ]);
  });

  it.each(["drop-oldest", "drop-newest"] as const)(
    "gives up by the rule %s what its buffer cannot hold",
    (overflow) => {
      const rig = new TwinRig({ ...sensors, buffer: { capacity: 3, overflow } }).start().advance(1.5);
      rig.both((member) => member.disconnect("ungraceful", 9 * S, "a6")).advance(15);
      agree(rig);
      expect(rig.steps(1).filter((step) => step.startsWith("discarded")).length).toBeGreaterThan(4);
    },
  );

  it("keeps QoS 0 offline, too, and nothing when the buffer has no place", () => {
    for (const capacity of [0, 50]) {
      const telemetry = [{ ...stream, qos: 0 as const }];
      const rig = new TwinRig({ ...sensors, telemetry, buffer: { capacity, overflow: "drop-oldest" } })
        .start()
        .advance(1.5);
      rig.both((member) => member.disconnect("ungraceful", 4 * S, "a7")).advance(8);
      agree(rig);
    }
  });

  it("renders what its payload names", () => {
    const rig = new TwinRig({
      ...sensors,
      signals: { temperature: { shape: "sawtooth", min: -3, max: 7, periodUs: 10 * S, decimals: 1 } },
    });
    const texts: string[] = [];
    rig.cloud.broker.addHooks({
      message: (message) => {
        texts.push(`${message.topic} ${Buffer.from(message.payload).toString()}`);
        return "broker";
      },
    });
    rig.start().advance(9.5);
    const of = (thing: string) =>
      texts.filter((text) => text.startsWith(`site/${thing}/`)).map((text) => text.slice(text.indexOf(" ")));
    expect(of("twins-1")).toEqual(of("twins-0"));
    expect(of("twins-1")[2]).toContain('"t":-1,"seq":2,');
  });

  it("moves signals where it is told, at once and by ramps", () => {
    const rig = new TwinRig(sensors);
    const values: number[] = [];
    rig.cloud.broker.addHooks({
      message: (message) => {
        if (message.topic === "site/twins-1/t")
          values.push((JSON.parse(Buffer.from(message.payload).toString()) as { t: number }).t);
        return "broker";
      },
    });
    rig.start().advance(0.5);
    rig.both((member) => member.setState({ temperature: { rampTo: 25.5, overUs: 4 * S } })).advance(6);
    rig.both((member) => member.setState({ temperature: { to: -2.25 } })).advance(1);
    expect(values).toEqual([21.5, 22, 23, 24, 25, 25.5, 25.5, -2.2]);
  });
});

describe.skipIf(lacksCompiler)("the firmware's shadow agent", () => {
  const follower = { ...sensors, ...shadow, model: "shadow-device" } as const;

  it("applies a delta after its time, tells its configuration and reports it", () => {
    const rig = new TwinRig(follower).start().advance(2.2);
    rig.desire({ setpoint: 21, nested: { a: [1, "é\n"], b: null, 'x"y': {} } }, "config").advance(3);
    rig.desire({ setpoint: 22, nested: { a: false } }, "config").advance(3);
    agree(rig);
    expect(rig.reported("twins-1", "config")).toEqual(rig.reported("twins-0", "config"));
    expect(rig.modes("twins-1")).toEqual(["applying", "steady", "applying", "steady"]);
  });

  it("starts over with a newer delta while it applies one", () => {
    const rig = new TwinRig(follower).start().advance(2.2);
    for (const setpoint of [19, 20, 21]) rig.desire({ setpoint }, "config").advance(0.1);
    rig.advance(3);
    agree(rig);
    expect(rig.reported("twins-1", "config")).toEqual({ setpoint: 21 });
  });

  it("takes its telemetry interval from the shadow, under any of its names", () => {
    const rig = new TwinRig({ ...sensors, ...shadow }).start().advance(2.2);
    rig.desire({ reporting_interval: 3 }, "config").advance(10);
    rig.desire({ telemetry: { everyS: 0.5 } }, "config").advance(5);
    agree(rig);
  });

  it("catches up with what was desired while it was away", () => {
    const rig = new TwinRig(follower).start().advance(2.2);
    rig.both((member) => member.disconnect("ungraceful", 5 * S, "a8")).advance(1);
    rig.desire({ setpoint: 23 }, "config").advance(15);
    agree(rig);
    expect(rig.reported("twins-1", "config")).toEqual({ setpoint: 23 });
  });

  it("knows its configuration after a power cut", () => {
    const rig = new TwinRig({ ...sensors, ...shadow }).start().advance(2.2);
    rig.desire({ reporting_interval: 4, keep: "me" }, "config").advance(3);
    rig.board.cutPower();
    rig.advance(3).desire({ other: 1 }, "config").advance(3);
    expect(rig.told("twins-1", ["device.config"]).at(-1)).toMatchObject({
      state: { reporting_interval: 4, keep: "me", other: 1 },
    });
    const before = rig.steps(1).length;
    rig.advance(8);
    expect(rig.steps(1).length - before).toBe(4);
  });

  it("saves its battery: one sample in four below 15 percent", () => {
    const rig = new TwinRig({
      ...sensors,
      signals: { temperature: CONSTANT, battery: { shape: "constant", value: 90 } },
    })
      .start()
      .advance(2.5);
    rig.both((member) => member.setState({ battery: { to: 10 } })).advance(12);
    rig.both((member) => member.setState({ battery: { to: 50 } })).advance(8);
    agree(rig);
    expect(rig.modes("twins-1")).toEqual(["config.steady|power.saving", "config.steady|power.normal"]);
  });
});
