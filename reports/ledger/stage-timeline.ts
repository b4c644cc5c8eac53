import { US_PER_S } from "fleetrig/kernel";

/**
 * The stages of a run as half-open intervals of time. What is scheduled belongs to the stage in which it was
 * scheduled; what merely happens belongs to the stage in which it happens. Index 0 is the time before the first stage.
 */
export interface StageSpan {
  readonly name: string;
  readonly startUs: number;
  readonly measured: boolean;
  /** Undefined while the stage runs. */
  endUs: number | undefined;
  timedOut: boolean;
}

/** The stages so far; they start one after the other, in the order of time. */
export class StageTimeline {
  private readonly spanList: StageSpan[] = [
    { name: "", startUs: 0, measured: true, endUs: undefined, timedOut: false },
  ];

  start(name: string, atUs: number, measured: boolean): void {
    const last = this.spanList.at(-1)!;
    last.endUs ??= atUs;
    this.spanList.push({ name, startUs: atUs, measured, endUs: undefined, timedOut: false });
  }

  end(atUs: number, timedOut: boolean): void {
    const last = this.spanList.at(-1)!;
    last.endUs = atUs;
    last.timedOut = timedOut;
  }

  /** Every span, the one before the first stage included. */
  get spans(): readonly StageSpan[] {
    return this.spanList;
  }

  get current(): number {
    return this.spanList.length - 1;
  }

  /** Stage of an instant; an instant after the last stage belongs to the last stage. */
  indexAt(atUs: number): number {
    let index = this.spanList.length - 1;
    while (index > 0 && this.spanList[index]!.startUs > atUs) index -= 1;
    return index;
  }

  has(name: string): boolean {
    return this.spanList.some((span) => span.name === name && name !== "");
  }

  /** Without a name: every measured stage. With one: that stage, measured or not. */
  selects(index: number, name: string | undefined): boolean {
    const span = this.spanList[index];
    if (span === undefined) return false;
    return name === undefined ? span.measured : span.name === name;
  }

  /** Seconds of the selected stages so far. */
  seconds(name: string | undefined, nowUs: number): number {
    let us = 0;
    this.spanList.forEach((span, index) => {
      if (this.selects(index, name)) us += Math.max(0, (span.endUs ?? nowUs) - span.startUs);
    });
    return us / US_PER_S;
  }
}
