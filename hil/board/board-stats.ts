import { FleetrigError, isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import type { BoardLink } from "../link/board-link.js";

/** What a board says of itself when it is asked: `stats` in PROTOCOL.md. Members that it does not tell are undefined. */
export interface BoardStats {
  /** Since the answer before, or since the board's start: log lines and events that it had no room for. */
  readonly droppedLogs: number;
  readonly droppedEvents: number;
  readonly heapFreeBytes: number | undefined;
  /** The longest turn of its main loop since its start. */
  readonly longestLoopUs: number | undefined;
}

const ANSWER_US = 1_000_000;

/** Asks a board for its counters, one question at a time. No answer is no trouble: commands notice that by themselves. */
export class BoardStatsReader {
  private droppedLogs = 0;
  private droppedEvents = 0;
  private asking: Promise<BoardStats | undefined> | undefined;
  private isUnknown = false;

  constructor(private readonly link: BoardLink) {}

  /** It counts from 0 again. */
  restarted(): void {
    this.droppedLogs = 0;
    this.droppedEvents = 0;
  }

  /** Undefined when it does not answer within a second, or has no such command. Never rejects. */
  read(): Promise<BoardStats | undefined> {
    if (this.isUnknown || !this.link.isOpen) return Promise.resolve(undefined);
    this.asking ??= this.ask().finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  private async ask(): Promise<BoardStats | undefined> {
    try {
      return this.difference(await this.link.command("stats", {}, ANSWER_US));
    } catch (error) {
      if (!(error instanceof FleetrigError)) throw error;
      this.isUnknown = error.context["boardError"] === "unknown-op";
      return undefined;
    }
  }

  private difference(answer: JsonValue): BoardStats | undefined {
    if (!isJsonObject(answer)) return undefined;
    const { link, heap, dropped, longestLoopUs } = answer;
    const { droppedLogs, droppedEvents } = this;
    this.droppedLogs = countOf(isJsonObject(link) ? link["droppedLogs"] : undefined) ?? droppedLogs;
    this.droppedEvents = countOf(dropped) ?? droppedEvents;
    return {
      droppedLogs: Math.max(0, this.droppedLogs - droppedLogs),
      droppedEvents: Math.max(0, this.droppedEvents - droppedEvents),
      // Firmware without a heap says 0.
      heapFreeBytes: countOf(heap) || undefined,
      longestLoopUs: countOf(longestLoopUs),
    };
  }
}

const countOf = (value: JsonObject[string] | undefined): number | undefined =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
