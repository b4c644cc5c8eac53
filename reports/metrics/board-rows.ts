import type { LabelName } from "./definition.js";
import type { MetricRow } from "./metric-rows.js";

/** The rows of real boards, their serial links and their clocks. */
const BOARD: readonly LabelName[] = ["group", "thing", "stage"];

export const BOARDS: readonly MetricRow[] = [
  ["board.panics", "counter", "count", ["kind", "expected", ...BOARD], "panics, silent restarts among them"],
  [
    "board.panic_notice",
    "histogram",
    "us",
    ["kind", "expected", ...BOARD],
    "from the first byte of a panic until it was told",
  ],
  ["board.boot_time", "histogram", "us", BOARD, "from the reset, or the first byte after it, to hello"],
  [
    "board.reset_reason",
    "counter",
    "count",
    ["reason", "expected", ...BOARD],
    "starts with a reset reason, as the board says it",
  ],
  ["board.resets", "counter", "count", ["expected", "reason", ...BOARD], "starts, asked for or not"],
  ["board.recovery_time", "histogram", "us", ["rung", ...BOARD], "from the loss of a board to its hello"],
  ["board.given_up", "counter", "count", BOARD, "boards that nothing brought back"],
  ["board.detached", "counter", "count", BOARD, "times the port of a board was gone"],
  [
    "board.log_waits",
    "counter",
    "count",
    ["action", "outcome", ...BOARD],
    "waits for log lines, by how they ended",
  ],
  ["board.log_wait", "histogram", "us", ["action", ...BOARD], "from the beginning of a wait to its log line"],
  [
    "board.marker",
    "histogram",
    "us",
    ["name", ...BOARD],
    "times that firmware measured itself and told as markers; exact, since no clock is crossed",
  ],
  ["board.markers", "counter", "count", ["name", ...BOARD], "markers that firmware told"],
  [
    "board.marker_value",
    "gauge",
    "number",
    ["name", "group", "thing"],
    "numbers that firmware told as markers",
  ],
  ["board.gpio", "counter", "count", ["pin", "level", ...BOARD], "changes of outputs"],
  [
    "board.reaction",
    "histogram",
    "us",
    ["action", "name", ...BOARD],
    "from an action about the board to the first marker of the name after it; outputs are named gpio4.high",
  ],
  ["board.sleeps", "counter", "count", BOARD, "times that boards fell into deep sleep"],
  ["board.sleep_time", "histogram", "us", BOARD, "from a board's word that it falls asleep to its hello"],
  [
    "board.oversleep",
    "histogram",
    "us",
    BOARD,
    "how much longer than it wanted a board was away in deep sleep, its start included",
  ],
  ["link.retransmissions", "counter", "count", BOARD, "frames sent again on serial lines, both directions"],
  ["link.bad_frames", "counter", "count", BOARD, "frames that came damaged over serial lines"],
  ["link.dropped_logs", "counter", "count", BOARD, "log lines that boards had no room for"],
  ["link.dropped_events", "counter", "count", BOARD, "events that boards had no room for, so nobody heard"],
  ["board.heap_free", "gauge", "bytes", ["group", "thing"], "free heap, where the firmware has one"],
  [
    "board.longest_loop",
    "gauge",
    "us",
    ["group", "thing"],
    "longest turn of the firmware's main loop since the board's start",
  ],
  [
    "bridge.clock_uncertainty",
    "gauge",
    "us",
    ["bridge", "group"],
    "uncertainty of one-way times against a board's clock",
  ],
];
