import { type Clock, type EventSink, type JsonObject, type Timer, US_PER_S } from "fleetrig/kernel";
import type { BoardControls } from "fleetrig/sim";
import type { BoardListener, CommandAnswer, MemberBoard } from "../bridge/member-board.js";
import type { NetworkReply } from "../bridge/tunnel.js";
import type { Hello } from "../link/hello.js";
import type { BootReport, LogWatch } from "../log/index.js";
import { type ControlledBoard, ScenarioControls } from "./board-controls.js";
import { BoardCommands } from "./board-commands.js";
import { BoardFaults } from "./board-faults.js";
import { BoardHandling } from "./board-handling.js";
import { BoardLine } from "./board-line.js";
import { BOARD_TABLE, type BoardEffect, type BoardEventType, type BoardState } from "./board-machine.js";
import type { BoardOptions, BoardOutcome } from "./board-options.js";
import { type BoardHands, type BoardPlace, type Patience, USUAL_PATIENCE } from "./board-parts.js";
import { BoardReports } from "./board-reports.js";
import { ClockWait } from "./clock-wait.js";
import { ExpectedResets } from "./expected-resets.js";
import { LinkReport } from "./link-report.js";
import { type LadderTarget, RecoveryLadder } from "./recovery-ladder.js";

const BAUD_DEFAULT = 115_200;
/** Nobody waits long for a board that has never been seen. */
const FIRST_ABSENCE_US = 3 * US_PER_S;
/** While it is absent, ports are looked at this often. */
const RETRY_US = 300_000;
/** A board that prints a boot log and goes on in its session has only quoted one. */
const SUSPICION_US = 600_000;

type TimedEffect = "armOpening" | "armHello" | "armBoot" | "armWake" | "armRung";

/** How long the board has where nothing else is to be done. */
const DELAYS: Readonly<Partial<Record<BoardEffect, (board: Board) => number>>> = {
  armOpening: () => 0,
  armHello: ({ patience }) => patience.helloUs,
  armBoot: ({ patience }) => patience.bootUs,
  armWake: ({ patience, sleepUs }) => sleepUs + patience.bootUs,
  armRung: ({ ladder }) => ladder.climbing?.patienceUs ?? 0,
};

/**
 * A real board in the states of `boardMachine`: follows, recovers and reports it. What it does in the fleet is its listener's affair.
 */
export class Board implements MemberBoard, ControlledBoard, LadderTarget {
  readonly thing: string;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly hands: BoardHands;
  readonly controls: BoardControls;
  readonly line: BoardLine;
  readonly watch: LogWatch;
  readonly ladder: RecoveryLadder;
  readonly reset = (): Promise<void> => this.handling.reset();
  readonly usbReset = (): Promise<void> => this.handling.usbReset();
  readonly cyclePower = (): Promise<void> => this.handling.cyclePower();
  private state: BoardState = "absent";
  readonly patience: Patience;
  private readonly handling: BoardHandling;
  private readonly reports: BoardReports;
  private readonly commands: BoardCommands;
  private readonly clockWait: ClockWait;
  private readonly faults: BoardFaults;
  readonly linkReport: LinkReport;
  private unwatch: (() => void) | undefined;
  private listener: BoardListener | undefined;
  private place: BoardPlace | undefined;
  private mac: string | undefined;
  private isReady = false;
  /** It has started since its listener last heard that it is ready. */
  private isNewStart = true;
  private lostUs: number | undefined;
  private absentUs: number | undefined;
  sleepUs = 0;
  private deadline: Timer | undefined;
  private retry: Timer | undefined;
  private suspicion: Timer | undefined;
  private isSettled = false;
  private isHidden = false;
  private queue: BoardEventType[] | undefined;
  private isBusy = false;

  constructor(private readonly options: BoardOptions) {
    const { clock, random, opener, baud = BAUD_DEFAULT, encoding = "cobs" } = options;
    ({ thing: this.thing, clock: this.clock, events: this.events, hands: this.hands } = options);
    this.patience = { ...USUAL_PATIENCE, ...options.patience };
    const expected = new ExpectedResets(clock);
    this.reports = new BoardReports(options, expected);
    const { panics } = this.reports;
    this.ladder = new RecoveryLadder(clock, this.patience);
    this.line = new BoardLine({
      clock,
      random,
      opener,
      baud,
      encoding,
      log: {
        line: () => undefined,
        booted: (report) => this.bootSeen(report),
        panicked: (report) => panics.panicked(report),
        panicEnded: (report) => panics.panicEnded(report),
      },
      link: {
        opened: (hello) => this.opened(hello),
        restarted: () => this.sessionLost("restarted"),
        lost: (reason) => this.sessionLost(reason),
        event: (event) => this.event(event),
        network: (message) => this.listener?.network(message),
        networkData: (bytes) => this.listener?.networkData(bytes),
      },
      handlers: {
        opened: () => {
          this.absentUs = undefined;
          this.send("OPENED");
        },
        refused: (code, reason) => {
          this.ladder.note(reason);
          this.send(code === "PORT_NOT_FOUND" ? "GONE" : "REFUSED");
        },
        closed: (reason) => {
          this.ladder.note(`the port ended: ${reason}`);
          this.options.tracker.look();
          this.send(reason === "disconnected" ? "GONE" : "ENDED");
        },
      },
    });
    const { line, ladder, hands } = this;
    this.handling = new BoardHandling({ clock, hands, line, expected, ladder });
    this.watch = this.line.log.watch();
    this.controls = new ScenarioControls(this);
    this.faults = new BoardFaults(this, this.line);
    this.linkReport = new LinkReport(this.line.link, options);
    this.clockWait = new ClockWait(clock, this.line.link.fit, () => this.clocksFitted());
    this.commands = new BoardCommands(this.line.link, {
      unanswered: (op) => this.startOver(`no answer to ${op}`),
      deaf: (reason) => this.giveUp(reason),
    });
  }

