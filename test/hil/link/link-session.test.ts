import { createRandomSource } from "fleetrig/kernel";
import { BoardLink } from "fleetrig/hil";
import { describe, expect, it } from "vitest";
import { encodeFrame, FRAME, type Frame } from "../../../hil/link/frame.js";
import { LinkRig, outcome } from "./link-rig.js";
import { helloOf, VirtualEnd } from "./virtual-end.js";

const MS = 1_000;
const S = 1_000_000;

describe("A session", () => {
  it("begins again after each restart of the board, which is reported once", () => {
    const rig = LinkRig.opened();
    rig.listen();
    for (let n = 0; n < 3; n += 1) {
      rig.board.boot({ reset: "SW_CPU_RESET" });
      rig.advance(100 * MS);
    }
    expect(rig.heard).toEqual([1, 2, 3].flatMap(() => ["restarted", "opened new boot"]));
    expect(rig.link.hello).toMatchObject({ reset: "SW_CPU_RESET", boots: 5 });
    expect(rig.link.counters).toMatchObject({ restarts: 3, sessionsOpened: 4, sessionsLost: 0 });
  });

  it("is asked for at once when a board boots late, and no restart is reported", () => {
    const rig = new LinkRig();
    rig.toBoard.isPlugged = false;
    rig.link.start();
    rig.advance(990 * MS);
    rig.toBoard.isPlugged = true;
    rig.board.boot();
    rig.advance(8 * MS);
    expect(rig.heard).toEqual(["opened new boot"]);
  });

  it("opens when the board restarts again and again before it answers", () => {
    const rig = LinkRig.opened();
    rig.listen();
    for (let n = 0; n < 5; n += 1) {
      rig.board.boot({ reset: "PANIC" });
      rig.advance(MS);
    }
    rig.advance(100 * MS);
    expect(rig.heard.slice(-1)).toEqual(["opened new boot"]);
    expect(rig.heard.filter((heard) => heard === "restarted").length).toBeGreaterThan(0);
    expect(rig.link.hello?.boots).toBe(7);
  });

  it("notices a silent restart by the answer to the next question about the clock", () => {
    const rig = LinkRig.opened();
    rig.listen();
    rig.board.boot({ reset: "PANIC" }, true);
    rig.advance(400 * MS);
    expect(rig.heard).toEqual(["restarted", "opened new boot"]);
  });

  it("notices a restart between two OPEN of one number by the other hello", () => {
    const rig = new LinkRig({ latencyUs: 100 * MS });
    rig.link.start();
    rig.advance(260 * MS);
    expect(rig.heard).toEqual(["opened new boot"]);
    // The second OPEN is still on its way when the board starts again without a word.
    rig.board.boot({}, true);
    rig.advance(S);
    expect(rig.heard).toEqual(["opened new boot", "restarted", "opened new boot"]);
    expect(rig.board.isOpen).toBe(true);
  });

  it("tells commands in flight that the board has restarted", async () => {
    const rig = LinkRig.opened({ board: { command: () => undefined } });
    const answers = [rig.link.command("a", {}), rig.link.command("b", {})].map(outcome);
    rig.advance(20 * MS);
    rig.board.boot();
    rig.advance(20 * MS);
    expect(await Promise.all(answers)).toEqual(["BOARD_RESTARTED", "BOARD_RESTARTED"]);
  });

  it("forgets what was under way in both directions when the board restarts", () => {
    const rig = LinkRig.opened({ baud: 115_200 });
    rig.link.sendNetworkData(Buffer.alloc(4_000, 1));
    rig.board.sendNetworkData(Buffer.alloc(4_000, 2));
    rig.advance(60 * MS);
    const before = rig.networkData.length;
    rig.board.boot();
    rig.advance(2 * S);
    expect(rig.link.networkBacklogBytes).toBe(0);
    expect(rig.networkData.length).toBeLessThan(before + 5);
    rig.board.say({ ev: "again" });
    rig.advance(100 * MS);
    expect(rig.events).toEqual([{ ev: "again" }]);
    expect(rig.link.isOpen).toBe(true);
  });

  it("is lost, not restarted, when the same run of the board does not know it any more", async () => {
    const rig = LinkRig.opened({ board: { command: () => undefined } });
    rig.listen();
    const answer = outcome(rig.link.command("a", {}));
    rig.advance(20 * MS);
    rig.board.forget();
    rig.advance(600 * MS);
    expect(rig.heard).toEqual(["lost: the board does not know the session any more", "opened"]);
    expect(await answer).toBe("BOARD_COMMAND_FAILED");
  });

  it("is lost when the board closes it", () => {
    const rig = LinkRig.opened();
    rig.listen();
    rig.board.close();
    rig.advance(100 * MS);
    expect(rig.heard).toEqual(["lost: the board closed the session", "opened"]);
  });

  it("is lost after 5 s of silence, and comes back with the board", () => {
    const rig = LinkRig.opened();
    rig.listen();
    rig.toHost.isPlugged = false;
    rig.advance(4_600 * MS);
    expect(rig.heard).toEqual([]);
    rig.advance(500 * MS);
    expect(rig.heard).toEqual(["lost: the board says nothing any more"]);
    expect(rig.link.isOpen).toBe(false);
    rig.toHost.isPlugged = true;
    rig.advance(300 * MS);
    expect(rig.heard.slice(1)).toEqual(["opened"]);
  });

  it("survives a cable that was out for less", () => {
    const rig = LinkRig.opened();
    rig.listen();
    rig.toHost.isPlugged = false;
    rig.toBoard.isPlugged = false;
    rig.link.sendNetworkData(Buffer.alloc(100, 1));
    rig.advance(3 * S);
    rig.toHost.isPlugged = true;
    rig.toBoard.isPlugged = true;
    rig.advance(2 * S);
    expect(rig.heard).toEqual([]);
    expect(rig.link.networkBacklogBytes).toBe(0);
  });

  it("takes nothing from frames of another session", () => {
    const rig = LinkRig.opened();
    const stale = (changes: Partial<Frame>): Uint8Array =>
      encodeFrame(
        {
          type: FRAME.data,
          channel: 0x80,
          sequence: 0,
          acknowledged: 0,
          credit: 0,
          session: 1,
          timeUs: 0,
          payload: Buffer.from('{"ev":"old"}'),
          ...changes,
        },
        "cobs",
      );
    const types = [FRAME.data, FRAME.ack, FRAME.pong, FRAME.opened, FRAME.close];
    for (const type of types) rig.toHost.write(stale({ type }));
    rig.advance(100 * MS);
    expect(rig.heard).toEqual(["opened new boot"]);
    expect(rig.events).toEqual([]);
    expect(rig.link.counters.stale).toBe(types.length);
  });

  it("takes nothing from hellos that are none", () => {
    const rig = LinkRig.opened();
    rig.listen();
    const broken = [
      { proto: 2 },
      { mac: "7C:DF:A1:00:11:22" },
      { bootId: -1 },
      { window: 0 },
      { window: 17 },
      { maxPayload: 1_000_000 },
    ];
    for (const changes of broken) rig.board.boot(changes as never);
    rig.board.boot({ ...helloOf(), fw: "x".repeat(600) });
    rig.advance(100 * MS);
    expect(rig.heard).toEqual([]);
    expect(rig.link.counters.invalid).toBe(broken.length + 1);
  });

  it("of a host that has ended without a word gives way to the next host's", () => {
    const rig = LinkRig.opened();
    rig.link.sendNetworkData(Buffer.alloc(3_000, 1));
    rig.board.sendNetworkData(Buffer.alloc(3_000, 1));
    rig.advance(5 * MS);
    const opened: boolean[] = [];
    const taken: number[] = [];
    const { board, toBoard } = rig;
    const next = new BoardLink({
      clock: rig.time.lane(9),
      random: createRandomSource(2).stream("link"),
      write: toBoard.write,
      handlers: {
        opened: (_, isNewBoot) => opened.push(isNewBoot),
        restarted: () => opened.push(false),
        lost: () => opened.push(false),
        text: () => undefined,
        event: () => undefined,
        network: () => undefined,
        networkData: (bytes) => taken.push(bytes[0]!),
      },
    });
    // From here on the old host hears nothing.
    rig.noiseToHost.push = (bytes, atUs) => next.received(bytes, atUs);
    next.start();
    rig.time.advance(60 * MS);
    board.sendNetworkData(Buffer.from([9]));
    rig.time.advance(60 * MS);
    expect(opened).toEqual([true]);
    expect(taken).toEqual([9]);
  });

  it("follows the host's encoding, whatever the board was built for", () => {
    const rig = new LinkRig({ encoding: "line", board: { encoding: "cobs" } });
    rig.board.boot();
    rig.link.start();
    rig.advance(100 * MS);
    const { bytesIn } = rig.link.counters;
    rig.board.say({ ev: "x" });
    rig.advance(10 * MS);
    expect(rig.heard).toEqual(["opened new boot"]);
    expect(rig.link.counters.bytesIn - bytesIn).toBeGreaterThan(0);
    expect(rig.events).toEqual([{ ev: "x" }]);
    expect(rig.text).toBe("");
  });

  it("leaves no timer behind when it is stopped", () => {
    const rig = LinkRig.opened();
    rig.link.sendNetworkData(Buffer.alloc(100));
    rig.board.print("\0half a frame");
    rig.advance(MS);
    rig.link.stop();
    rig.board.forget();
    rig.advance(S);
    expect(rig.time.heap.size).toBe(0);
  });
});

describe("VirtualEnd", () => {
  it("says BOOT at most every 200 ms to frames of sessions that it does not know", () => {
    const rig = new LinkRig();
    const boots: number[] = [];
    const board = new VirtualEnd({ clock: rig.time.lane(8), write: () => boots.push(rig.time.nowUs()) });
    const unknown = encodeFrame(
      {
        type: FRAME.ack,
        channel: 0,
        sequence: 0,
        acknowledged: 0,
        credit: 0,
        session: 9,
        timeUs: 0,
        payload: Buffer.alloc(0),
      },
      "cobs",
    );
    for (let n = 0; n < 100; n += 1) {
      board.received(unknown, rig.time.nowUs());
      rig.advance(10 * MS);
    }
    expect(boots.length).toBe(5);
  });
});
