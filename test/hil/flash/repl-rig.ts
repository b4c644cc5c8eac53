import { type FlashLine, ListenedPort, openTtyPort } from "fleetrig/hil";
import { RealTime } from "fleetrig/kernel";
import { onTestFinished } from "vitest";

/** A tty as the raw REPL wants it, and the clock that goes with it. */
export async function openReplLine(path: string) {
  const time = new RealTime();
  const clock = time.lane(0);
  const listeners = new ListenedPort();
  const port = await openTtyPort(
    { address: { kind: "tty", path }, baud: 115_200, receiver: listeners },
    { clock },
  );
  onTestFinished(async () => {
    await port.close();
    time.stop();
  });
  let text = "";
  listeners.listen({
    received: (bytes) => (text += Buffer.from(bytes).toString("latin1")),
    closed: () => {},
  });
  const line: Pick<FlashLine, "port" | "listen"> = { port, listen: (receiver) => listeners.listen(receiver) };
  return { line, clock, text: () => text };
}
