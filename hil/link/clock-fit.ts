/**
 * The board's clock as the host sees it (PROTOCOL.md §4). *Offset* is board time minus host time. Each exchange of PING and PONG gives a
 * sample that is wrong by at most half its round trip, whatever the delays each way were; the uncertainty that is stated is what
 * follows from that for the fit, so it holds for lopsided delays too, as long as both clocks run evenly.
 */
export interface ClockSample {
  /** Host: PING left. */
  readonly t1Us: number;
  /** Board: PING came. */
  readonly t2Us: number;
  /** Board: PONG left. */
  readonly t3Us: number;
  /** Host: PONG came. */
  readonly t4Us: number;
}

interface Reading {
  readonly hostUs: number;
  readonly offsetUs: number;
  readonly rttUs: number;
  /** How far the true offset at `hostUs` may be from it. */
  readonly errorUs: number;
}

/** A straight line through offsets, about the middle of its readings. */
interface Line {
  readonly readings: readonly Reading[];
  readonly middleUs: number;
  readonly offsetUs: number;
  readonly skew: number;
  /** How far the true skew may be from it. */
  readonly skewError: number;
}

/** Exchanges are remembered for half a minute, in which crystals do not change, and so many of them at most. */
const WINDOW_US = 30_000_000;
const WINDOW = 120;
/** Of so many in a row the fastest is used: a tenth of all, spread over the whole window, without which no slope could be told. */
const ROW = 10;
/** While there are few, the rows are shorter, so that there are so many. */
const ROWS_MIN = 4;
/** What took so many times as long as the fastest of all says nothing that it does not say better. */
const SLOW_FACTOR = 4;
/** No clock of a board runs further off than this; crystals stay below 1e-4. */
const SKEW_MAX = 500e-6;
const ROUNDING_US = 1;

/** Offset and skew between the clocks of a board and the host, over one run of the board. */
export class ClockFit {
  private readings: Reading[] = [];
  private line: Line | undefined;
  private boot: number | undefined;

  /** Starts over for another run of the board; the same run again changes nothing. */
  begin(bootId: number): void {
    if (bootId === this.boot) return;
    this.boot = bootId;
    this.readings = [];
    this.line = undefined;
  }

  /** @returns false when it cannot be: the answer before the question. */
  add(sample: ClockSample): boolean {
    const { t1Us, t2Us, t3Us, t4Us } = sample;
    const rttUs = t4Us - t1Us - (t3Us - t2Us);
    if (t4Us < t1Us || t3Us < t2Us || rttUs < 0) return false;
    this.readings.push({
      hostUs: (t1Us + t4Us) / 2,
      offsetUs: (t2Us - t1Us + t3Us - t4Us) / 2,
      rttUs,
      // Meanwhile the clocks drift, and both are read in whole microseconds.
      errorUs: rttUs / 2 + (SKEW_MAX * (t4Us - t1Us)) / 2 + ROUNDING_US,
    });
    const isOld = ({ hostUs }: Reading): boolean => hostUs < t4Us - WINDOW_US;
    while (this.readings.length > WINDOW || (this.readings.length > 1 && isOld(this.readings[0]!)))
      this.readings.shift();
    this.line = this.fit(t4Us);
    return true;
  }

  /** There is something to go by. Before that, times of the board say nothing and come out as NaN. */
  get isReady(): boolean {
    return this.line !== undefined;
  }

  /** The run of the board that it is about. */
  get bootId(): number | undefined {
    return this.boot;
  }

  get samples(): number {
    return this.readings.length;
  }

  /** Board clock minus host clock, in the middle of the readings in use. */
  get offsetUs(): number {
    return this.line?.offsetUs ?? Number.NaN;
  }

  /** How much faster than the host's the board's clock runs. */
  get skewPpm(): number {
    return (this.line?.skew ?? Number.NaN) * 1e6;
  }

  /** ± of a time converted now, that is, at the latest sample. */
  get uncertaintyUs(): number {
    const latest = this.readings.at(-1);
    return latest === undefined ? Number.POSITIVE_INFINITY : this.uncertaintyAtUs(latest.hostUs);
  }

