import { type BoardEvent, US_PER_MS } from "fleetrig/kernel";
import type { BoardRecord } from "../record/board-records.js";

/** What is kept in full of each kind of event of one board; the totals count all. */
const MAX_KEPT = 100;

type Sleeps = NonNullable<BoardRecord["sleeps"]>;
const NO_SLEEP: Sleeps = { total: 0, plannedMs: 0, asleepMs: 0 };

const ms = (us: number): number => us / US_PER_MS;

/** Adds to a list that must not grow without end: the first and the newest half stay. */
function keep<T>(list: T[], entry: T): void {
  if (list.length === MAX_KEPT) list.splice(MAX_KEPT / 2, 1);
  list.push(entry);
}

/** What the list of a report says of one board. */
export class BoardHistory {
  readonly record: BoardRecord;

  constructor(thing: string, group: string) {
    this.record = {
      thing,
      group,
      chip: "",
      mac: "",
      ports: [],
      versions: [],
      boots: { total: 0, unexpected: 0, reasons: {}, kept: [] },
      panics: { total: 0, unexpected: 0, kept: [] },
      detached: { total: 0, kept: [] },
      recovered: { total: 0, kept: [] },
      givenUp: null,
      clock: null,
      link: { retransmissions: 0, badFrames: 0, droppedLogs: 0, droppedEvents: 0 },
      logWaits: [],
    };
  }

  on(event: BoardEvent): void {
    const { record } = this;
    const atMs = ms(event.atUs);
    switch (event.type) {
      case "board.attached":
        record.chip = event.chip;
        record.mac = event.mac;
        if (!record.ports.includes(event.path)) keep(record.ports, event.path);
        return;
      case "board.detached":
        record.detached.total += 1;
        return keep(record.detached.kept, { atMs, reason: event.reason });
      case "board.booted":
        return this.booted(event, atMs);
      case "board.panicked":
        return this.panicked(event, atMs);
      case "board.panic-ended":
        return this.panicEnded(event);
      case "board.recovered":
        record.recovered.total += 1;
        return keep(record.recovered.kept, { atMs, tookMs: ms(event.tookUs), rung: event.rung });
      case "board.given-up":
        record.givenUp = { atMs, reason: event.reason };
        return;
      case "board.clock":
        return this.clock(event);
      case "board.link":
        record.link.retransmissions += event.retransmissions;
        record.link.badFrames += event.badFrames;
        record.link.droppedLogs += event.droppedLogs;
        record.link.droppedEvents = (record.link.droppedEvents ?? 0) + event.droppedEvents;
        return;
      case "board.stats":
        return this.told(event);
      case "board.log-awaited":
        return keep(record.logWaits, {
          atMs,
          action: event.action,
          pattern: event.pattern,
          failure: event.failure ?? null,
          waitedMs: ms(event.waitedUs),
        });
      case "board.sleeping":
        return this.sleep({ total: 1, plannedMs: ms(event.forUs) });
      default:
    }
  }

  private told({ heapFreeBytes, longestLoopUs }: Extract<BoardEvent, { type: "board.stats" }>): void {
    const { heapFreeMinBytes = null, longestLoopMs = null } = this.record.firmware ?? {};
    this.record.firmware = {
      heapFreeMinBytes:
        heapFreeBytes === undefined
          ? heapFreeMinBytes
          : Math.min(heapFreeMinBytes ?? heapFreeBytes, heapFreeBytes),
      longestLoopMs:
        longestLoopUs === undefined ? longestLoopMs : Math.max(longestLoopMs ?? 0, ms(longestLoopUs)),
    };
  }

  /** It is back from a deep sleep. */
  woke(asleepUs: number): void {
    this.sleep({ asleepMs: ms(asleepUs) });
  }

  private sleep(more: Partial<Sleeps>): void {
    const { total, plannedMs, asleepMs } = this.record.sleeps ?? NO_SLEEP;
    this.record.sleeps = {
      total: total + (more.total ?? 0),
      plannedMs: plannedMs + (more.plannedMs ?? 0),
      asleepMs: asleepMs + (more.asleepMs ?? 0),
    };
  }

  private booted(event: Extract<BoardEvent, { type: "board.booted" }>, atMs: number): void {
    const { boots, versions } = this.record;
    const { resetReason: reason, isExpected: expected, version, bootUs } = event;
    boots.total += 1;
    if (!expected) boots.unexpected += 1;
    boots.reasons[reason] = (boots.reasons[reason] ?? 0) + 1;
    if (!versions.includes(version)) keep(versions, version);
    keep(boots.kept, { atMs, reason, expected, version, bootMs: bootUs === undefined ? null : ms(bootUs) });
  }

  private panicked(event: Extract<BoardEvent, { type: "board.panicked" }>, atMs: number): void {
    const { panics } = this.record;
    const { kind, cause, backtrace, isExpected: expected, noticedUs } = event;
    panics.total += 1;
    if (!expected) panics.unexpected += 1;
    keep(panics.kept, { atMs, kind, cause, backtrace: [...backtrace], expected, noticedMs: ms(noticedUs) });
  }

  private panicEnded({ kind, cause, backtrace }: Extract<BoardEvent, { type: "board.panic-ended" }>): void {
    const panic = this.record.panics.kept.at(-1);
    if (panic === undefined) return;
    Object.assign(panic, { kind, cause, backtrace: [...backtrace] });
  }

  private clock({ uncertaintyUs, skewPpm }: Extract<BoardEvent, { type: "board.clock" }>): void {
    const uncertaintyMs = ms(uncertaintyUs);
    const worstMs = Math.max(this.record.clock?.worstMs ?? 0, uncertaintyMs);
    this.record.clock = { uncertaintyMs, worstMs, skewPpm };
  }
}
