/**
 * A *case* is one measurement. It runs in a process of its own, so that memory and warm-up of one do not colour
 * the next, and yields *figures*: named numbers with units and, where there is one, the target they must meet.
 */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Largest value that is good enough; `least` for figures where more is better. */
  readonly most?: number;
  readonly least?: number;
  /** The machine was too noisy to tell whether the target is met. */
  readonly isInconclusive?: boolean;
}

export interface BenchCase {
  readonly name: string;
  readonly description: string;
  /** Left out unless `--full` is given. */
  readonly isLong?: boolean;
  /** After this long it is ended; default 20 minutes. */
  readonly deadlineMs?: number;
  /** Why it cannot run on this machine; undefined when it can. */
  skipped?(): string | undefined;
  run(): Promise<readonly Figure[]>;
}

export interface CaseResult {
  readonly name: string;
  readonly description: string;
  readonly skipped?: string;
  /** It threw: there are no figures. */
  readonly failed?: boolean;
  readonly figures: readonly Figure[];
  /** CPU seconds of the whole process, start included. */
  readonly cpuS: number;
  readonly wallS: number;
  readonly rssMaxMiB: number;
}

export const meetsTarget = ({ value, most, least, isInconclusive }: Figure): boolean | undefined => {
  if (isInconclusive === true || (most === undefined && least === undefined)) return undefined;
  return (most === undefined || value <= most) && (least === undefined || value >= least);
};
