import { openTtyPort } from "fleetrig/hil";
import { RealTime } from "fleetrig/kernel";

/** Opens a port, says by which process, and stays until it is killed. */
const port = await openTtyPort(
  {
    address: { kind: "tty", path: process.argv[2] ?? "" },
    baud: 115_200,
    receiver: { received: () => {}, closed: () => {} },
  },
  { clock: new RealTime().lane(0) },
);
console.log(port.hostPid);
