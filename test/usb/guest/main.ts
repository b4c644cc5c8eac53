import { encodeReport } from "../report.js";
import { BenchTop, type Check } from "./bench-top.js";
import { ENUMERATION } from "./enumeration.js";
import { FLASHING } from "./flashing.js";
import { FOLLOWING } from "./following.js";
import { LINES } from "./lines.js";
import { RackClient } from "./rack-client.js";
import { WEDGES } from "./wedges.js";

/** The program of the guest: everything that needs a kernel with USB. Its argument is the rack's ports, and a pattern of the checks that are wanted. */
const [rackPort, usbipPort, only = ""] = (process.argv[2] ?? "").split(",");
const CHECKS: readonly Check[] = [...ENUMERATION, ...LINES, ...FLASHING, ...FOLLOWING, ...WEDGES];

const top = new BenchTop(await RackClient.connect(Number(rackPort)), Number(usbipPort));
for (const [name, run] of CHECKS) {
  // Enumeration plugs in what the others need.
  if (!new RegExp(only, "u").test(name) && !ENUMERATION.some(([first]) => first === name)) continue;
  const sinceUs = top.clock.nowUs();
  const error = await run(top).then(
    () => undefined,
    (reason: unknown) => (reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)),
  );
  const tookMs = Math.round((top.clock.nowUs() - sinceUs) / 1000);
  console.log(encodeReport({ check: name, tookMs, ...(error !== undefined && { error }) }));
}
console.log(encodeReport({ end: true }));
process.exit(0);