  get stateName(): BoardState {
    return this.state;
  }

  get isSeen(): boolean {
    return this.tracked !== undefined;
  }

  get isPortOpen(): boolean {
    return this.line.port !== undefined;
  }

  get pendingBytes(): number {
    return this.line.link.networkBacklogBytes;
  }

  /** Begins to look for it. */
  open(): void {
    this.unwatch = this.options.tracker.watch(() => this.moved());
    this.armAbsence();
    this.moved();
  }

  /** Ends everything; the board keeps its power. Never rejects. */
  async close(): Promise<void> {
    this.linkReport.stop();
    this.sessionOver("closed");
    this.unwatch?.();
    this.retry?.cancel();
    this.suspicion?.cancel();
    await this.faults.clear();
    const closing = this.line.close();
    this.send("STOP");
    await closing;
  }

  listen(listener: BoardListener): void {
    this.listener = listener;
    if (this.isReady) listener.ready(this.line.link.hello?.thing, true);
  }

  command(op: string, args: JsonObject, answered?: (answer: CommandAnswer) => void): void {
    // What the board tells of it may be lost with it.
    if (op === "reboot") this.handling.expectRestart();
    this.commands.send(op, args, answered);
  }

  toHostUs(boardUs: number): number {
    return this.line.link.fit.toHostUs(boardUs);
  }

  toBoardUs(hostUs: number): number {
    return Math.round(this.line.link.fit.toBoardUs(hostUs));
  }

  sendNetwork(message: NetworkReply): void {
    this.line.link.sendNetwork(message);
  }

  sendNetworkData(bytes: Uint8Array): void {
    this.line.link.sendNetworkData(bytes);
  }

  setFault(fault: string, active: boolean, detail: JsonObject): boolean {
    return this.faults.set(fault, active, detail);
  }

  giveUp(reason: string): void {
    this.ladder.note(reason);
    this.sessionOver(reason);
    this.send("EXHAUSTED");
  }

  resetNow(): void {
    this.noteLoss();
    if (this.handling.canReset) this.handling.attempt("reset", this.reset);
    else if (this.isReady) this.command("reboot", {});
    else this.ladder.note("there is no way to reset it");
  }

  switchPower(isOn: boolean): boolean {
    const isSwitched = this.handling.switchPower(isOn);
    if (isSwitched) this.noteLoss();
    return isSwitched;
  }

  fallAsleep(forUs: number): void {
    this.handling.expectSleep(forUs);
    this.sleepUs = forUs;
    this.noteLoss();
    this.send("SLEEP");
  }

  expectCrash(isOrdered: boolean): void {
    this.handling.expectCrash(isOrdered);
  }

  reopen(): void {
    if (this.tracked !== undefined) this.openPort();
  }

  /** As if the cable were out, for boards whose cable nobody can pull. */
  hide(isHidden: boolean): void {
    this.isHidden = isHidden;
    this.moved();
  }

  private get tracked(): BoardPlace | undefined {
    return this.isHidden ? undefined : this.options.tracker.place;
  }

  /** The tracker has news. */
  private moved(): void {
    const { tracked } = this;
    if (tracked === this.place) return;
    if (this.place !== undefined) this.send("GONE");
    this.place = tracked;
    if (tracked !== undefined) this.send("SEEN");
  }

  private bootSeen(report: BootReport): void {
    this.reports.bootSeen(report.atUs);
    this.hands.saw?.(report.mode === "download" ? { kind: "waiting" } : { kind: "boot", isDownload: false });
    const type = report.mode === "download" ? "DOWNLOAD" : report.mode === "no-image" ? "ROM" : "BOOTING";
    if (!this.line.link.isOpen) {
      this.send(type);
      return;
    }
    // The link will tell by itself, unless what starts has none: the loader, or an image that is none.
    const { counters } = this.line.link;
    const { framesIn } = counters;
    this.suspicion?.cancel();
    this.suspicion = this.clock.after(SUSPICION_US, () => {
      if (counters.framesIn !== framesIn || !this.line.link.isOpen) return;
      this.startOver("restarted");
      this.send(type);
    });
  }