  /** ± of a time converted, by when that was on the host's clock: grows away from the samples. */
  uncertaintyAtUs(hostUs: number): number {
    const { line } = this;
    return line === undefined ? Number.POSITIVE_INFINITY : errorUs(line, hostUs) * (1 + 2 * SKEW_MAX);
  }

  toBoardUs(hostUs: number): number {
    const { line } = this;
    if (line === undefined) return Number.NaN;
    return hostUs + offsetAt(line, hostUs);
  }

  toHostUs(boardUs: number): number {
    const { line } = this;
    if (line === undefined) return Number.NaN;
    const sinceMiddleUs = (boardUs - line.offsetUs - line.middleUs) / (1 + line.skew);
    return line.middleUs + sinceMiddleUs;
  }

  private fit(nowUs: number): Line {
    const chosen = fastestOfRows(this.readings);
    const level = levelLine(chosen);
    const sloped = slopedLine(chosen);
    // A slope that is less certain than what all crystals keep would be worse than none away from the readings.
    const isBetter = sloped !== undefined && sloped.skewError < SKEW_MAX;
    return isBetter && errorUs(sloped, nowUs) < errorUs(level, nowUs) ? sloped : level;
  }
}

function fastestOfRows(readings: readonly Reading[]): Reading[] {
  const row = Math.min(ROW, Math.max(1, Math.floor(readings.length / ROWS_MIN)));
  const fastest: Reading[] = [];
  for (const [at, reading] of readings.entries()) {
    const rival = fastest[Math.floor(at / row)];
    if (rival === undefined) fastest.push(reading);
    else if (reading.rttUs <= rival.rttUs) fastest[fastest.length - 1] = reading;
  }
  const slowestUs = SLOW_FACTOR * Math.min(...fastest.map(({ rttUs }) => rttUs));
  return fastest.filter(({ rttUs }) => rttUs <= slowestUs);
}

const offsetAt = (line: Line, hostUs: number): number => line.offsetUs + line.skew * (hostUs - line.middleUs);

/**
 * Worst error of the line. At a reading it is at most that reading's, and what the line is off it; from there on it grows with the error of
 * the skew. Each reading gives such a bound, and the smallest holds.
 */
function errorUs(line: Line, hostUs: number): number {
  let smallestUs = Number.POSITIVE_INFINITY;
  for (const reading of line.readings) {
    const residualUs = Math.abs(reading.offsetUs - offsetAt(line, reading.hostUs));
    const driftUs = line.skewError * Math.abs(hostUs - reading.hostUs);
    smallestUs = Math.min(smallestUs, reading.errorUs + residualUs + driftUs);
  }
  return smallestUs;
}

const mean = (readings: readonly Reading[], value: (reading: Reading) => number): number =>
  readings.reduce((sum, reading) => sum + value(reading), 0) / readings.length;

/** Without a slope, for when the readings are too close together to tell one. */
function levelLine(readings: readonly Reading[]): Line {
  return {
    readings,
    middleUs: mean(readings, ({ hostUs }) => hostUs),
    offsetUs: mean(readings, ({ offsetUs }) => offsetUs),
    skew: 0,
    skewError: SKEW_MAX,
  };
}

/**
 * Least squares. Its skew is a sum of the offsets, each weighted by its distance from the middle over the spread; so it is wrong by at most
 * the sum of these weights times the errors of the readings.
 */
function slopedLine(readings: readonly Reading[]): Line | undefined {
  const { middleUs, offsetUs } = levelLine(readings);
  let spread = 0;
  let slope = 0;
  let error = 0;
  for (const reading of readings) {
    const fromMiddleUs = reading.hostUs - middleUs;
    spread += fromMiddleUs ** 2;
    slope += fromMiddleUs * (reading.offsetUs - offsetUs);
    error += Math.abs(fromMiddleUs) * reading.errorUs;
  }
  if (spread === 0) return undefined;
  return { readings, middleUs, offsetUs, skew: slope / spread, skewError: error / spread };
}
