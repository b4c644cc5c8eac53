import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { BOARDS } from "../rack-protocol.js";
import type { BenchTop, Check } from "./bench-top.js";
import { RunRig } from "./run-rig.js";

const RUN = ["jtag", "cp2102"] as const;
const SLOW_MS = 60_000;
let rig: RunRig;

const online = (top: BenchTop, board: (typeof RUN)[number]): Promise<number> =>
  top.until(
    () => `${board} online; ${JSON.stringify(rig.events.slice(-8))}`,
    () => rig.members.get(board)!.isOnline,
    SLOW_MS,
  );

const flowing = (top: BenchTop, board: (typeof RUN)[number]): Promise<number> => {
  const before = rig.ackedOf(board);
  return top.until(`messages of ${board}`, () => rig.ackedOf(board) > before + 2, SLOW_MS);
};

export const FOLLOWING: readonly Check[] = [
  [
    "boards are claimed by their MAC among others that look alike, and become members",
    async (top) => {
      rig = new RunRig(top);
      await rig.claim(RUN);
      for (const board of RUN) await online(top, board);
      for (const board of RUN) await flowing(top, board);
      deepStrictEqual(rig.lost, []);
    },
  ],
  [
    "a USB-Serial-JTAG that leaves the bus at its reset is followed through it",
    async (top) => {
      const recoveries = rig.find("board.recovered").length;
      const devices = top.port("jtag").usb?.deviceNumber;
      rig.members.get("jtag")!.board!.reset();
      await top.until("recovered", () => rig.find("board.recovered").length > recoveries, SLOW_MS);
      await online(top, "jtag");
      ok(top.port("jtag").usb?.deviceNumber !== devices, "it is another device to the kernel");
      top.figure(
        "recovery of a USB-Serial-JTAG from its reset",
        rig.find("board.recovered").at(-1)!.tookUs / 1000,
        "ms",
      );
      await flowing(top, "jtag");
    },
  ],
  [
    "a board that comes back under another name and in another socket is followed, and the run goes on",
    async (top) => {
      const before = top.port("cp2102").path;
      const { bus } = BOARDS.cp2102;
      await top.rack.ask({ op: "plug", bus, in: false });
      await top.rack.ask({ op: "plug", bus: BOARDS.ch340.bus, in: false });
      await top.until("both gone", () => top.find("cp2102") === undefined && top.find("ch340") === undefined);
      // Another device takes its name, and it comes back in a socket that was empty.
      await top.until("closed", () => !rig.members.get("cp2102")!.isOnline);
      await top.rack.ask({ op: "plug", bus: BOARDS.ch340.bus, in: true });
      await top.until("the other is back", () => top.find("ch340") !== undefined);
      top.sockets.set(bus, Object.keys(BOARDS).length);
      await top.rack.ask({ op: "plug", bus, in: true });
      await top.until("back", () => top.find("cp2102") !== undefined);
      ok(top.port("cp2102").path !== before, `${before} again`);
      top.figure("following of a board to another port", await online(top, "cp2102"), "ms");
      await flowing(top, "cp2102");
      deepStrictEqual(rig.lost, []);
      strictEqual(rig.find("board.panicked").length, 0);
    },
  ],
  [
    "everything acknowledged arrived, and the boards are given back",
    async () => {
      await rig.close();
      deepStrictEqual(rig.lost, []);
      ok(rig.acked.size > 10, `${rig.acked.size}`);
    },
  ],
];
