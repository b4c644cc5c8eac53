import { Cloud } from "fleetrig/broker";
import { createRandomSource, LANE, type RunEvent, VirtualTime } from "fleetrig/kernel";
import { wireBytes } from "fleetrig/protocol";
import { createMemoryDialer, type FleetMember, LinkFaults } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { parseBenchFile } from "../../../hil/bench/bench-file.js";
import { createBench } from "../../../hil/bench/create-bench.js";
import type { MemoryPort } from "../../../hil/port/memory-port.js";
import { linesOf, LineReader } from "../../../hil/profiles/line-reader.js";
import { lineProfileSchema } from "../../../hil/profiles/line-profile.js";
import { MS, pass, SECOND } from "../board/board-rig.js";
import { sensors } from "../bridge/member-rig.js";
import { MemoryPorts, type PluggedDevice } from "../fixtures/memory-ports.js";

const BENCH = `
boards:
- { port: /dev/ttyUSB0, tags: [oven], profile: oven }
profiles:
  oven:
    chip: atmega
    hello: "oven (v[0-9.]+) ready"
    ask: "id?"
    read:
    - { match: "T=(?P<temperature>[0-9.]+) H=(?P<humidity>[0-9]+)", as: telemetry }
    - { match: "heater (on|off)", as: reported, values: { heater: { group: 1, type: boolean } } }
    write:
    - { on: delta, write: "heat {heater}" }
    - { on: set, write: ["target {temperature}", "fan {fan}"] }
`;

/** Firmware as people write it. */
class Oven implements PluggedDevice {
  readonly heard: string[] = [];
  private port: MemoryPort | undefined;
  private text = "";

  plugged(port: MemoryPort): void {
    this.port = port;
  }

  unplugged(): void {
    this.port = undefined;
  }

  lines(): void {}

  say(line: string): void {
    this.port?.send(Buffer.from(`${line}\r\n`));
  }

  received(bytes: Uint8Array): void {
    this.text += Buffer.from(bytes).toString();
    const lines = this.text.split("\n");
    this.text = lines.pop() ?? "";
    for (const line of lines) {
      this.heard.push(line);
      if (line === "id?") this.say("oven v1.2 ready");
      if (line.startsWith("heat ")) this.say(line.endsWith("true") ? "heater on" : "heater off");
    }
  }
}

class OvenRig {
  readonly time = new VirtualTime();
  readonly events: RunEvent[] = [];
  readonly ports = new MemoryPorts(this.time.lane(50));
  readonly oven = new Oven();
  readonly probe: string[] = [];
  readonly payloads: string[] = [];
  readonly cloud = new Cloud({ time: this.time, random: createRandomSource(1) });
  member!: FleetMember;

  async online(): Promise<this> {
    this.ports.plug(this.oven, "/dev/ttyUSB0");
    this.cloud.broker.addHooks({
      message: (message) => {
        if (message.topic.endsWith("/t")) this.payloads.push(Buffer.from(message.payload).toString());
        return "broker";
      },
    });
    const bench = createBench({
      time: this.time,
      random: createRandomSource(3),
      events: { emit: (event) => this.events.push(event) },
      file: parseBenchFile(BENCH, "bench.yaml"),
      source: this.ports,
      opener: this.ports,
    });
    const claiming = bench.claim([
      { thing: "r-01", select: { tags: ["oven"] }, path: "bridge", profile: "fleetrig" },
    ]);
    await this.pass(3 * SECOND);
    const [claim] = await claiming;
    expect(claim?.board).toMatchObject({ chip: "atmega", port: "/dev/ttyUSB0" });
    const group = sensors();
    const [plan] = group.members;
    const clock = this.time.lane(LANE.firstDevice);
    const random = createRandomSource(9);
    const faults = new LinkFaults({ clock, random: (purpose) => random.stream(purpose) });
    const path = {
      clock,
      faults,
      profile: group.link,
      random: random.stream("network"),
      wireBytes,
      version: 5 as const,
    };
    this.member = bench.member(claim!.board!, {
      plan: plan!,
      group,
      clock,
      events: { emit: (event) => this.events.push(event) },
      probe: {
        sent: (_s, _t, q) => this.probe.push(`sent ${q}`),
        acked: (_s, _t, q) => this.probe.push(`acked ${q}`),
        retransmitted: () => undefined,
        discarded: () => undefined,
        received: () => undefined,
        ruleOutput: () => undefined,
      },
      run: "r1",
      seed: 1,
      dialer: createMemoryDialer({ ...path, acceptor: this.cloud.acceptor }),
      faults,
    });
    this.member.start(this.time.nowUs());
    await this.pass(SECOND);
    return this;
  }

