import { describe, expect, it } from "vitest";
import { compileLinePattern, type LineWaitOutcome } from "../../../hil/log/index.js";
import { BoardRig } from "./board-rig.js";

const S = 1_000_000;

const watched = (historyLines?: number) => {
  const rig = new BoardRig(undefined, historyLines);
  const watch = rig.log.watch();
  const outcomes: LineWaitOutcome[] = [];
  return {
    rig,
    watch,
    outcomes,
    wait: (pattern: string, over: { withinUs?: number; survivesRestart?: boolean } = {}) =>
      watch.await({ pattern, withinUs: 5 * S, survivesRestart: false, ...over }, (outcome) =>
        outcomes.push(outcome),
      ),
  };
};

const RESET = "rst:0x3 (RTC_SW_SYS_RST),boot:0xc (SPI_FAST_FLASH_BOOT)\r\n";
const ABORT = "abort() was called at PC 0x42001234 on core 0\r\n";

describe("waits for log lines", () => {
  it("end at once for a line that came early", () => {
    const { rig, outcomes, wait } = watched();
    rig.say("I (1) app: ready after 12 ms\r\n");
    wait("ready after (\\d+) ms");
    expect(outcomes).toMatchObject([
      { failure: undefined, waitedUs: 0, groups: ["ready after 12 ms", "12"] },
    ]);
  });

  it("end when the line comes, and tell how long it took", () => {
    const { rig, outcomes, wait } = watched();
    wait("ready");
    rig.time.advance(S);
    rig.say("booting\r\nready\r\nready\r\n");
    expect(outcomes).toMatchObject([{ line: { position: 1 }, waitedUs: S }]);
  });

  it("do not take one line twice", () => {
    const { rig, outcomes, wait } = watched();
    rig.say("tick 1\r\ntick 2\r\n");
    wait("tick");
    wait("tick");
    wait("tick");
    expect(outcomes.map(({ line }) => line?.text)).toEqual(["tick 1", "tick 2"]);
    rig.say("tick 3\r\n");
    expect(outcomes).toHaveLength(3);
  });

  it("of two watches are independent", () => {
    const { rig, outcomes, wait } = watched();
    const other = rig.log.watch();
    rig.say("ready\r\n");
    wait("ready");
    other.await({ pattern: "ready", withinUs: S, survivesRestart: false }, (outcome) =>
      outcomes.push(outcome),
    );
    expect(outcomes.map(({ failure }) => failure)).toEqual([undefined, undefined]);
  });

  it("see a prompt, and take it once though its line goes on", () => {
    const { rig, outcomes, wait } = watched();
    wait("^>>> ");
    rig.say(">>> ");
    rig.time.advance(S);
    expect(outcomes).toMatchObject([{ failure: undefined, waitedUs: 100_000 }]);
    wait("^>>> ");
    rig.say("x\r\n");
    expect(outcomes).toHaveLength(1);
  });

  it("do not take half of a line that goes on", () => {
    const { rig, outcomes, wait } = watched();
    wait("temp=(\\d+)");
    rig.say("temp=2");
    rig.time.advance(50_000);
    rig.say("15\r\n");
    expect(outcomes[0]!.groups[1]).toBe("215");
  });

  it.each([
    ["timeout", () => undefined, /^timeout$/],
    ["a panic", (rig: BoardRig) => rig.say(ABORT), /^panic: abort\(\) was called/],
    ["a restart", (rig: BoardRig) => rig.say(RESET), /^restarted$/],
    [
      "a silent reboot",
      (rig: BoardRig) => rig.log.restarted({ resetReason: "PANIC" }),
      /^panic: silent-reboot$/,
    ],
    ["the loss of the board", (rig: BoardRig) => rig.log.detached(), /^detached$/],
  ])("fail with their cause: %s", (_, happens, wanted) => {
    const { rig, outcomes, wait } = watched();
    wait("ready");
    happens(rig);
    rig.time.advance(6 * S);
    rig.say("ready\r\n");
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0]!.failure).toMatch(wanted);
  });

  it("that survive it go on over panic, restart and loss, until their time is over", () => {
    const { rig, outcomes, wait } = watched();
    wait("ready", { survivesRestart: true, withinUs: 3 * S });
    wait("never", { survivesRestart: true, withinUs: 3 * S });
    rig.say(ABORT + RESET);
    rig.log.detached();
    rig.say("ready\r\n");
    rig.time.advance(4 * S);
    expect(outcomes.map(({ failure }) => failure)).toEqual([undefined, "timeout"]);
  });

  it("are not ended by a restart that the harness itself asked for", () => {
    const { rig, outcomes, wait } = watched();
    rig.log.expectRestart(2 * S);
    wait("ready");
    rig.say(`${RESET}ready\r\n`);
    expect(outcomes[0]!.failure).toBeUndefined();
  });

  it("for the panic's own line see it before they hear of the panic", () => {
    const { rig, outcomes, wait } = watched();
    wait("abort\\(\\)");
    rig.say(ABORT);
    expect(outcomes[0]!.failure).toBeUndefined();
  });

  it("can be cancelled, once", () => {
    const { outcomes, wait } = watched();
    const cancel = wait("ready");
    cancel();
    cancel();
    expect(outcomes.map(({ failure }) => failure)).toEqual(["cancelled"]);
  });

  it("tell how many lines went before they began", () => {
    const { rig, outcomes, wait } = watched(10);
    for (let i = 0; i < 25; i += 1) rig.say(`line ${i}\r\n`);
    wait("line 24");
    expect(outcomes).toMatchObject([{ failure: undefined, missedLines: 15 }]);
  });
});

describe("patterns for lines", () => {
  it.each([
    "(",
    "a(?=b)",
    "(a)\\1",
    "",
    "x".repeat(1001),
    "((a{9}){9}){99}",
    "[a-z]{600}[0-9]{600}",
    "a{2000}",
  ])("are refused with a reason: %s", (pattern) => {
    expect(() => compileLinePattern(pattern)).toThrow(
      expect.objectContaining({ code: "BOARD_LOG_PATTERN", exitCode: 2 }),
    );
  });

  it.each([
    ["\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{6}", "at 2026-11-21T10:00:00.123456"],
    ["(?i)READY", "ready"],
    ["([0-9a-f]{2}:){5}[0-9a-f]{2}", "mac 7c:df:a1:00:11:22"],
    ["[]x]{3}", "x]x"],
    ["\\(\\{", "({"],
    ["[({]{2}", "({"],
  ])("may be anything of RE2: %s", (pattern, line) => {
    expect(compileLinePattern(pattern).match(line)).toBeDefined();
  });

  it("take linear time where others take for ever", () => {
    // Backtracking would take 2^4000 steps: this test would not end.
    expect(compileLinePattern("^(a+)+$").match(`${"a".repeat(4000)}b`)).toBeUndefined();
  });
});
