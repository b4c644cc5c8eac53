import process from "node:process";
import { EXIT, FleetrigError, RealTime } from "fleetrig/kernel";
import { HostedBoard } from "./hosted-board.js";
import type { BoardLine, BoardLineHandlers } from "./board-line.js";
import type {
  BoardPlan,
  KeeperFailure,
  KeeperMessage,
  KeeperRequest,
  UsbipPlace,
} from "./keeper-protocol.js";
import { Reaper } from "./reaper.js";
import { SparePrograms } from "./spare-programs.js";
import { UsbBus } from "./usbip/usb-bus.js";
import { VirtualTty } from "./virtual-tty.js";

/**
 * The keeper: the process that has the virtual boards of one other process. It outlives nobody: when the channel to that process ends,
 * however it ended, every board ends too; and when the keeper itself is killed, its reaper does that.
 */
const boards = new Map<number, HostedBoard>();
const reaper = new Reaper();
const clock = new RealTime().lane(0);
const spares = new SparePrograms({ reaper, clock, environment: process.env });
/** By the port that was asked for; they end with the keeper. */
const buses = new Map<number, Promise<UsbBus>>();

const tell = (message: KeeperMessage): void => {
  if (process.connected) process.send?.(message);
};

/** @throws {FleetrigError} BOARD_USB_UNAVAILABLE (rejection) */
function busAt(port: number): Promise<UsbBus> {
  const known = buses.get(port);
  if (known !== undefined) return known;
  const bus = UsbBus.open(clock, port);
  buses.set(port, bus);
  bus.catch(() => buses.delete(port));
  return bus;
}

/** How a board is plugged in. */
interface Socket {
  readonly usbip?: UsbipPlace;
  line(handlers: BoardLineHandlers): BoardLine;
}

async function socketFor({ usbip, mac }: BoardPlan): Promise<Socket> {
  if (usbip === undefined) return { line: ({ received }) => new VirtualTty(received) };
  const bus = await busAt(usbip.port);
  const busId = bus.takeSocket();
  return {
    usbip: { port: bus.port, busId },
    line: (handlers) => bus.line({ adapter: usbip.adapter, busId, mac }, handlers),
  };
}

async function carryOut(request: KeeperRequest): Promise<void> {
  const { board } = request;
  switch (request.ask) {
    case "start": {
      const { line, ...place } = await socketFor(request.plan);
      const hosted = new HostedBoard({
        plan: request.plan,
        line,
        clock,
        reaper,
        spares,
        environment: process.env,
        status: (status) => tell({ board, status: { ...status, ...place } }),
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
    ? { code: error.code, sentence: error.sentence, hint: error.hint, exitCode: error.exitCode }
    : {
        code: "BOARD_KEEPER_FAILED",
        sentence: `The keeper of virtual boards failed: ${String(error)}.`,
        hint: undefined,
        exitCode: EXIT.environment,
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
