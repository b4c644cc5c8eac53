import type { ExecutionStatus } from "fleetrig/kernel";

/**
 * The life of one job execution (REF §6.4) as a table: who may move it from which status to which.
 * *Pending* is QUEUED or IN_PROGRESS; everything else is *terminal* and stays as it is: a retry is a new
 * execution with the next number, never a transition.
 */
export type ExecutionActor = "device" | "service";

const NONE: readonly ExecutionStatus[] = [];
/** What a device may ask for in an update; the rest is the service's. */
const BY_DEVICE: readonly ExecutionStatus[] = ["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"];
export const DEVICE_STATUSES: ReadonlySet<string> = new Set(BY_DEVICE);

const TRANSITIONS: Readonly<
  Record<ExecutionActor, Readonly<Record<ExecutionStatus, readonly ExecutionStatus[]>>>
> = {
  device: {
    QUEUED: BY_DEVICE,
    IN_PROGRESS: BY_DEVICE,
    SUCCEEDED: NONE,
    FAILED: NONE,
    TIMED_OUT: NONE,
    REJECTED: NONE,
    REMOVED: NONE,
    CANCELED: NONE,
  },
  service: {
    QUEUED: ["CANCELED", "REMOVED"],
    IN_PROGRESS: ["TIMED_OUT", "CANCELED", "REMOVED"],
    SUCCEEDED: NONE,
    FAILED: NONE,
    TIMED_OUT: NONE,
    REJECTED: NONE,
    REMOVED: NONE,
    CANCELED: NONE,
  },
};

/** May `actor` move an execution from `from` to `to`? */
export const canTransition = (actor: ExecutionActor, from: ExecutionStatus, to: ExecutionStatus): boolean =>
  TRANSITIONS[actor][from].includes(to);

export const isPending = (status: ExecutionStatus): boolean =>
  status === "QUEUED" || status === "IN_PROGRESS";

/** Reached by the device or by a timer: what abort criteria count as executed. */
export const isExecuted = (status: ExecutionStatus): boolean =>
  status === "SUCCEEDED" || status === "FAILED" || status === "TIMED_OUT" || status === "REJECTED";
