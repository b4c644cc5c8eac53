import { type Clock, type EventSink, FleetrigError, type JsonObject, type Timer } from "fleetrig/kernel";
import type { BoardControls, BoardRefusal, BoardStimulus, LogWait } from "fleetrig/sim";
import type { CommandAnswer } from "../bridge/member-board.js";
import type { LogWatch } from "../log/index.js";

/** What the controls of a board need of it. */
export interface ControlledBoard {
  readonly thing: string;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly watch: LogWatch;
  /** By the best means there is. */
  resetNow(): void;
  /** @returns false when its power cannot be switched. */
  switchPower(isOn: boolean): boolean;
  /** Deep sleep begins. */
  fallAsleep(forUs: number): void;
  expectCrash(isOrdered: boolean): void;
  command(op: string, args: JsonObject, answered?: (answer: CommandAnswer) => void): void;
}

/** The firmware's words for what it cannot do. Other answers, and none, are those of a board that was on its way. */
const REFUSALS: ReadonlySet<string> = new Set(["unknown-op", "bad-args", "unsupported"]);

/** From the command until the board is really asleep. */
const FALLING_ASLEEP_US = 500_000;

/** What a scenario does to a board. */
export class ScenarioControls implements BoardControls {
  private powerTimer: Timer | undefined;

  constructor(private readonly board: ControlledBoard) {}

  reset(): void {
    this.board.resetNow();
  }

  powerCycle(offUs: number): void {
    const { board } = this;
    if (!board.switchPower(false)) {
      board.resetNow();
      return;
    }
    this.powerTimer?.cancel();
    this.powerTimer = board.clock.after(offUs, () => board.switchPower(true));
  }

  sleep(forUs: number, refused?: BoardRefusal): void {
    this.board.fallAsleep(forUs + FALLING_ASLEEP_US);
    this.order("sleep", { us: forUs }, refused);
  }

  stimulate({ gpio, adcMillivolts }: BoardStimulus, refused?: BoardRefusal): void {
    for (const [pin, level] of Object.entries(gpio)) {
      this.order("gpio", { pin: Number(pin), level: level ? 1 : 0 }, refused);
    }
    for (const [channel, millivolts] of Object.entries(adcMillivolts)) {
      this.order("adc", { channel: Number(channel), millivolts }, refused);
    }
  }

  crash(kind: string, refused?: BoardRefusal): void {
    this.board.expectCrash(true);
    this.order("crash", { kind }, (reason) => {
      this.board.expectCrash(false);
      refused?.(reason);
    });
  }

  private order(op: string, args: JsonObject, refused: BoardRefusal | undefined): void {
    this.board.command(op, args, (answer) => {
      if (!answer.ok && REFUSALS.has(answer.error))
        refused?.(`its firmware cannot do ${op} ${JSON.stringify(args)} (${answer.error})`);
    });
  }

  awaitLog({ action, pattern, withinUs, survivesRestart }: LogWait): void {
    const { watch, events, clock, thing } = this.board;
    const report = (failure: string | undefined, waitedUs: number): void =>
      events.emit({
        type: "board.log-awaited",
        atUs: clock.nowUs(),
        thing,
        action,
        pattern,
        failure,
        waitedUs,
      });
    try {
      watch.await({ pattern, withinUs, survivesRestart }, (outcome) =>
        report(outcome.failure, outcome.waitedUs),
      );
    } catch (error) {
      if (!(error instanceof FleetrigError)) throw error;
      report(error.message, 0);
    }
  }
}
