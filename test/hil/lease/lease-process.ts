import { appendFileSync } from "node:fs";
import { BoardLeases } from "fleetrig/hil";
import { RealTime } from "fleetrig/kernel";

/**
 * A process that wants a board: `folder log rounds holdMs`. It writes `+pid` when it has the board and `-pid` before it gives it back. With
 * 0 rounds it keeps the board until it is killed.
 */
const [folder = "", log = "", rounds = "1", holdMs = "1"] = process.argv.slice(2);
const leases = new BoardLeases({ folder, clock: new RealTime().lane(0), host: "here" });
const note = (sign: string): void => appendFileSync(log, `${sign}${process.pid}\n`);

for (let round = 0; round < Math.max(1, Number(rounds)); round += 1) {
  const lease = await leases.acquire({ key: "mac:7cdfa1001122", purpose: "test", patienceUs: 120_000_000 });
  note("+");
  if (rounds === "0") await new Promise(() => setInterval(() => {}, 1_000));
  await new Promise((resolve) => setTimeout(resolve, Number(holdMs)));
  note("-");
  lease.release();
}
