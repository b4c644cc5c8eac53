import { type DeliveryProbe, silentProbe } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { BoardProbe } from "../../scenarios/runner/board-probe.js";

const BOARD = 1;

function probed() {
  const calls: string[] = [];
  const note =
    (name: string) =>
    (...values: readonly unknown[]): void =>
      void calls.push(`${name} ${values.join(" ")}`);
  const inner: DeliveryProbe = {
    ...silentProbe,
    sent: note("sent"),
    acked: note("acked"),
    received: note("received"),
    ruleOutput: note("rule"),
    discarded: note("discarded"),
  };
  return { calls, probe: new BoardProbe(inner, (thing) => thing === BOARD) };
}

describe("the probe of boards", () => {
  it("keeps what is heard of a message until its board tells that it was sent", () => {
    const { calls, probe } = probed();
    probe.received(0, BOARD, 7, 300, false);
    probe.ruleOutput("hot", 0, BOARD, 7, 350);
    probe.acked(0, BOARD, 7, 400, 0);
    expect(calls).toEqual([]);
    probe.sent(0, BOARD, 7, 100, 200);
    expect(calls).toEqual([
      "sent 0 1 7 100 200",
      "received 0 1 7 300 false",
      "rule hot 0 1 7 350",
      "acked 0 1 7 400 0",
    ]);
    probe.received(0, BOARD, 7, 500, true);
    expect(calls.at(-1)).toBe("received 0 1 7 500 true");
  });

  it("tells messages, streams and things apart", () => {
    const { calls, probe } = probed();
    probe.received(0, BOARD, 1, 300, false);
    probe.sent(0, BOARD, 2, 0, 0);
    probe.sent(1, BOARD, 1, 0, 0);
    expect(calls).toEqual(["sent 0 1 2 0 0", "sent 1 1 1 0 0"]);
  });

  it("lets virtual devices pass as they come", () => {
    const { calls, probe } = probed();
    probe.received(0, 0, 7, 300, false);
    expect(calls).toEqual(["received 0 0 7 300 false"]);
  });

  it("passes on what nobody told of when the run is over", () => {
    const { calls, probe } = probed();
    probe.received(0, BOARD, 7, 300, false);
    probe.settle();
    probe.settle();
    expect(calls).toEqual(["received 0 1 7 300 false"]);
  });
});
