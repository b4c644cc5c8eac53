/**
 * What happens to real boards, as the bench sees it. Times of what happened on a board are those of the run, through the clock fit where the
 * board told them.
 */
export type BoardFact =
  | {
      readonly type: "board.attached";
      /** Such as `/dev/ttyUSB0`; another one after a replug. */
      readonly path: string;
      readonly chip: string;
      /** 12 lower-case hexadecimal digits. */
      readonly mac: string;
    }
  | {
      readonly type: "board.detached";
      readonly reason: string;
    }
  | {
      /** The board told hello after a start that was not the present one. */
      readonly type: "board.booted";
      /** The ROM's word: `POWERON`, `PANIC`, ... */
      readonly resetReason: string;
      /** The harness had reset it, cut its power, let it sleep or asked for an update. */
      readonly isExpected: boolean;
      /** From the reset, or the first byte after it, to hello; undefined when nobody saw the beginning. */
      readonly bootUs: number | undefined;
      readonly version: string;
    }
  | {
      readonly type: "board.panicked";
      /** Such as `load-access-fault`, `abort`, `task-watchdog`, `silent-reboot`. */
      readonly kind: string;
      /** The line that says it. */
      readonly cause: string;
      /** Return addresses, decoded to `function (file:line)` where an ELF file is known. */
      readonly backtrace: readonly string[];
      /** From the panic's first byte to this event. */
      readonly noticedUs: number;
      /** An action of the scenario asked for it. */
      readonly isExpected: boolean;
    }
  | {
      /** The rest of the panic that the `board.panicked` before told of, as soon as the board has printed it all. */
      readonly type: "board.panic-ended";
      /** May say more than that of the first event, whose line may have been cut. */
      readonly kind: string;
      readonly cause: string;
      readonly backtrace: readonly string[];
    }
  | {
      /** It works again after it was lost. */
      readonly type: "board.recovered";
      /** From the loss to hello. */
      readonly tookUs: number;
      /** What helped: `waited`, `reopened`, `reset`, `usb-reset`, `power-cycled`. */
      readonly rung: string;
    }
  | {
      readonly type: "board.given-up";
      readonly reason: string;
    }
  | {
      readonly type: "board.clock";
      readonly uncertaintyUs: number;
      readonly skewPpm: number;
    }
  | {
      /** What went wrong on the link since the event before. */
      readonly type: "board.link";
      readonly retransmissions: number;
      readonly badFrames: number;
      /** Log lines and events that the board had no room for, as it told when it was asked. */
      readonly droppedLogs: number;
      readonly droppedEvents: number;
    }
  | {
      /** It was asked how it is. */
      readonly type: "board.stats";
      /** Undefined where its firmware has no heap. */
      readonly heapFreeBytes: number | undefined;
      /** The longest turn of its main loop since its start. */
      readonly longestLoopUs: number | undefined;
    }
  | {
      /** Its firmware tells something by name: a number, a time that it measured itself, or only that it got there. */
      readonly type: "board.marker";
      /** See `isMarkerName`. */
      readonly name: string;
      readonly value: number | undefined;
      readonly tookUs: number | undefined;
    }
  | {
      /** One of its outputs changed. */
      readonly type: "board.gpio";
      readonly pin: number;
      readonly isHigh: boolean;
    }
  | {
      /** It falls into deep sleep; `board.booted` with the reason DEEPSLEEP follows. */
      readonly type: "board.sleeping";
      readonly forUs: number;
    }
  | {
      /** A wait for a log line is over. */
      readonly type: "board.log-awaited";
      readonly action: string;
      readonly pattern: string;
      /** Undefined when it came; otherwise why it did not: `timeout`, `panic: ...`, `restarted`, `detached`. */
      readonly failure: string | undefined;
      /** From the beginning of the wait; 0 when the line had come before. */
      readonly waitedUs: number;
    };

/** A fact with its time and the member that the board is. */
export type BoardEvent = BoardFact & { readonly atUs: number; readonly thing: string };

const MARKER_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,63}$/;

/** Names of markers can be written as values of labels: up to 64 letters, digits and `_.:/-`. */
export const isMarkerName = (text: string): boolean => MARKER_NAME.test(text);