  pass(durationUs: number): Promise<void> {
    return pass(this.time, durationUs);
  }
}

describe("A board that speaks in lines", () => {
  it("publishes what its lines say, with the group's topic, payload and trace", async () => {
    const rig = await new OvenRig().online();
    expect(rig.member.isOnline).toBe(true);
    rig.oven.say("T=81.5 H=12");
    rig.oven.say("nothing of interest");
    rig.oven.say("T=82 H=13");
    await rig.pass(100 * MS);
    expect(rig.probe).toEqual(["sent 0", "acked 0", "sent 1", "acked 1"]);
    expect(JSON.parse(rig.payloads[0]!)).toMatchObject({ t: 81.5, seq: 0, text: "n0" });
  });

  it("is told of shadow deltas in its own words, and what it says is reported", async () => {
    const rig = await new OvenRig().online();
    rig.cloud.shadows.update({ thing: "r-01", payload: { state: { desired: { heater: true } } } });
    await rig.pass(SECOND);
    expect(rig.oven.heard).toContain("heat true");
    expect(rig.events).toContainEqual(
      expect.objectContaining({ type: "device.config", state: { heater: true } }),
    );
  });

  it("hears of setState, and goes on after it was unplugged", async () => {
    const rig = await new OvenRig().online();
    rig.member.setState({ temperature: { to: 90 } });
    await rig.pass(10 * MS);
    expect(rig.oven.heard.at(-1)).toBe("target 90");
    rig.ports.unplug("/dev/ttyUSB0");
    await rig.pass(SECOND);
    expect(rig.member.isOnline).toBe(false);
    rig.ports.plug(rig.oven, "/dev/ttyUSB3");
    await rig.pass(3 * SECOND);
    expect(rig.member.isOnline).toBe(true);
    const types = rig.events.map(({ type }) => type).filter((type) => type.startsWith("board."));
    expect(types).toEqual(["board.attached", "board.detached", "board.attached", "board.recovered"]);
  });

  it("cannot do what only our firmware can, and says so", async () => {
    const rig = await new OvenRig().online();
    expect(() => rig.member.board!.crash("abort")).toThrow(
      expect.objectContaining({ code: "BOARD_UNSUPPORTED" }),
    );
  });
});

describe("LineReader", () => {
  const profile = lineProfileSchema.parse({
    read: [
      { match: "^v (?P<a>\\d+) (?P<b>\\w+)$", as: "telemetry" },
      {
        match: "x(y)?(?P<deg>-?\\d+)",
        as: "state",
        values: { degrees: { group: "deg", type: "integer", scale: 0.1 } },
      },
    ],
  });

  it("takes numbers for numbers and the rest as text, unless a rule says otherwise", () => {
    const reader = new LineReader(profile);
    expect(reader.read("v 12 ok")?.values).toEqual({ a: 12, b: "ok" });
    expect(reader.read("x-215")?.values).toEqual({ degrees: -21 });
    expect(reader.read("z")).toBeUndefined();
  });

  it("writes no line whose value is missing or would end it", () => {
    expect(linesOf(["a {b.c}", "d {e}"], { b: { c: 1 } })).toEqual(["a 1"]);
    expect(linesOf("a {b}", { b: "x\nreboot" })).toEqual([]);
    expect(linesOf("a {__proto__}", {})).toEqual([]);
  });
});
