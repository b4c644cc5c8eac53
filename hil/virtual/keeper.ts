import process from "node:process";
import { FleetrigError, RealTime } from "fleetrig/kernel";
import { HostedBoard } from "./hosted-board.js";
import type { KeeperFailure, KeeperMessage, KeeperRequest } from "./keeper-protocol.js";
import { Reaper } from "./reaper.js";
import { SparePrograms } from "./spare-programs.js";

/**
 * The keeper: the process that has the virtual boards of one other process. It outlives nobody: when the channel to that process ends,
 * however it ended, every board ends too; and when the keeper itself is killed, its reaper does that.
 */
const boards = new Map<number, HostedBoard>();
const reaper = new Reaper();
const clock = new RealTime().lane(0);
const spares = new SparePrograms({ reaper, clock, environment: process.env });

const tell = (message: KeeperMessage): void => {
  if (process.connected) process.send?.(message);
};

async function carryOut(request: KeeperRequest): Promise<void> {
  const { board } = request;
  switch (request.ask) {
    case "start": {
      const hosted = new HostedBoard({
        plan: request.plan,
        clock,
        reaper,
        spares,
        environment: process.env,
        status: (status) => tell({ board, status }),
        log: (log) => tell({ board, log }),
      });
      boards.set(board, hosted);
      await hosted.start().catch(async (error: unknown) => {
        boards.delete(board);
        await hosted.stop();
        throw error;
      });
      break;
    }
    case "do":
      await boards.get(board)?.do(request.action);
      break;
    case "stop": {
      const hosted = boards.get(board);
      boards.delete(board);
      await hosted?.stop();
      break;
    }
  }
}

const failureOf = (error: unknown): KeeperFailure =>
  error instanceof FleetrigError
    ? { code: error.code, sentence: error.sentence, hint: error.hint }
    : {
        code: "BOARD_KEEPER_FAILED",
        sentence: `The keeper of virtual boards failed: ${String(error)}.`,
        hint: undefined,
      };

process.on("message", (request: KeeperRequest) => {
  carryOut(request).then(
    () => tell({ id: request.id }),
    (error: unknown) => tell({ id: request.id, failure: failureOf(error) }),
  );
});

process.once("disconnect", () => {
  void Promise.all([...boards.values()].map((board) => board.stop())).finally(() => process.exit(0));
});
// A terminal's Ctrl-C and hang-up are the other process's to handle: it ends its boards in order.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
