import { describe, expect, it } from "vitest";
import { LoopbackBoard } from "../fixtures/loopback-board.js";
import { BoardRig, lineReset, MAC, MS, SECOND } from "./board-rig.js";

describe("Board", () => {
  it("opens its port, says who it is and where, and is ready once the clocks are fitted", async () => {
    const rig = await BoardRig.working();
    expect(rig.board.stateName).toBe("app");
    expect(rig.outcomes).toMatchObject([{ hello: { mac: MAC }, place: { path: "/dev/ttyUSB0" } }]);
    expect(rig.events[0]).toMatchObject({
      type: "board.attached",
      path: "/dev/ttyUSB0",
      chip: "esp32c3",
      mac: MAC,
    });
    expect(rig.heard).toEqual(["ready new"]);
    expect(rig.find("board.booted")).toEqual([]);
  });

  it("takes a reset that it was asked for as expected, though the ROM says POWERON", async () => {
    const rig = await BoardRig.working();
    rig.board.controls.reset();
    await rig.pass(2 * SECOND);
    expect(rig.find("board.booted")).toMatchObject([{ resetReason: "POWERON", isExpected: true }]);
    expect(rig.find("board.booted")[0]!.bootUs).toBeLessThan(100 * MS);
    expect(rig.find("board.panicked")).toEqual([]);
    expect(rig.find("board.recovered")).toMatchObject([{ rung: "waited" }]);
    expect(rig.heard).toEqual(["ready new", "lost restarted", "ready new"]);
  });

  it("says what its firmware cannot do, and nothing of what it was only too busy for", async () => {
    const rig = await BoardRig.working();
    const refusals: string[] = [];
    rig.device.firmware!.answers.set("adc", { ok: false, error: "unsupported" });
    rig.device.firmware!.answers.set("gpio", { ok: false, error: "busy" });
    rig.board.controls.stimulate({ gpio: { 4: true }, adcMillivolts: { 0: 1650 } }, (reason) =>
      refusals.push(reason),
    );
    await rig.pass(SECOND);
    expect(refusals).toEqual(['its firmware cannot do adc {"channel":0,"millivolts":1650} (unsupported)']);
  });

  it("counts the boot time from the reset, though the line was noisy right before it", async () => {
    const rig = await BoardRig.working();
    for (let i = 0; i < 40; i += 1) {
      rig.device.print("\\x7f");
      await rig.pass(50 * MS);
    }
    rig.board.controls.reset();
    await rig.pass(2 * SECOND);
    expect(rig.find("board.booted")[0]!.bootUs).toBeLessThan(200 * MS);
  });

  it("says so when the board was reset and nobody had asked for it", async () => {
    const rig = await BoardRig.working();
    rig.device.reset();
    await rig.pass(2 * SECOND);
    expect(rig.find("board.booted")).toMatchObject([{ isExpected: false }]);
  });

  it("tells of a panic within 100 ms, with its cause and backtrace", async () => {
    const rig = await BoardRig.working({ symbol: (address) => `main (app.c:${address & 0xff})` });
    rig.device.panic();
    await rig.pass(2 * SECOND);
    expect(rig.find("board.panicked")).toMatchObject([
      { kind: "load-access-fault", backtrace: ["main (app.c:52)", "main (app.c:119)"], isExpected: false },
    ]);
    expect(rig.find("board.panicked")[0]!.noticedUs).toBeLessThanOrEqual(100 * MS);
    expect(rig.board.stateName).toBe("app");
  });

  it("takes a panic that the scenario ordered as expected", async () => {
    const rig = await BoardRig.working();
    rig.board.controls.crash("load-fault");
    await rig.pass(2 * SECOND);
    rig.board.controls.crash("silent");
    await rig.pass(2 * SECOND);
    expect(rig.find("board.panicked")).toMatchObject([
      { kind: "load-access-fault", isExpected: true },
      { kind: "silent-reboot", isExpected: true },
    ]);
  });

  it("is surprised by a panic after its firmware has refused to crash", async () => {
    const rig = await BoardRig.working();
    rig.device.firmware!.answers.set("crash", { ok: false, error: "unsupported" });
    rig.board.controls.crash("stack-overflow");
    await rig.pass(SECOND);
    rig.device.panic();
    await rig.pass(2 * SECOND);
    expect(rig.find("board.panicked")).toMatchObject([{ isExpected: false }]);
    expect(rig.find("board.booted")).toMatchObject([{ isExpected: false }]);
  });

  it("finds a silent restart by the boot id and tells it as a panic", async () => {
    const rig = await BoardRig.working();
    rig.device.reset("TG0WDT_SYS", true);
    await rig.pass(2 * SECOND);
    expect(rig.find("board.panicked")).toMatchObject([{ kind: "silent-reboot", isExpected: false }]);
  });

  it("follows the board to another port, and its start goes on", async () => {
    const rig = await BoardRig.working();
    rig.ports.unplug("/dev/ttyUSB0");
    await rig.pass(SECOND);
    expect(rig.board.stateName).toBe("absent");
    rig.ports.plug(rig.device, "/dev/ttyUSB7");
    await rig.pass(2 * SECOND);
    expect(rig.find("board.detached")).toHaveLength(1);
    expect(rig.find("board.attached").map(({ path }) => path)).toEqual(["/dev/ttyUSB0", "/dev/ttyUSB7"]);
    expect(rig.heard).toEqual(["ready new", "lost detached", "ready"]);
    expect(rig.find("board.booted")).toEqual([]);
  });

  it("does not take another board that looks alike for its own", async () => {
    const rig = await BoardRig.working();
    const stranger = new LoopbackBoard({ clock: rig.time.lane(61), mac: "7cdfa1009999" });
    stranger.power(true);
    rig.ports.unplug("/dev/ttyUSB0");
    rig.ports.plug(stranger, "/dev/ttyUSB0");
    await rig.pass(3 * SECOND);
    expect(rig.board.stateName).toBe("absent");
    rig.ports.plug(rig.device, "/dev/ttyUSB1");
    await rig.pass(2 * SECOND);
    expect(rig.board.stateName).toBe("app");
    expect(rig.find("board.attached").map(({ mac }) => mac)).toEqual([MAC, MAC]);
  });

  it("expects a board back that it sent to sleep", async () => {
    const rig = await BoardRig.working();
    rig.board.controls.sleep(3 * SECOND);
    await rig.pass(2 * SECOND);
    expect(rig.board.stateName).toBe("asleep");
    await rig.pass(3 * SECOND);
    expect(rig.find("board.booted")).toMatchObject([{ resetReason: "DEEPSLEEP", isExpected: true }]);
    expect(rig.find("board.panicked")).toEqual([]);
  });

  it("resets a board that stands still", async () => {
    const rig = await BoardRig.working();
    rig.device.freeze(true);
    rig.time.lane(62).after(7 * SECOND, () => rig.device.freeze(false));
    await rig.pass(12 * SECOND);
    expect(rig.board.stateName).toBe("app");
    expect(rig.find("board.recovered")[0]!.rung).not.toBe("");
  });

  it("resets a board that boots and never says hello, then gives it up with what it found", async () => {
    const rig = new BoardRig();
    rig.device.isMute = true;
    await rig.pass(60 * SECOND);
    expect(rig.board.stateName).toBe("given-up");
    const [outcome] = rig.outcomes;
    expect(outcome?.hello).toBeUndefined();
    expect((outcome as { reason: string }).reason).toMatch(/reset, no hello within/);
  });

  it("comes back from the loader by a reset", async () => {
    const rig = await BoardRig.working();
    rig.device.isInLoader = true;
    rig.device.reset("USB_UART_CHIP");
    await rig.pass(1 * SECOND);
    expect(rig.board.stateName).toBe("download");
    rig.device.isInLoader = false;
    await rig.pass(12 * SECOND);
    expect(rig.board.stateName).toBe("app");
    expect(rig.find("board.recovered").at(-1)).toMatchObject({ rung: "reset" });
  });

  it("gives up a port that never answers, and takes it up again when it is plugged in anew", async () => {
    const rig = new BoardRig({ hands: {} });
    rig.ports.troubles.set("/dev/ttyUSB0", "never-answers");
    await rig.pass(30 * SECOND);
    expect(rig.board.stateName).toBe("given-up");
    rig.ports.troubles.clear();
    rig.ports.unplug("/dev/ttyUSB0");
    rig.ports.plug(rig.device, "/dev/ttyUSB0");
    await rig.pass(3 * SECOND);
    expect(rig.board.stateName).toBe("app");
  });

  it("opens a port again that was busy for a moment", async () => {
    const rig = new BoardRig();
    rig.ports.troubles.set("/dev/ttyUSB0", "busy");
    await rig.pass(300 * MS);
    rig.ports.troubles.clear();
    await rig.pass(3 * SECOND);
    expect(rig.board.stateName).toBe("app");
  });

  it("cycles the power of a board that nothing else helps", async () => {
    let hands: BoardRig | undefined;
    const rig = await BoardRig.working({
      hands: { power: async (isOn) => hands!.device.power(isOn) },
    });
    hands = rig;
    rig.device.isMute = true;
    rig.device.reset();
    await rig.pass(8 * SECOND);
    rig.device.isMute = false;
    await rig.pass(12 * SECOND);
    expect(rig.board.stateName).toBe("app");
    expect(rig.find("board.recovered").at(-1)?.rung).toBe("power-cycled");
  });

  it("unplugs and replugs by order of the scenario, and puts noise on the line", async () => {
    const rig = await BoardRig.working();
    expect(rig.board.setFault("board.unplug", true, {})).toBe(true);
    await rig.pass(SECOND);
    expect(rig.find("board.detached")).toMatchObject([{ reason: "unplug" }]);
    rig.board.setFault("board.unplug", false, {});
    await rig.pass(2 * SECOND);
    expect(rig.board.stateName).toBe("app");
    expect(rig.board.setFault("serial.noise", true, { errors: 0.02 })).toBe(true);
    await rig.pass(10 * SECOND);
    expect(rig.find("board.link").length).toBeGreaterThan(0);
    expect(rig.board.setFault("board.freeze", true, {})).toBe(false);
    expect(rig.board.setFault("link.latency", true, {})).toBe(false);
    expect(() => rig.board.setFault("serial.noise", true, { errors: "much" })).toThrow(
      expect.objectContaining({ code: "LINK_FAULT_PARAMETER" }),
    );
  });

  it("waits for lines of the log and tells how it ended", async () => {
    const rig = await BoardRig.working();
    rig.device.print("I (12) app: valve 7 open\n");
    await rig.pass(10 * MS);
    rig.board.controls.awaitLog({
      action: "a",
      pattern: "valve \\d",
      withinUs: SECOND,
      survivesRestart: false,
    });
    rig.board.controls.awaitLog({ action: "b", pattern: "never", withinUs: SECOND, survivesRestart: false });
    rig.board.controls.awaitLog({ action: "c", pattern: "(", withinUs: SECOND, survivesRestart: false });
    await rig.pass(2 * SECOND);
    const waits = rig.find("board.log-awaited").map(({ action, failure }) => [action, failure === undefined]);
    expect(waits).toEqual([
      ["a", true],
      ["c", false],
      ["b", false],
    ]);
  });

  it("keeps the stranger's reset lines alone: an open alone resets nothing", async () => {
    const rig = await BoardRig.working();
    const { boots } = rig.device;
    await rig.pass(5 * SECOND);
    expect(rig.device.boots).toBe(boots);
    await rig.board.close();
    await rig.pass(SECOND);
    expect(rig.board.stateName).toBe("stopped");
    expect(lineReset).toBeDefined();
  });
});
