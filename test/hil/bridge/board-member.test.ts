import { describe, expect, it } from "vitest";
import { MemberRig, MS, SECOND, sensors } from "./member-rig.js";

const commandsOf = (rig: MemberRig): string[] => rig.board.firmware.commands.map(({ op }) => op);

describe("BoardMember", () => {
  it("tells the board the time and who it is, and starts it when the fleet starts", () => {
    const rig = new MemberRig();
    rig.time.advance(10 * MS);
    expect(commandsOf(rig)).toEqual(["time", "configure"]);
    rig.member.start(rig.time.nowUs());
    rig.time.advance(10 * MS);
    expect(commandsOf(rig)).toEqual(["time", "configure", "start"]);
    expect(rig.board.firmware.commands[2]?.args).toEqual({ at: 10 * MS });
  });

  it("tells of connection and messages what a virtual device would tell", () => {
    const rig = new MemberRig().online();
    rig.time.advance(3 * SECOND);
    expect(rig.typesOf("connection.")).toEqual(["connection.attempt", "connection.open"]);
    expect(rig.member.isOnline).toBe(true);
    expect(rig.probe).toEqual(["sent 0", "acked 0", "sent 1", "acked 1", "sent 2", "acked 2"]);
    expect(rig.received[1]?.topic).toBe("nord/r-01/t");
    expect(JSON.parse(rig.received[1]!.text)).toMatchObject({ t: 21.5, seq: 1, text: "n1" });
  });

  it("gives instants of the board in the time of the run", () => {
    const rig = new MemberRig().online();
    rig.time.advance(SECOND);
    expect(rig.sentAt.get(0)).toEqual({ dueUs: 1100 * MS, sentUs: 1100 * MS });
  });

  it("has the will published when the cable is pulled, and goes on when it is back", () => {
    const rig = new MemberRig().online();
    rig.time.advance(500 * MS);
    rig.board.unplug();
    rig.time.advance(SECOND);
    expect(rig.member.isOnline).toBe(false);
    expect(rig.find("connection.lost")).toMatchObject([{ reason: "detached", thing: "r-01" }]);
    expect(rig.received.map(({ topic }) => topic)).toContain("gone/r-01");
    rig.board.plugIn();
    rig.time.advance(3 * SECOND);
    expect(rig.member.isOnline).toBe(true);
    const acked = rig.probe.filter((step) => step.startsWith("acked"));
    expect(acked).toEqual(["acked 0", "acked 1", "acked 2", "acked 3"]);
  });

  it("counts a message as sent whose event went down with the session", () => {
    const rig = new MemberRig().online();
    rig.time.runUntil(1_101 * MS);
    rig.board.unplug();
    rig.board.plugIn();
    rig.time.advance(3 * SECOND);
    const ofFirst = rig.probe.filter((step) => step.endsWith(" 0"));
    expect(ofFirst).toEqual(["sent 0", "again 0", "acked 0"]);
  });

  it("starts a restarted board again without configuring it, and sequences go on", () => {
    const rig = new MemberRig().online();
    rig.time.advance(2 * SECOND);
    rig.board.restart();
    rig.time.advance(2 * SECOND);
    expect(commandsOf(rig)).toEqual(["time", "start"]);
    expect(rig.find("connection.lost")).toMatchObject([{ reason: "restarted" }]);
    const sent = rig.probe.filter((step) => step.startsWith("sent"));
    expect(new Set(sent).size).toBe(sent.length);
    expect(rig.member.isOnline).toBe(true);
  });

  it("configures a board anew that lost its power in the middle of it", () => {
    const rig = new MemberRig();
    rig.time.advance(1 * MS);
    rig.board.restart();
    rig.time.advance(100 * MS);
    expect(commandsOf(rig)).toEqual(["time", "configure"]);
    rig.member.start(rig.time.nowUs());
    rig.time.advance(100 * MS);
    expect(rig.member.isOnline).toBe(true);
  });

  it("keeps orders for a board that is away, and tells a restarted one its signals and faults", () => {
    const rig = new MemberRig(sensors({ model: { ...sensors().model, faults: ["ota.hang"] } })).online();
    rig.member.setState({ temperature: { to: 80 } });
    expect(rig.member.setFault("ota.hang", true, {})).toBe(true);
    rig.board.restart(SECOND);
    rig.member.disconnect("graceful", 10 * SECOND, "a#1");
    rig.time.advance(2 * SECOND);
    expect(rig.board.firmware.commands.slice(1)).toEqual([
      { op: "fault", args: { fault: "ota.hang", active: true, detail: {} } },
      { op: "setState", args: { values: { temperature: 80 } } },
      { op: "start", args: expect.anything() },
      { op: "disconnect", args: { mode: "graceful", holdUs: 10 * SECOND, action: "a#1" } },
    ]);
  });

  it.each([
    ["ungraceful", "unreachable"],
    ["blackhole", "timeout"],
    ["no-connack", "timeout"],
  ] as const)("loses its connection by %s as told, and comes back", (mode, refusal) => {
    const rig = new MemberRig().online();
    rig.member.disconnect(mode, 4 * SECOND, "wave");
    rig.time.advance(30 * SECOND);
    expect(rig.find("connection.lost")).toMatchObject([{ reason: mode, action: "wave" }]);
    if (mode !== "blackhole") expect(rig.find("connection.refused")[0]?.reason).toBe(refusal);
    expect(rig.member.isOnline).toBe(true);
  });

  it("leaves in order with DISCONNECT: no will", () => {
    const rig = new MemberRig().online();
    rig.member.disconnect("graceful", 2 * SECOND, "wave");
    rig.time.advance(SECOND);
    expect(rig.find("connection.closed")).toMatchObject([{ action: "wave" }]);
    rig.time.advance(3 * SECOND);
    expect(rig.member.isOnline).toBe(true);
    rig.member.stop();
    rig.time.advance(SECOND);
    expect(rig.received.map(({ topic }) => topic)).not.toContain("gone/r-01");
    expect(rig.find("broker.disconnected").at(-1)).toMatchObject({ clientInitiated: true });
  });

  it("puts network faults on the way that the tunnel dials", () => {
    const rig = new MemberRig();
    expect(rig.member.setFault("link.refuse", true, {})).toBe(true);
    rig.online();
    rig.time.advance(2 * SECOND);
    expect(rig.find("connection.refused")[0]?.reason).toBe("refused");
    rig.member.setFault("link.refuse", false, {});
    rig.time.advance(2 * SECOND);
    expect(rig.member.isOnline).toBe(true);
    expect(rig.member.setFault("no.such-fault", true, {})).toBe(false);
  });

  it("gives up a board that will not be what it should be", () => {
    const rig = new MemberRig();
    rig.board.firmware.answers.set("configure", {
      ok: false,
      error: "unsupported",
      message: "no such model",
    });
    rig.online();
    expect(rig.board.givenUp).toEqual(["it refused configure: unsupported, no such model"]);
  });

  it("asks a board again that did not answer in time, and takes nothing from it that it has", () => {
    const rig = new MemberRig();
    rig.board.firmware.answers.set("start", { ok: false, error: "timeout" });
    rig.online();
    rig.board.firmware.answers.clear();
    rig.board.unplug();
    rig.board.plugIn();
    rig.time.advance(5 * SECOND);
    expect(rig.board.givenUp).toEqual([]);
    expect(rig.board.firmware.commands.filter(({ op }) => op === "configure")).toHaveLength(1);
    expect(rig.member.isOnline).toBe(true);
  });

  it("tells markers, outputs and sleep in the time of the run", () => {
    const rig = new MemberRig().online();
    rig.time.advance(SECOND);
    const atUs = rig.time.nowUs() - 2_000;
    const at = rig.board.toBoardUs(atUs);
    for (const event of [
      { ev: "marker", name: "sensor.ready", us: 40_000, at },
      { ev: "marker", name: "queue", value: 3.5, at },
      { ev: "marker", name: "got-here", at },
      { ev: "gpio", pin: 4, level: true, at },
      { ev: "sleeping", us: 5_000_000, at },
    ]) {
      rig.board.says(event);
    }
    const thing = "r-01";
    expect(rig.events.filter(({ type }) => type.startsWith("board."))).toEqual([
      { type: "board.marker", atUs, thing, name: "sensor.ready", value: undefined, tookUs: 40_000 },
      { type: "board.marker", atUs, thing, name: "queue", value: 3.5, tookUs: undefined },
      { type: "board.marker", atUs, thing, name: "got-here", value: undefined, tookUs: undefined },
      { type: "board.gpio", atUs, thing, pin: 4, isHigh: true },
      { type: "board.sleeping", atUs, thing, forUs: 5_000_000 },
    ]);
  });

  it("counts events that make no sense and goes on", () => {
    const rig = new MemberRig().online();
    for (const event of [
      { ev: "sent", s: 99, q: 0 },
      { ev: "sent", s: 7, q: 2 ** 40 },
      { ev: "acked", s: 7 },
      { ev: "config", state: 3 },
      { ev: "mode", mode: "x".repeat(1000) },
      { ev: "never-heard-of" },
      { ev: "connection", kind: "strange" },
      { ev: "marker", value: 1 },
      { ev: "marker", name: "has blanks" },
      { ev: "gpio", pin: -1, level: true },
      { ev: "sleeping", us: "long" },
    ]) {
      rig.board.says(event);
    }
    expect(rig.member.strangeEvents).toBe(11);
    rig.time.advance(SECOND);
    expect(rig.member.isOnline).toBe(true);
  });

  it("refuses values for signals that it does not have, as virtual devices do", () => {
    const rig = new MemberRig();
    expect(() => rig.member.setState({ temprature: { to: 1 } })).toThrow(
      expect.objectContaining({ code: "DEVICE_UNKNOWN_STATE" }),
    );
    expect(() => rig.member.setState({ temperature: { to: "hot" } })).toThrow(
      expect.objectContaining({ code: "DEVICE_NOT_A_NUMBER" }),
    );
  });
});