  private opened(hello: Hello): void {
    const { place } = this;
    if (place === undefined) return;
    this.options.tracker.learned(place, hello.mac);
    const refusal = this.refusalOf(hello);
    if (refusal !== undefined) {
      this.ladder.note(refusal);
      void this.line.close();
      // The tracker has learned whose place it is, and may know another.
      if (this.tracked === place) this.send("EXHAUSTED");
      return;
    }
    this.mac = hello.mac;
    this.hands.saw?.({ kind: "hello", bootId: hello.bootId });
    if (this.reports.hello(hello, place, this.line.log)) this.isNewStart = true;
    this.send("HELLO");
  }

  private refusalOf(hello: Hello): string | undefined {
    if (this.mac === undefined) return this.options.accept?.(hello);
    if (hello.mac === this.mac) return undefined;
    return `the board at ${this.place?.path ?? "its port"} is ${hello.mac}, not ${this.mac}`;
  }

  private event(event: JsonObject): void {
    if (event["ev"] === "rebooting") this.handling.expectRestart();
    if (event["ev"] === "sleeping") {
      const { us } = event;
      if (typeof us === "number" && us > this.sleepUs) this.fallAsleep(us);
    }
    this.listener?.event(event);
  }

  private sessionLost(reason: string): void {
    this.sessionOver(reason);
    this.ladder.note(reason);
    this.send("SILENT");
  }

  /** Asks for a new session, of a board that has lost itself or the one that there is. */
  private startOver(reason: string): void {
    this.line.link.stop();
    this.sessionLost(reason);
    this.line.link.start();
  }

  private sessionOver(reason: string): void {
    this.clockWait.stop();
    this.linkReport.pause();
    if (!this.isReady) return;
    this.isReady = false;
    this.listener?.lost(reason);
  }

  /** One event at a time: what effects cause is taken up when they are done. */
  private send(type: BoardEventType): void {
    if (this.isBusy) {
      (this.queue ??= []).push(type);
      return;
    }
    this.isBusy = true;
    this.take(type);
    for (let next = this.queue?.shift(); next !== undefined; next = this.queue?.shift()) this.take(next);
    this.isBusy = false;
  }

  private take(type: BoardEventType): void {
    const transition = BOARD_TABLE[this.state][type];
    if (transition === undefined) return;
    this.state = transition.target;
    for (const effect of transition.effects) {
      const delayUs = DELAYS[effect]?.(this);
      if (delayUs === undefined) this[effect as Exclude<BoardEffect, TimedEffect>]();
      else this.arm(delayUs);
    }
  }

  private arm(delayUs: number): void {
    this.deadline?.cancel();
    this.deadline = this.clock.after(delayUs, () => this.send("OVERDUE"));
  }

  armAbsence(): void {
    const nowUs = this.clock.nowUs();
    this.absentUs ??= nowUs;
    const patienceUs = this.isSettled
      ? this.patience.absenceUs
      : Math.min(this.patience.absenceUs, FIRST_ABSENCE_US);
    this.arm(this.absentUs + patienceUs - nowUs);
    this.retry?.cancel();
    this.retry = this.clock.after(RETRY_US, () => this.lookAgain());
  }

  /** Enumerators are slow, and do not say that a port came which only its driver had given up. */
  private lookAgain(): void {
    if (this.state !== "absent") return;
    this.options.tracker.look();
    if (this.state !== "absent") return;
    this.retry?.again(RETRY_US);
    if (this.tracked !== undefined && this.tracked === this.place) this.send("SEEN");
  }

  clearDeadline(): void {
    this.deadline?.cancel();
  }

  openPort(): void {
    const { tracked } = this;
    this.place = tracked;
    if (tracked === undefined) return;
    this.hands.placed?.(tracked);
    this.line.open(tracked);
  }

  closePort(): void {
    this.sessionOver("detached");
    void this.line.close();
  }

  noteLoss(): void {
    this.lostUs ??= this.clock.nowUs();
  }

  climb(): void {
    // Nothing is done to a board that may be somebody else's while there is another place to look.
    if (this.options.tracker.doubted()) return;
    this.send(this.ladder.climb(this) === undefined ? "EXHAUSTED" : "CLIMBING");
  }

  reportWorking(): void {
    const { lostUs } = this;
    const hello = this.line.link.hello!;
    this.lostUs = undefined;
    this.sleepUs = 0;
    this.suspicion?.cancel();
    if (lostUs !== undefined && this.isSettled) {
      this.reports.recovered(lostUs, this.ladder.rung ?? "waited");
    }
    this.ladder.clear();
    this.settle({ hello, place: this.place! });
    this.clockWait.start();
  }

  reportDetached(): void {
    this.reports.detached(this.isHidden ? "unplug" : "unplugged");
  }

  reportGivenUp(): void {
    const reason = this.ladder.verdict(this.lostUs);
    this.absentUs = undefined;
    this.ladder.clear();
    this.reports.givenUp(reason);
    this.settle({ hello: undefined, reason });
  }

  private settle(outcome: BoardOutcome): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.options.settled?.(outcome);
  }

  private clocksFitted(): void {
    const { isNewStart, linkReport } = this;
    this.isReady = true;
    this.isNewStart = false;
    // Whoever measures must know how well from the first time on.
    linkReport.resume(isNewStart);
    this.listener?.ready(this.line.link.hello?.thing, isNewStart);
  }
}
