import { resolve } from "node:path";
import { EXIT } from "fleetrig/kernel";
import { RecordFile, recordPorts } from "fleetrig/hil";
import type { Host } from "../../host.js";
import type { BoardTerminal, TerminalHandlers } from "../board-terminal.js";
import { findBoard } from "../find-board.js";
import { LogView } from "../log-view.js";
import { symbolsOf } from "../symbols.js";
import { withBoard } from "../with-board.js";
import { atWorkplace, type BoardFlags, interruption, type Workplace } from "../workplace.js";

/** What the command line says. */
export interface MonitorFlags extends BoardFlags {
  readonly elf?: string;
  readonly reset?: boolean;
  readonly raw?: boolean;
  readonly record?: string;
  readonly send?: boolean;
  readonly baud?: number;
}

/**
 * `fleetrig board monitor <board>`: its log, live, until it is interrupted. Nothing is written to the board, except what is typed with
 * `--send`; a board that is unplugged is waited for.
 * @returns 0
 */
export function monitorCommand(host: Host, name: string, flags: MonitorFlags): Promise<number> {
  return atWorkplace(host, flags, async (place) => {
    const board = findBoard(place, name);
    const interrupted = interruption(place);
    const recording =
      flags.record === undefined ? undefined : new RecordFile(resolve(host.cwd, flags.record), place.clock);
    const { baud } = flags;
    const use = {
      purpose: "monitor",
      handlers: handlersOf(place, flags, new LogView(host, flags, symbolsOf(host, board, flags.elf))),
      ...(baud !== undefined && { baud }),
      ...(recording !== undefined && { opener: recordPorts(place.opener, place.clock, () => recording) }),
    };
    try {
      await withBoard(place, board, use, async (terminal) => {
        const stopInput = flags.send === true ? sendLines(host, terminal) : undefined;
        if (flags.reset === true) await terminal.reset("run");
        await interrupted;
        stopInput?.();
      });
    } finally {
      recording?.close();
    }
    return EXIT.passed;
  });
}

function handlersOf({ host, clock }: Workplace, { raw }: MonitorFlags, view: LogView): TerminalHandlers {
  if (raw === true) {
    const text = new TextDecoder();
    return { bytes: (bytes) => host.stdout.write(text.decode(bytes, { stream: true })) };
  }
  return {
    line: (line) => view.line(line),
    booted: (report) => view.booted(report),
    panicEnded: (report) => view.panicEnded(report),
    hello: (hello) => view.hello(clock.nowUs(), hello),
    attached: (path) => view.attached(clock.nowUs(), path),
    detached: (reason) => view.detached(clock.nowUs(), reason),
  };
}

/** Lines as terminals send them: consoles of boards take the carriage return for the end. */
const sendLines = (host: Host, { port }: BoardTerminal): (() => void) =>
  host.onInput((line) => port.write(Buffer.from(`${line}\r\n`)));
