import { type Clock, US_PER_S } from "fleetrig/kernel";
import type { BoardHands } from "./board-parts.js";
import type { BoardLine } from "./board-line.js";
import type { ExpectedResets } from "./expected-resets.js";
import type { RecoveryLadder } from "./recovery-ladder.js";

/** A restart that was asked for is seen within this time, or it is another one. */
const EXPECTED_US = 10 * US_PER_S;
const POWER_OFF_US = 500_000;

export interface BoardHandlingOptions {
  readonly clock: Clock;
  readonly hands: BoardHands;
  readonly line: BoardLine;
  readonly expected: ExpectedResets;
  readonly ladder: RecoveryLadder;
}

/** What is done to a board from outside, so that what comes of it counts as expected. */
export class BoardHandling {
  constructor(private readonly options: BoardHandlingOptions) {}

  get hands(): BoardHands {
    return this.options.hands;
  }

  get canReset(): boolean {
    return this.options.line.port !== undefined && this.hands.reset !== undefined;
  }

  expectRestart(withinUs = EXPECTED_US): void {
    this.options.expected.expect(withinUs);
    this.options.line.log.expectRestart(withinUs);
  }

  expectSleep(forUs: number): void {
    this.expectRestart(forUs + EXPECTED_US);
  }

  /** The firmware is told to fail, or has refused to. What it prints is no surprise then, but still ends waits for its log. */
  expectCrash(isOrdered: boolean): void {
    this.options.expected.expectCrash(isOrdered ? EXPECTED_US : 0);
  }

  async reset(): Promise<void> {
    const { line, expected } = this.options;
    this.expectRestart();
    if (line.port === undefined || this.hands.reset === undefined) return;
    expected.resetNow();
    await this.hands.reset(line.port);
  }

  async usbReset(): Promise<void> {
    this.expectRestart();
    await this.hands.usbReset?.();
  }

  async cyclePower(): Promise<void> {
    const { clock, expected } = this.options;
    this.expectRestart();
    await this.hands.power?.(false);
    await new Promise<void>((resolve) => clock.after(POWER_OFF_US, resolve));
    expected.resetNow();
    await this.hands.power?.(true);
  }

  /** @returns false when its power cannot be switched. */
  switchPower(isOn: boolean): boolean {
    const { power } = this.hands;
    if (power === undefined) return false;
    this.expectRestart();
    if (isOn) this.options.expected.resetNow();
    this.attempt("switching its power", () => power(isOn));
    return true;
  }

  /** Does it; that it failed is evidence. */
  attempt(what: string, task: () => Promise<void>): void {
    task().catch((error: unknown) => {
      this.options.ladder.note(`${what} failed: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
}
