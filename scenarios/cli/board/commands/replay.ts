import { BoardLog, type Hello, LaneListener, type PortRecord, readRecording } from "fleetrig/hil";
import { EXIT, formatWallTime, LANE, US_PER_S, VirtualTime } from "fleetrig/kernel";
import { type Host, writeLine } from "../../host.js";
import { LogView } from "../log-view.js";
import { symbolsOf } from "../symbols.js";

/** What the command line says. */
export interface ReplayFlags {
  readonly elf?: string;
  readonly raw?: boolean;
  readonly json?: boolean;
}

const MAX_RECORDING_BYTES = 1_073_741_824;
/** Longer than anything that a log waits for. */
const QUIET_US = 31 * US_PER_S;

/**
 * `fleetrig board replay <file>`: shows a recording of `board monitor --record` again, with the times that it had.
 * @returns 0
 */
export function replayCommand(host: Host, path: string, flags: ReplayFlags): number {
  const { records } = readRecording(host.files.readBytes(path, MAX_RECORDING_BYTES));
  const decoder = symbolsOf(host, undefined, flags.elf);
  if (flags.raw === true) {
    const text = new TextDecoder();
    for (const record of records)
      if (record.kind === "received") host.stdout.write(text.decode(record.bytes, { stream: true }));
    return EXIT.passed;
  }
  const view = new LogView(host, flags, decoder);
  for (const opening of openingsOf(records)) replay(host, opening, { view, flags });
  return EXIT.passed;
}

function openingsOf(records: readonly PortRecord[]): PortRecord[][] {
  const openings: PortRecord[][] = [];
  for (const record of records) {
    if (record.kind === "opened") openings.push([]);
    openings.at(-1)?.push(record);
  }
  return openings;
}

/** The log works out of the bytes what it did then: its waits run in the recording's time. */
function replay(
  host: Host,
  records: readonly PortRecord[],
  { view, flags }: { readonly view: LogView; readonly flags: ReplayFlags },
): void {
  const time = new VirtualTime();
  const clock = time.lane(LANE.bench);
  let before: Hello | undefined;
  const log = new BoardLog({ clock, handlers: view });
  const listener = new LaneListener(clock, {
    text: (bytes, atUs) => log.received(bytes, atUs),
    hello: (hello) => {
      if (hello.bootId === before?.bootId && hello.boots === before.boots) return;
      if (before !== undefined) log.restarted({ resetReason: hello.reset });
      before = hello;
      view.hello(clock.nowUs(), hello);
    },
  });
  for (const record of records) {
    time.runUntil(record.atUs);
    if (record.kind === "received") listener.received(record.bytes, record.atUs);
    else if (record.kind === "closed") view.detached(record.atUs, record.reason);
    else if (record.kind === "opened") {
      if (flags.json !== true)
        writeLine(host.stdout, `recorded on ${formatWallTime(record.wallMs)} at ${record.baud} baud`);
      view.attached(record.atUs, record.port);
    } else if (flags.json !== true && record.kind === "lines")
      view.note(record.atUs, `DTR ${record.dtr ? "on" : "off"}, RTS ${record.rts ? "on" : "off"}`);
  }
  time.runUntil(time.nowUs() + QUIET_US);
  log.detached();
}
