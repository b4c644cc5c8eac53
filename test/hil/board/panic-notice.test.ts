import { LANE, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { PanicNotice } from "../../../hil/board/panic-notice.js";
import { BoardLog, type PanicReport } from "../../../hil/log/index.js";

const FIRST = "Guru Meditation Error: Core  0 panic'ed (Load access fault). Exception was unhandled.\r\n";
const REST = "MEPC    : 0x42008e1c  RA      : 0x42008e02\r\nRebooting...\r\n";

const noticed = () => {
  const time = new VirtualTime();
  const clock = time.lane(LANE.firstDevice);
  const told: PanicReport[] = [];
  const rest: PanicReport[] = [];
  const notice = new PanicNotice(
    clock,
    (report) => told.push(report),
    (report) => rest.push(report),
  );
  const log = new BoardLog({
    clock,
    handlers: {
      line: () => undefined,
      booted: () => undefined,
      panicked: (report) => notice.panicked(report),
      panicEnded: (report) => notice.panicEnded(report),
    },
  });
  return { time, told, rest, say: (text: string) => log.received(Buffer.from(text), time.nowUs()) };
};

describe("PanicNotice", () => {
  it("tells a panic that is printed fast once, with all of it", () => {
    const { time, told, rest, say } = noticed();
    say(FIRST);
    time.advance(30_000);
    say(REST);
    expect(told).toMatchObject([{ backtrace: [0x42008e1c, 0x42008e02] }]);
    expect(rest).toEqual([]);
  });

  it("tells one that is printed slowly in time, and the rest when it has come", () => {
    const { time, told, rest, say } = noticed();
    say(FIRST);
    time.advance(100_000);
    expect(told).toMatchObject([{ kind: "load-access-fault", backtrace: [] }]);
    say(REST);
    expect(told).toHaveLength(1);
    expect(rest).toMatchObject([{ backtrace: [0x42008e1c, 0x42008e02], end: "rebooting" }]);
  });
});
