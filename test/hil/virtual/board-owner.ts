import { join } from "node:path";
import { startVirtualBoard, type VirtualBoardOptions } from "fleetrig/hil";

/** A process that makes boards, says which processes they are, and ends without stopping them when its input ends. */
const [folder = "", ...wanted] = process.argv.slice(2);
const boards = await Promise.all(
  wanted.map((one, place) => {
    const [kind, firmware] = one.split("=") as [VirtualBoardOptions["kind"], string];
    return startVirtualBoard({
      kind,
      firmware,
      mac: `0200000001${place.toString().padStart(2, "0")}`,
      stateFolder: join(folder, `state-${place}`),
      registryFolder: join(folder, "boards"),
      node: process.execPath,
    });
  }),
);
process.stdout.write(`${JSON.stringify(boards.map(({ pid }) => pid))}\n`);
process.stdin.resume();
