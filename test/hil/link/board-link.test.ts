import { describe, expect, it } from "vitest";
import { LinkRig, outcome } from "./link-rig.js";

describe("BoardLink", () => {
  it.each(["cobs", "line"] as const)(
    "opens a session with a board that is there, in encoding %s",
    (encoding) => {
      const rig = new LinkRig({ encoding });
      rig.link.start();
      rig.advance(100_000);
      expect(rig.heard).toEqual(["opened new boot"]);
      expect(rig.link.isOpen).toBe(true);
      expect(rig.link.hello).toEqual(rig.board.hello);
      expect(rig.text).toBe("");
    },
  );

  it("asks every 250 ms until the board answers", () => {
    const rig = new LinkRig();
    rig.toHost.isPlugged = false;
    rig.link.start();
    rig.advance(990_000);
    expect(rig.link.counters.framesOut).toBe(4);
    rig.toHost.isPlugged = true;
    rig.advance(100_000);
    expect(rig.heard).toEqual(["opened new boot"]);
    expect(rig.board.sessionsOpened).toBe(1);
  });

  it("has commands answered", async () => {
    const rig = LinkRig.opened();
    const answer = rig.link.command("echo", { data: "grüße ".repeat(200) });
    rig.advance(300_000);
    expect(await answer).toBe("grüße ".repeat(200));
  });

  it("tells a command that nobody answers", async () => {
    const rig = LinkRig.opened({ board: { command: () => undefined } });
    const answer = outcome(rig.link.command("hang", {}, 700_000));
    rig.advance(700_000);
    expect(await answer).toBe("BOARD_COMMAND_TIMEOUT");
  });

  it.each([9_600, 19_200, 38_400])(
    "carries what fills a window at %i baud, and repeats nothing",
    async (baud) => {
      const rig = LinkRig.opened({ baud });
      rig.advance(1_000_000);
      rig.link.sendNetworkData(new Uint8Array(12_000));
      const answer = outcome(rig.link.command("echo", { data: "there" }));
      rig.advance(30_000_000);
      expect(await answer).toBe("there");
      expect(rig.heard).toEqual(["opened new boot"]);
      expect(rig.link.counters.repeatedByTimeout).toBe(0);
    },
  );

  it("gives a command its time from when the board has it, however busy the line is", async () => {
    const rig = LinkRig.opened({ baud: 57_600 });
    rig.link.sendNetworkData(new Uint8Array(40_000));
    const late = outcome(rig.link.command("echo", { data: "late" }));
    const hasty = outcome(rig.link.command("echo", { data: "hasty" }, 5_000_000));
    rig.advance(20_000_000);
    expect(await late).toBe("late");
    expect(await hasty).toBe("BOARD_COMMAND_TIMEOUT");
  });

  it("refuses commands without a session, and those that are too long for a board", async () => {
    const rig = new LinkRig();
    expect(await outcome(rig.link.command("echo", {}))).toBe("BOARD_COMMAND_FAILED");
    rig.link.start();
    rig.advance(100_000);
    expect(await outcome(rig.link.command("echo", { data: "x".repeat(7_000) }))).toBe("BOARD_COMMAND_FAILED");
  });

  it("passes on what the board refuses, by its code", async () => {
    const rig = LinkRig.opened({ board: { command: () => undefined } });
    const answer = rig.link.command("fly", { high: true });
    rig.advance(50_000);
    rig.board.say({ id: 1, ok: false, error: "unknown-op", message: "no wings" });
    rig.advance(50_000);
    await expect(answer).rejects.toMatchObject({
      code: "BOARD_COMMAND_FAILED",
      sentence: 'The board did not do "fly": no wings.',
      context: { op: "fly", boardError: "unknown-op" },
    });
  });

  it("carries events, network messages and the bytes of connections", () => {
    const rig = LinkRig.opened();
    rig.board.say({ ev: "marker", name: "door", value: 1 });
    rig.board.say({ net: "dial", n: 1 });
    rig.board.sendNetworkData(Buffer.from([1, 2, 0, 3]));
    rig.link.sendNetwork({ net: "opened", n: 1 });
    rig.advance(50_000);
    expect(rig.events).toEqual([{ ev: "marker", name: "door", value: 1 }]);
    expect(rig.network).toEqual([{ net: "dial", n: 1 }]);
    expect(Buffer.concat(rig.networkData)).toEqual(Buffer.from([1, 2, 0, 3]));
  });

  it("counts messages that nobody knows and drops them", () => {
    const rig = LinkRig.opened();
    rig.board.send(0, Buffer.from("no json"), true);
    rig.board.send(0, Buffer.from("[".repeat(100) + "]".repeat(100)), true);
    rig.board.say({ net: "dial", n: -1 });
    rig.board.say({ something: "else" });
    rig.board.say({ id: 99, ok: true });
    rig.board.send(5, Buffer.from("channel 5"), true);
    rig.advance(100_000);
    expect(rig.link.counters).toMatchObject({ invalid: 3, unknown: 3 });
    expect([rig.events, rig.network]).toEqual([[], []]);
  });

  it("drops a message that never ends, and takes the next one", () => {
    const rig = LinkRig.opened();
    rig.board.send(0, Buffer.alloc(100_000, "x"), false);
    rig.board.send(0, Buffer.from("x"), true);
    rig.board.say({ ev: "after" });
    rig.advance(5_000_000);
    expect(rig.link.counters.invalid).toBe(1);
    expect(rig.events).toEqual([{ ev: "after" }]);
  });

  it("shows logs as text, whatever frames are among them", () => {
    const rig = LinkRig.opened();
    rig.board.print("I (12) app: one\n");
    rig.board.say({ ev: "marker" });
    rig.board.print("I (13) app: two\n");
    rig.advance(50_000);
    expect(rig.text).toBe("I (12) app: one\nI (13) app: two\n");
  });

  it("says how much of the network's bytes the board has not taken", () => {
    const rig = LinkRig.opened();
    rig.link.sendNetworkData(Buffer.alloc(5_000, 7));
    expect(rig.link.networkBacklogBytes).toBe(5_000);
    rig.advance(1_000_000);
    expect(rig.link.networkBacklogBytes).toBe(0);
  });

  it("closes in order and opens again", () => {
    const rig = LinkRig.opened();
    rig.link.stop();
    rig.advance(10_000_000);
    expect(rig.board.isOpen).toBe(false);
    rig.link.start();
    rig.advance(100_000);
    expect(rig.heard).toEqual(["opened new boot", "opened"]);
  });

  it("knows the board's clock as soon as a session stands, and better with time", () => {
    const rig = LinkRig.opened({ board: { boardUs: (hostUs) => 5_000_000 + hostUs * 1.0001 } });
    const coarseUs = rig.link.fit.uncertaintyUs;
    expect(rig.link.fit.isReady).toBe(true);
    rig.advance(30_000_000);
    const nowUs = rig.time.nowUs();
    expect(rig.link.fit.uncertaintyUs).toBeLessThan(coarseUs);
    expect(rig.link.fit.uncertaintyUs).toBeLessThan(1_000);
    expect(Math.abs(rig.link.fit.toHostUs(5_000_000 + nowUs * 1.0001) - nowUs)).toBeLessThanOrEqual(
      rig.link.fit.uncertaintyAtUs(nowUs),
    );
  });
});
